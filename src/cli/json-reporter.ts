/** `--json`: one object per line, `event` says which, `time` is ISO 8601. */
import type { Writable } from "node:stream";
import type { CertificateInfo } from "../certificates/types.js";
import { PreforkError, messageOf } from "../errors.js";
import type { ResolvedProject } from "../manifest/types.js";
import type { ProcessEvent, WorkerEvent } from "../master/types.js";
import type { OutputLine, StandbyEvent } from "../pool/types.js";
import type {
  ReloadOutcome,
  ServerAddress,
  ServerStatus,
} from "../server-events.js";
import type { StepEvent } from "../steps/types.js";
import type { Reporter } from "./reporter.js";

export class JsonReporter implements Reporter {
  readonly #version: string;
  readonly #stdout: Writable;

  constructor(version: string, stdout: Writable) {
    this.#version = version;
    this.#stdout = stdout;
  }

  #write(event: string, fields: object = {}): void {
    const time = new Date().toISOString();
    this.#stdout.write(`${JSON.stringify({ time, event, ...fields })}\n`);
  }

  listening(project: ResolvedProject, address: ServerAddress): void {
    const { name, entry, manifest } = project;
    this.#write("listening", {
      version: this.#version,
      name,
      entry,
      manifest,
      ...address,
    });
  }

  reload(outcome: ReloadOutcome, status: ServerStatus): void {
    const { kind: result, ...fields } = outcome;
    this.#write("reload", {
      outcome: result,
      ...fields,
      sources: status.sources,
    });
  }

  certificate(info: CertificateInfo): void {
    this.#write("certificate", info);
  }

  unreloaded(paths: readonly string[]): void {
    this.#write("unreloaded", { paths });
  }

  undeclared(paths: readonly string[]): void {
    this.#write("undeclared", { paths });
  }

  watching(): void {
    this.#write("watching");
  }

  worker({ kind: what, ...fields }: WorkerEvent): void {
    this.#write("worker", { what, ...fields });
  }

  process({ kind: what, ...fields }: ProcessEvent): void {
    this.#write("process", { what, ...fields });
  }

  standby({ kind: what, ...fields }: StandbyEvent): void {
    this.#write("standby", { what, ...fields });
  }

  step({ kind: what, ...fields }: StepEvent): void {
    this.#write("step", { what, ...fields });
  }

  output(line: OutputLine): void {
    this.#write("output", line);
  }

  warning(message: string): void {
    this.#write("warning", { message });
  }

  stopping(): void {
    this.#write("stopping");
  }

  stopped(): void {
    this.#write("stopped");
  }

  fatal(error: unknown): void {
    const code = error instanceof PreforkError ? error.code : undefined;
    this.#write("fatal", { code, message: messageOf(error) });
  }
}
