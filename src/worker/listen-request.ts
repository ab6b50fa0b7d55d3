/**
 * What a call of `server.listen()` asks for, and what is to become of it.
 * Pure: `adoption.ts` acts on it.
 */

/** A `listen()` on a TCP port that the app chose. */
export interface PortRequest {
  readonly port: number;
  readonly host: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly callback: (() => void) | undefined;
}

function portOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^\d+$/.test(value.trim()))
    return Number(value);
  return undefined;
}

/**
 * Reads the arguments of `server.listen()` (Node docs, net, "server.listen()").
 *
 * @returns the port asked for, or `undefined` for everything that is not a
 * fixed TCP port (paths, handles, descriptors, port 0, invalid ones), which passes through to Node
 */
export function parseListenArguments(
  args: readonly unknown[],
): PortRequest | undefined {
  const last = args.at(-1);
  const callback =
    typeof last === "function" ? (last as () => void) : undefined;
  const [first, second] = args;
  let port: number | undefined;
  let host: unknown;
  let signal: unknown;
  if (typeof first === "object" && first !== null) {
    if ("path" in first && first.path !== undefined) return undefined;
    if ("fd" in first || "_handle" in first || !("port" in first))
      return undefined;
    port = portOf(first.port);
    host = "host" in first ? first.host : undefined;
    signal = "signal" in first ? first.signal : undefined;
  } else {
    port = portOf(first);
    host = second;
  }
  if (
    port === undefined ||
    !Number.isInteger(port) ||
    port < 1 ||
    port > 65_535
  )
    return undefined;
  return {
    port,
    host: typeof host === "string" ? host : undefined,
    signal: signal instanceof AbortSignal ? signal : undefined,
    callback,
  };
}

/**
 * What becomes of a request for a port:
 * - `adopt`: the first; it serves the worker's port and the front,
 * - `alias`: the adopted server's port once more (Fastify's `::1` twin); nothing more to listen on,
 * - `share`: another port, and this is the worker that has it,
 * - `stand-in`: another port, which belongs to another worker.
 */
export type ListenDecision = "adopt" | "alias" | "share" | "stand-in";

/** Decides about a request, given the port that was adopted before, if any. */
export function decideListen(
  port: number,
  adoptedPort: number | undefined,
  worker: number,
): ListenDecision {
  if (adoptedPort === undefined) return "adopt";
  if (port === adoptedPort) return "alias";
  return worker === 0 ? "share" : "stand-in";
}
