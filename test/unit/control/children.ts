/** Processes that open control sockets, and can be killed. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { expect, onTestFinished } from "vitest";
import { deferred } from "./harness.js";
import type { Deferred } from "./harness.js";
import type { Order, Report } from "./place-child.js";

/** A process that opens sockets: it is told one thing after the other, and reports on each. */
export class Child {
  readonly process: ChildProcess;
  #report: Deferred<Report> = deferred<Report>();

  constructor(script: string) {
    this.process = fork(script, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.process.on("message", (report: Report) =>
      this.#report.resolve(report),
    );
    this.process.on("exit", (code, signal) =>
      this.#report.resolve({
        kind: "refused",
        code: "ended",
        message: String(code ?? signal),
      }),
    );
    onTestFinished(async () => {
      await this.kill();
    });
  }

  /** The first report. */
  get online(): Promise<Report> {
    return this.#report.promise;
  }

  /** The next report, whatever brings it about. */
  next(): Promise<Report> {
    this.#report = deferred<Report>();
    return this.#report.promise;
  }

  async tell(order: Order): Promise<Report> {
    const reported = this.next();
    this.process.send(order);
    return await reported;
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null)
      return;
    const exit = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exit;
  }
}

/**
 * A function that starts such processes.
 *
 * @param directory - the program is put there
 */
export function children(directory: string): () => Promise<Child> {
  const script = path.join(directory, "child.mjs");
  buildSync({
    entryPoints: [fileURLToPath(new URL("./place-child.ts", import.meta.url))],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  return async () => {
    const child = new Child(script);
    expect(await child.online).toEqual({ kind: "online" });
    return child;
  };
}
