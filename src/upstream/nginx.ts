/** nginx: an included file with an `upstream` block, tested, loaded, and confirmed by looking at nginx's processes. */
import nodePath from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "./atomic-file.js";
import { nginxConfig } from "./nginx-config.js";
import {
  compiledPath,
  inPrefix,
  pidDirective,
  readPid,
} from "./nginx-pid-file.js";
import { NginxReload } from "./nginx-reload.js";
import * as check from "./options.js";
import { runCommand } from "./run-command.js";
import type { CommandOutput } from "./run-command.js";
import type { Upstream, UpstreamServer } from "./types.js";

/** What {@link nginxUpstream} takes. */
export interface NginxUpstreamOptions {
  /** The file that nginx's configuration includes, in its `http` block. Made when it isn't there; its directory must be. */
  readonly file: string;
  /** The name of the `upstream` block, for `proxy_pass http://<name>`. Default `app`. */
  readonly upstream?: string;
  /** Directives at the start of the block, each with its semicolon, such as `least_conn;`. Default: none, which is round robin. */
  readonly settings?: readonly string[];
  /**
   * Parameters of each `server` in the block. Default `max_fails=0`: the master replaces a worker's process that dies, and the
   * port stays, so there is no need to avoid the worker for 10 seconds.
   */
  readonly parameters?: string;
  /** The program. Default `nginx`. */
  readonly program?: string;
  /** nginx's main configuration file (`-c`). Default: the compiled-in one. */
  readonly config?: string;
  /** nginx's prefix (`-p`). Default: the compiled-in one. */
  readonly prefix?: string;
  /**
   * Tests the configuration: program and arguments. When it fails, the old file is put back. `false`: not tested.
   * Default: `nginx -T -q`, which prints the configuration, too: where the pid file is stands in there.
   */
  readonly test?: readonly string[] | false;
  /** Makes nginx load it: program and arguments. Default `nginx -s reload`. */
  readonly reload?: readonly string[];
  /** The longest that one of these commands may take, in milliseconds; then it is killed. Default 10,000. */
  readonly commandTimeoutMs?: number;
  /**
   * The file with the process id of nginx's master. `false`: its processes can't be seen from here (another container), and
   * `settleMs` has to do. Default: what the configuration says.
   */
  readonly pidFile?: string | false;
  /** From a reload until nginx's old processes accept nothing more, in milliseconds; then the reload has failed. Default 5,000. */
  readonly reloadTimeoutMs?: number;
  /**
   * How long nginx's old processes may go on with requests in hand before a reload counts as confirmed all the same, in
   * milliseconds. Default 1,000.
   */
  readonly finishMs?: number;
  /** With `pidFile: false`: how long after a reload it counts as confirmed, in milliseconds. Default 1,000. */
  readonly settleMs?: number;
}

/**
 * nginx in front of the workers. See docs/external-fronts.md for a configuration that works.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function nginxUpstream(options: NginxUpstreamOptions): Upstream {
  return new Nginx(options);
}

class Nginx implements Upstream {
  readonly name = "nginx";
  readonly #file: string;
  readonly #options: NginxUpstreamOptions;
  readonly #program: readonly [string, ...string[]];
  readonly #test: readonly [string, ...string[]] | undefined;
  readonly #reload: readonly [string, ...string[]];
  readonly #text: (servers: readonly UpstreamServer[]) => string;
  readonly #commandTimeoutMs: number;
  readonly #reloadTimeoutMs: number;
  readonly #finishMs: number;
  readonly #settleMs: number;
  /** What nginx is known to run. */
  #confirmed: string | undefined;

  constructor(options: NginxUpstreamOptions) {
    const { program = "nginx", config, prefix, test, reload } = options;
    this.#options = options;
    this.#file = nodePath.resolve(check.path("file", options.file));
    this.#program = [
      program,
      ...(prefix === undefined ? [] : ["-p", nodePath.resolve(prefix)]),
      ...(config === undefined ? [] : ["-c", nodePath.resolve(config)]),
    ];
    this.#test =
      test === false
        ? undefined
        : test === undefined
          ? [...this.#program, "-T", "-q"]
          : check.command("test", test);
    this.#reload =
      reload === undefined
        ? [...this.#program, "-s", "reload"]
        : check.command("reload", reload);
    const parameters = options.parameters ?? "max_fails=0";
    const text = {
      upstream: check.word("upstream", options.upstream ?? "app"),
      settings: check.lines("settings", options.settings ?? []),
      parameters: check.lines("parameters", [parameters]).join(),
    };
    this.#text = (servers) => nginxConfig(servers, text);
    const ms = (
      name: "commandTimeoutMs" | "reloadTimeoutMs" | "finishMs" | "settleMs",
      fallback: number,
    ): number => check.milliseconds(name, options[name], fallback);
    this.#commandTimeoutMs = ms("commandTimeoutMs", 10_000);
    this.#reloadTimeoutMs = ms("reloadTimeoutMs", 5_000);
    this.#finishMs = ms("finishMs", 1_000);
    this.#settleMs = ms("settleMs", 1_000);
  }

  async apply(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    const text = this.#text(servers);
    if (text === this.#confirmed) return;
    this.#confirmed = undefined;
    const { restore } = await replaceFile(this.#file, text);
    let configuration = "";
    try {
      if (this.#test !== undefined)
        configuration = (await this.#run(this.#test, signal)).stdout;
    } catch (error) {
      // Whoever starts or reloads nginx now must find a file that it takes.
      await restore();
      throw error;
    }
    // From here on the file stays: a front that is down reads it when it starts.
    if (this.#options.pidFile === false) {
      await this.#run(this.#reload, signal);
      await delay(this.#settleMs, undefined, { signal });
    } else {
      const pidFile = await this.#findPidFile(configuration, signal);
      const reload = await NginxReload.watch({
        master: await readPid(pidFile),
        timeoutMs: this.#reloadTimeoutMs,
        finishMs: this.#finishMs,
        signal,
      });
      await this.#run(this.#reload, signal);
      await reload.done();
    }
    this.#confirmed = text;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #findPidFile(
    configuration: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { pidFile, prefix } = this.#options;
    if (typeof pidFile === "string") return pidFile;
    const said = pidDirective(configuration);
    if (said !== undefined && nodePath.isAbsolute(said)) return said;
    const version = (await this.#run([...this.#program, "-V"], signal)).stderr;
    const path = said ?? compiledPath(version, "pid-path") ?? "logs/nginx.pid";
    return inPrefix(path, prefix ?? compiledPath(version, "prefix"));
  }

  #run(
    command: readonly [string, ...string[]],
    signal: AbortSignal,
  ): Promise<CommandOutput> {
    return runCommand(command, { timeoutMs: this.#commandTimeoutMs, signal });
  }
}
