/** The client of the control socket: what the sub-commands use, and other programs may. `find-control-socket.ts` finds the path. */
import { PreforkError } from "../errors.js";
import { ask, askForStream, failureOf } from "./ask.js";
import type { CallOptions, Question } from "./ask.js";
import { readEvents } from "./event-lines.js";
import type {
  CommandRequest,
  ControlEvent,
  ReloadAnswer,
  ScaleRequest,
} from "./types.js";

/** Asking for the state takes no work: who doesn't answer within this hangs. */
const STATUS_TIMEOUT_MS = 10_000;

/**
 * Talks to one running master. It holds no connection between calls.
 *
 * Every call throws `ERR_PREFORK_NO_MASTER` when nobody listens, `ERR_PREFORK_CONTROL` when the master ends before it has
 * answered, and else the error that the master answered with, under its own code.
 *
 * @example
 * ```ts
 * const client = new ControlClient(await findControlSocket(root, undefined));
 * const { ok } = await client.reload();
 * ```
 */
export class ControlClient {
  /** The socket's path. */
  readonly path: string;

  /** @param path - of the socket */
  constructor(path: string) {
    this.path = path;
  }

  /** What runs at this moment. */
  status(options: CallOptions = {}): Promise<unknown> {
    const timeoutMs = options.timeoutMs ?? STATUS_TIMEOUT_MS;
    return this.#ask("GET", "/status", { ...options, timeoutMs });
  }

  /** Reloads. A reload that failed is an answer too, with `ok: false`. */
  async reload(options: CallOptions = {}): Promise<ReloadAnswer> {
    const answer = await this.#ask("POST", "/reload", options);
    if (typeof answer === "object" && answer !== null && "ok" in answer)
      return { ...answer, ok: answer.ok === true };
    throw new PreforkError(
      "ERR_PREFORK_CONTROL",
      `The answer to POST /reload on ${this.path} has no "ok": ${JSON.stringify(answer)}. Is it another version that runs there?`,
    );
  }

  /** Changes the number of workers; fulfils when it's done. */
  scale(request: ScaleRequest, options: CallOptions = {}): Promise<unknown> {
    return this.#ask("POST", "/scale", { ...options, body: request });
  }

  /** Sends a command to the workers, or to one. */
  command(
    { name, args, worker }: CommandRequest,
    options: CallOptions = {},
  ): Promise<unknown> {
    const body = { command: name, args, worker };
    return this.#ask("POST", "/command", { ...options, body });
  }

  /** Stops the server; fulfils when everything is stopped. */
  stop(options: CallOptions = {}): Promise<unknown> {
    return this.#ask("POST", "/stop", options);
  }

  /**
   * Follows what happens. Fulfils when the stream has begun: nothing after that is missed.
   *
   * @param options.signal - ends it, with its reason
   */
  async events(
    options: Pick<CallOptions, "signal"> = {},
  ): Promise<AsyncIterableIterator<ControlEvent>> {
    const question = this.#question("GET", "/events", options);
    const response = await askForStream(question);
    return readEvents(response, (error) => failureOf(error, question));
  }

  #ask(
    method: "GET" | "POST",
    path: string,
    rest: CallOptions & { readonly body?: unknown },
  ): Promise<unknown> {
    return ask(this.#question(method, path, rest));
  }

  #question(
    method: "GET" | "POST",
    path: string,
    rest: CallOptions & { readonly body?: unknown },
  ): Question {
    return { ...rest, method, path, socketPath: this.path };
  }
}
