/** HAProxy: servers of a backend, changed through its runtime API, and a configuration file for when it starts again. */
import nodePath from "node:path";
import { PreforkError } from "../errors.js";
import { hostAndPort } from "./address.js";
import { replaceFile } from "./atomic-file.js";
import { HaproxyApi } from "./haproxy-api.js";
import { haproxyConfig } from "./haproxy-config.js";
import { planHaproxy, serverName } from "./haproxy-state.js";
import * as check from "./options.js";
import { runCommand } from "./run-command.js";
import type { Upstream, UpstreamServer } from "./types.js";

/** What {@link haproxyUpstream} takes. */
export interface HaproxyUpstreamOptions {
  /** The path of HAProxy's `stats socket`, which must have `level admin`. */
  readonly socket: string;
  /** The name of the backend. Servers in it whose names begin with `worker-<number>_` are the workers; others are left alone. Default `app`. */
  readonly backend?: string;
  /**
   * A file for HAProxy's next start, to be given to it as a further `-f`: it holds the backend, which must stand nowhere else then.
   * Default: none; an HAProxy that has started again has its workers back after `recheckMs`.
   */
  readonly configFile?: string;
  /** Lines of the backend in that file. Default `mode http`, `balance roundrobin`, `option http-server-close`. */
  readonly settings?: readonly string[];
  /** Parameters of each server, there and at run time, such as `maxconn 100`. Default: none. */
  readonly parameters?: string;
  /** Tests the configuration after that file was written, as `["haproxy", "-c", "-f", …]`; when it fails, the old file is put back. Default: not tested. */
  readonly test?: readonly string[];
  /** The longest that the test may take, in milliseconds; then it is killed. Default 10,000. */
  readonly commandTimeoutMs?: number;
  /** The longest that HAProxy may take for one command on its socket, in milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
  /**
   * How often it's looked whether HAProxy still has the workers, and those that left are deleted, in milliseconds; 0: only when
   * workers come or go. Default 2,000.
   */
  readonly recheckMs?: number;
}

/**
 * HAProxy 2.6 or newer in front of the workers. See docs/external-fronts.md for a configuration that works.
 *
 * @throws PreforkError `ERR_PREFORK_OPTION`
 */
export function haproxyUpstream(options: HaproxyUpstreamOptions): Upstream {
  return new Haproxy(options);
}

const SETTINGS = [
  "mode http",
  "balance roundrobin",
  "option http-server-close",
];

class Haproxy implements Upstream {
  readonly name = "HAProxy";
  readonly recheckMs: number;
  readonly #api: HaproxyApi;
  readonly #configFile: string | undefined;
  readonly #text: (servers: readonly UpstreamServer[]) => string;
  readonly #parameters: string;
  readonly #test: readonly [string, ...string[]] | undefined;
  readonly #commandTimeoutMs: number;
  /** What the file is known to hold. */
  #written: string | undefined;

  constructor(options: HaproxyUpstreamOptions) {
    const { configFile, parameters = "", test } = options;
    const backend = check.word("backend", options.backend ?? "app");
    const ms = (
      name: "timeoutMs" | "recheckMs" | "commandTimeoutMs",
      fallback: number,
    ): number => check.milliseconds(name, options[name], fallback);
    this.recheckMs = ms("recheckMs", 2_000);
    this.#commandTimeoutMs = ms("commandTimeoutMs", 10_000);
    this.#api = new HaproxyApi({
      socket: nodePath.resolve(check.path("socket", options.socket)),
      backend,
      timeoutMs: ms("timeoutMs", 2_000),
    });
    this.#configFile =
      configFile === undefined
        ? undefined
        : nodePath.resolve(check.path("configFile", configFile));
    this.#parameters = check.lines("parameters", [parameters]).join();
    this.#test = test === undefined ? undefined : check.command("test", test);
    const settings = check.lines("settings", options.settings ?? SETTINGS);
    const text = { backend, settings, parameters: this.#parameters };
    this.#text = (servers) => haproxyConfig(servers, text);
  }

  async apply(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    // Neither waits for the other: the file is right also while HAProxy is down, and a full disk keeps no request away.
    const results = await Promise.allSettled([
      this.#write(servers, signal),
      this.#change(servers, signal),
    ]);
    signal.throwIfAborted();
    for (const result of results)
      if (result.status === "rejected") throw result.reason;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #write(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    const text = this.#text(servers);
    if (this.#configFile === undefined || text === this.#written) return;
    this.#written = undefined;
    const { restore } = await replaceFile(this.#configFile, text);
    if (this.#test !== undefined) {
      try {
        const timeoutMs = this.#commandTimeoutMs;
        await runCommand(this.#test, { timeoutMs, signal });
      } catch (error) {
        await restore();
        throw error;
      }
    }
    this.#written = text;
  }

  async #change(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    const api = this.#api;
    const plan = planHaproxy(await api.servers(signal), servers);
    const isChanged =
      plan.add.length + plan.ready.length + plan.maintain.length > 0;
    if (isChanged) {
      // Who can't be added is no reason to go on sending requests to who leaves.
      const [added] = await Promise.allSettled([
        this.#addAll(plan.add, plan.ready, signal),
      ]);
      for (const name of plan.maintain)
        await api.setState(name, "maint", signal);
      if (added.status === "rejected") throw added.reason;
      await this.#confirm(servers, signal);
    }
    // Those with connections go at a later look: nobody has to wait for that.
    for (const name of plan.delete) await api.delete(name, signal);
  }

  async #addAll(
    servers: readonly UpstreamServer[],
    ready: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const server of servers) {
      const name = serverName(server);
      const address = hostAndPort(server);
      await this.#api.add(name, address, this.#parameters, signal);
      // https://docs.haproxy.org/2.6/management.html, "add server": checks of a server that was added are off.
      if (/(?:^|\s)check(?:\s|$)/.test(this.#parameters))
        await this.#api.enableHealth(name, signal);
    }
    for (const name of ready) await this.#api.setState(name, "ready", signal);
  }

  async #confirm(
    servers: readonly UpstreamServer[],
    signal: AbortSignal,
  ): Promise<void> {
    const now = planHaproxy(await this.#api.servers(signal), servers);
    const missing = now.ready;
    const others = now.maintain;
    if (missing.length + others.length === 0) return;
    throw new PreforkError(
      "ERR_PREFORK_UPSTREAM",
      `HAProxy took the changes and has others now (not ready: ${listed(missing)}; still ready: ${listed(others)}): ` +
        "does something else change this backend?",
    );
  }
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
