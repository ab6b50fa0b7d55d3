/** What people see: a block at the start, a line per roll, each error once. */
import { relative } from "node:path";
import type { Writable } from "node:stream";
import pc from "picocolors";
import type { CertificateInfo } from "../certificates/types.js";
import { messageOf } from "../errors.js";
import type { ResolvedProject } from "../manifest/types.js";
import type { ProcessEvent, WorkerEvent } from "../master/types.js";
import type { OutputLine, StandbyEvent } from "../pool/types.js";
import type {
  ReloadFailure,
  ReloadOutcome,
  ServerAddress,
  ServerStatus,
} from "../server-events.js";
import type { StepEvent } from "../steps/types.js";
import { standbyText, stepText } from "./event-text.js";
import {
  certificateText,
  diagnosticText,
  milliseconds,
  plural,
  portRange,
  stepsText,
  undeclaredText,
} from "./format.js";
import type { Reporter } from "./reporter.js";

export interface TerminalReporterOptions {
  readonly version: string;
  readonly detail: "quiet" | "normal" | "verbose";
  readonly isWatching: boolean;
  /** Paths are shown relative to it. */
  readonly cwd: string;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

type Died = Extract<ProcessEvent, { kind: "died" }>;

export class TerminalReporter implements Reporter {
  readonly #options: TerminalReporterOptions;
  #isUp = false;
  /** The last failure told, so that retries don't repeat it. */
  #told = "";

  constructor(options: TerminalReporterOptions) {
    this.#options = options;
  }

  listening(project: ResolvedProject, address: ServerAddress): void {
    const target = this.#short(project.manifest ?? project.entry);
    const { certificate } = address;
    const ports = portRange(address.workers.map(({ port }) => port));
    this.#say(
      "",
      `  ${pc.bold(pc.cyan("prefork-dev"))} ${pc.dim(this.#options.version)}  ${project.name} ${pc.dim(target)}`,
      "",
      `  ${pc.green("➜")}  ${pc.bold(address.url)}`,
      ...(certificate ? [`     ${pc.dim(certificateText(certificate))}`] : []),
      `     ${pc.dim(`${plural(address.workers.length, "worker")} on ${ports}`)}`,
      "",
    );
  }

  certificate(info: CertificateInfo): void {
    this.#say(certificateText(info));
  }

