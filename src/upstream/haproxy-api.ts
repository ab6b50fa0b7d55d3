/**
 * HAProxy's runtime API over its Unix socket: one command for each connection, whose answer is text, and so are its errors.
 * Only answers that are known to mean success do.
 *
 * Relied on: https://docs.haproxy.org/2.6/management.html, 9.3 "Unix Socket commands".
 */
import net from "node:net";
import { PreforkError, messageOf, systemErrorCode } from "../errors.js";
import { serversState } from "./haproxy-state.js";
import type { RuntimeServer } from "./haproxy-state.js";

/** What {@link HaproxyApi} takes. */
export interface HaproxyApiOptions {
  /** The path of the socket. */
  readonly socket: string;
  readonly backend: string;
  /** For each command, in milliseconds. */
  readonly timeoutMs: number;
}

const MOST_CHARACTERS = 4 * 1_048_576;
const SHOWN_CHARACTERS = 400;

export class HaproxyApi {
  readonly #options: HaproxyApiOptions;

  constructor(options: HaproxyApiOptions) {
    this.#options = options;
  }

  /**
   * The servers of the backend.
   *
   * @throws PreforkError `ERR_PREFORK_UPSTREAM`, as all of these do, with HAProxy's answer
   */
  async servers(signal: AbortSignal): Promise<readonly RuntimeServer[]> {
    const { backend } = this.#options;
    const command = `show servers state ${backend}`;
    const answer = await this.#ask(command, signal);
    const servers = serversState(answer);
    if (servers !== undefined) return servers;
    throw refused(
      command,
      answer,
      `is there a backend "${backend}" in HAProxy's configuration?`,
    );
  }

  /** Adds a server, which is in maintenance then. */
  async add(
    name: string,
    address: string,
    parameters: string,
    signal: AbortSignal,
  ): Promise<void> {
    const server = `${this.#options.backend}/${name}`;
    const command = `add server ${server} ${address} ${parameters}`.trimEnd();
    const answer = await this.#ask(command, signal);
    if (/^New server registered\.?$/.test(answer)) return;
    throw refused(command, answer, adviceOnAdding(answer));
  }

  /** Starts the health checks of a server that was added with `check`. */
  async enableHealth(name: string, signal: AbortSignal): Promise<void> {
    const command = `enable health ${this.#options.backend}/${name}`;
    const answer = await this.#ask(command, signal);
    if (answer !== "") throw refused(command, answer, ADMIN_LEVEL);
  }

  /** `ready`: it gets requests. `maint`: it gets no new ones, and finishes those it has. */
  async setState(
    name: string,
    state: "ready" | "maint",
    signal: AbortSignal,
  ): Promise<void> {
    const command = `set server ${this.#options.backend}/${name} state ${state}`;
    const answer = await this.#ask(command, signal);
    if (answer !== "") throw refused(command, answer, ADMIN_LEVEL);
  }

  /**
   * Deletes a server that is in maintenance.
   *
   * @returns `false`: it still has connections
   */
  async delete(name: string, signal: AbortSignal): Promise<boolean> {
    const command = `del server ${this.#options.backend}/${name}`;
    const answer = await this.#ask(command, signal);
    if (/^Server deleted\.?$/.test(answer)) return true;
    if (/still has connections/.test(answer)) return false;
    throw refused(command, answer, ADMIN_LEVEL);
  }

  /** HAProxy's answer without the empty line at its end. */
  #ask(command: string, signal: AbortSignal): Promise<string> {
    const { socket, timeoutMs } = this.#options;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const connection = net.connect(socket);
      let answer = "";
      const fail = (error: unknown): void => {
        connection.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const timer = setTimeout(() => {
        fail(
          new PreforkError(
            "ERR_PREFORK_UPSTREAM",
            `HAProxy did not answer \`${command}\` on ${socket} within ${timeoutMs} ms`,
          ),
        );
      }, timeoutMs);
      const onAbort = (): void => fail(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      connection.setEncoding("utf8");
      connection.on("connect", () => connection.write(`${command}\n`));
      connection.on("data", (chunk: string) => {
        answer += chunk;
        if (answer.length > MOST_CHARACTERS)
          fail(refused(command, answer, "that is no answer of HAProxy's"));
      });
      connection.on("end", () => {
        // Every answer, also one that says nothing, ends with an empty line: without, HAProxy went away in the middle.
        if (answer.endsWith("\n")) resolve(answer.trim());
      });
      connection.on("error", (error) => fail(unreachable(socket, error)));
      connection.on("close", () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        reject(unreachable(socket, new Error("the connection was cut off")));
      });
    });
  }
}

const ADMIN_LEVEL =
  "the socket must have `level admin`, and HAProxy must be 2.6 or newer";

function adviceOnAdding(answer: string): string {
  if (/dynamic load balancing/i.test(answer)) {
    return "servers can be added only to a backend with a dynamic algorithm: `balance roundrobin`, `leastconn` or `first`, or `hash-type consistent`";
  }
  if (/experimental/i.test(answer)) return "HAProxy 2.6 or newer is needed";
  if (/already exists/i.test(answer)) {
    return "somebody else added it, or it's going: it's tried again";
  }
  return ADMIN_LEVEL;
}

function refused(command: string, answer: string, advice: string): Error {
  const said =
    answer === ""
      ? "nothing"
      : JSON.stringify(answer.slice(0, SHOWN_CHARACTERS));
  return new PreforkError(
    "ERR_PREFORK_UPSTREAM",
    `HAProxy answers ${said} to \`${command}\`: ${advice}`,
  );
}

function unreachable(socket: string, cause: Error): Error {
  const code = systemErrorCode(cause);
  const advice =
    code === "EACCES"
      ? "let this user use it: `stats socket … user …` or `mode …`"
      : "is HAProxy running, with `stats socket` set to this path?";
  return new PreforkError(
    "ERR_PREFORK_UPSTREAM",
    `HAProxy's socket ${socket} can't be used (${messageOf(cause)}): ${advice}`,
    { cause },
  );
}
