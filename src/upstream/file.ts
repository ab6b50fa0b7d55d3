/** Any other front: a file with the workers, replaced by rename, and a command to run after that. */
import nodePath from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "./atomic-file.js";
import { envoyEndpoints, jsonServers } from "./file-formats.js";
import * as check from "./options.js";
import { runCommand } from "./run-command.js";
import type { Upstream, UpstreamServer } from "./types.js";

/** What {@link fileUpstream} takes. */
export interface FileUpstreamOptions {
  /** The file. Made when it isn't there; its directory must be. */
  readonly file: string;
  /**
   * What it holds. `json`: `{ "servers": [{ "worker": 0, "host": "127.0.0.1", "port": 3001 }] }`. `envoy-eds`: a cluster's
   * endpoints for Envoy. Or a function that makes the text. Default `json`.
   */
  readonly format?:
    "json" | "envoy-eds" | ((servers: readonly UpstreamServer[]) => string);
  /** The cluster's name for `envoy-eds`. Default `app`. */
  readonly cluster?: string;
  /**
   * Run whenever the file has changed: program and arguments. That it ends with 0 confirms that no new request goes to other
   * servers. Default: none.
   */
  readonly command?: readonly string[];
  /** The longest that it may take, in milliseconds; then it is killed. Default 10,000. */
  readonly commandTimeoutMs?: number;
  /**
   * How long after the file was written, or the command has ended, it counts as confirmed, in milliseconds. Default 0 with a
   * command, else 1,000: whoever reads the file doesn't say when it has.
   */
  readonly settleMs?: number;
  /** For messages. Default: the file's name. */
  readonly name?: string;
}

/**
 * A front that reads a file. See docs/external-fronts.md.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function fileUpstream(options: FileUpstreamOptions): Upstream {
  return new FileUpstream(options);
}

class FileUpstream implements Upstream {
  readonly name: string;
  readonly #file: string;
  readonly #text: (servers: readonly UpstreamServer[]) => string;
  readonly #command: readonly [string, ...string[]] | undefined;
  readonly #commandTimeoutMs: number;
  readonly #settleMs: number;
  #confirmed: string | undefined;

  constructor(options: FileUpstreamOptions) {
    const { command, format = "json" } = options;
    const cluster = check.word("cluster", options.cluster ?? "app");
    this.#file = nodePath.resolve(check.path("file", options.file));
    this.name = options.name ?? nodePath.basename(this.#file);
    this.#text =
      format === "json"
        ? jsonServers
        : format === "envoy-eds"
          ? (servers) => envoyEndpoints(cluster, servers)
          : format;
    this.#command =
      command === undefined ? undefined : check.command("command", command);
    this.#commandTimeoutMs = check.milliseconds(
      "commandTimeoutMs",
      options.commandTimeoutMs,
      10_000,
    );
    this.#settleMs = check.milliseconds(
      "settleMs",
      options.settleMs,
      command === undefined ? 1_000 : 0,
    );
  }

  async apply(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    const text = this.#text(servers);
    if (text === this.#confirmed) return;
    this.#confirmed = undefined;
    await replaceFile(this.#file, text);
    if (this.#command !== undefined) {
      const timeoutMs = this.#commandTimeoutMs;
      await runCommand(this.#command, { timeoutMs, signal });
    }
    if (this.#settleMs > 0) await delay(this.#settleMs, undefined, { signal });
    this.#confirmed = text;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