  reload(outcome: ReloadOutcome, status: ServerStatus): void {
    switch (outcome.kind) {
      case "done":
        this.#done(outcome, status);
        return;
      case "failed":
        this.#failed(outcome);
        return;
      case "superseded":
        this.#detail(
          outcome.generation === undefined
            ? "a step was cancelled by a newer save"
            : `generation ${outcome.generation} superseded by a newer save`,
        );
        return;
      case "unchanged":
        this.#detail("changed files concern no source");
        return;
      case "stopped":
    }
  }

  #done(
    outcome: Extract<ReloadOutcome, { kind: "done" }>,
    status: ServerStatus,
  ): void {
    this.#told = "";
    const { changed, closure, compileMs, firstMs, allMs, generation } = outcome;
    const times = `compiled ${milliseconds(compileMs)}, first worker ${milliseconds(firstMs)}, all ${status.workers.length} ${milliseconds(allMs)}`;
    if (!this.#isUp) {
      this.#isUp = true;
      const sources = plural(status.sources, "source");
      const what = this.#options.isWatching ? `watching ${sources}` : sources;
      this.#say(`${this.#clock()} ready, ${what}: ${times}`);
      return;
    }
    const [first] = changed;
    const more = changed.length > 1 ? ` +${changed.length - 1}` : "";
    const what =
      first === undefined ? "reloaded" : `${this.#short(first)}${more}`;
    const size =
      closure.length > 0
        ? pc.dim(` (reloads ${plural(closure.length, "source")})`)
        : "";
    this.#say(
      `${this.#clock()} ${pc.green("✓")} ${what}${size}  ${times}  ${pc.dim(`generation ${generation}`)}`,
    );
    this.#detail(`  ${stepsText(outcome)}`);
    for (const path of closure) this.#detail(`  ${this.#short(path)}`);
  }

  #failed({
    phase,
    diagnostics,
    serving,
    repeated,
    changed,
  }: ReloadFailure): void {
    if (repeated) return;
    const heading = {
      project: "The project can't be loaded",
      compile: "Compile error",
      boot: "The new code doesn't start",
    }[phase];
    const [first] = changed;
    const cause =
      first === undefined
        ? ""
        : pc.dim(` after a change of ${this.#short(first)}`);
    const consequence =
      serving === undefined
        ? "requests wait until it's mended"
        : `generation ${serving} serves on`;
    const texts = diagnostics.map((diagnostic) =>
      diagnosticText(diagnostic, this.#options.cwd),
    );
    this.#told = diagnostics[0]?.message ?? "";
    this.#error(
      `${this.#clock()} ${pc.red("✗")} ${pc.bold(heading)}${cause} ${pc.dim(`— ${consequence}`)}`,
      ...texts,
    );
  }

  unreloaded(paths: readonly string[]): void {
    const names = paths.map((path) => this.#short(path)).join(", ");
    this.#detail(`${names} changed: the manifest says reload: false`);
  }

  undeclared(
    paths: readonly string[],
    { manifest = "" }: ResolvedProject,
  ): void {
    const names = paths.map((path) => this.#short(path));
    this.warning(undeclaredText(names, this.#short(manifest)));
  }

  watching(): void {
    this.#detail("watching");
  }

  worker({ kind, worker, port }: WorkerEvent): void {
    // At the start and at the end there's no need to tell each.
    if (this.#isUp)
      this.#say(`${this.#clock()} worker ${worker} ${kind}, port ${port}`);
  }

  process(event: ProcessEvent): void {
    const who = `worker ${event.worker} (pid ${event.pid}, generation ${event.generation})`;
    switch (event.kind) {
      case "activated":
        this.#detail(`${who} was a standby`);
        return;
      case "ready":
        this.#detail(
          `${who} listens on port ${event.port} after ${milliseconds(event.bootMs)}`,
        );
        return;
      case "forked":
      case "draining":
      case "stopped":
        this.#detail(`${who} ${event.kind} (${event.reason})`);
        return;
      case "hung": {
        const next = event.isReplaced ? ", replacing it" : "";
        this.warning(
          `worker ${event.worker} (pid ${event.pid}) doesn't answer: its event loop has been blocked for ${milliseconds(event.silentMs)}${next}`,
        );
        return;
      }
      case "responsive":
        this.warning(
          `worker ${event.worker} (pid ${event.pid}) answers again, after ${milliseconds(event.silentMs)}`,
        );
        return;
      case "died": {
        const how =
          event.signal === null
            ? `exited with code ${event.code ?? 0}`
            : `was killed by ${event.signal}`;
        const next =
          event.backoffMs > 0
            ? `, next try in ${milliseconds(event.backoffMs)}`
            : ", replacing it";
        const message = event.diagnostic?.message ?? how;
        // A crash loop is told once.
        if (message === this.#told) return;
        if (event.backoffMs > 0) this.#told = message;
        this.#error(
          `${this.#clock()} ${pc.red("✗")} ${pc.bold(`Worker ${event.worker} ${how}`)}${pc.dim(next)}`,
          ...this.#causeOf(event),
        );
        return;
      }
      case "boot-failed":
        // The canary's failure is told with its reload; others are told once.
        if (
          event.retryMs === undefined ||
          event.diagnostic.message === this.#told
        )
          return;
        this.#told = event.diagnostic.message;
        this.#error(
          `${this.#clock()} ${pc.red("✗")} ${pc.bold(`Worker ${event.worker} doesn't start`)}${pc.dim(`, next try in ${milliseconds(event.retryMs)}`)}`,
          diagnosticText(event.diagnostic, this.#options.cwd),
        );
    }
  }

  /** What is known of a death; of the first one the process's own last words stand above. */
  #causeOf({ diagnostic, lastWords, backoffMs }: Died): string[] {
    if (diagnostic !== undefined)
      return [diagnosticText(diagnostic, this.#options.cwd)];
    return backoffMs > 0 ? lastWords.map((line) => pc.dim(`  ${line}`)) : [];
  }

  standby(event: StandbyEvent): void {
    this.#detail(standbyText(event, (path) => this.#short(path)));
  }

  step(event: StepEvent): void {
    this.#detail(stepText(event, (path) => this.#short(path)));
  }

  output({ worker, stream, line }: OutputLine): void {
    const out =
      stream === "stdout" ? this.#options.stdout : this.#options.stderr;
    out.write(`${pc.dim(`[${worker}]`)} ${line}\n`);
  }

  warning(message: string): void {
    this.#error(`${this.#clock()} ${pc.yellow("!")} ${message}`);
  }

  stopping(): void {
    this.#isUp = false;
    this.#say(
      `${this.#clock()} stopping, requests in hand are finished ${pc.dim("(again to force)")}`,
    );
  }

  stopped(): void {
    this.#detail("stopped");
  }

  fatal(error: unknown): void {
    this.#error(`${pc.red("✗")} ${messageOf(error)}`);
  }

  #short(path: string): string {
    const short = relative(this.#options.cwd, path);
    return short.startsWith("..") ? path : short;
  }

  #clock(): string {
    return pc.dim(new Date().toLocaleTimeString("en-GB"));
  }

  #say(...lines: string[]): void {
    if (this.#options.detail !== "quiet")
      this.#options.stdout.write(`${lines.join("\n")}\n`);
  }

  #detail(line: string): void {
    if (this.#options.detail === "verbose")
      this.#options.stdout.write(`${this.#clock()} ${pc.dim(line)}\n`);
  }

  #error(...lines: string[]): void {
    this.#options.stderr.write(`${lines.join("\n")}\n`);
  }
}
