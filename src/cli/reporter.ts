/** What a reporter is told. Types only; `create-reporter.ts` makes one. */
import type { CertificateInfo } from "../certificates/types.js";
import type { ProcessEvent, WorkerEvent } from "../master/types.js";
import type { ResolvedProject } from "../manifest/types.js";
import type { OutputLine, StandbyEvent } from "../pool/types.js";
import type {
  ReloadOutcome,
  ServerAddress,
  ServerStatus,
} from "../server-events.js";
import type { StepEvent } from "../steps/types.js";

/** Everything there is to tell, in the order it can happen. */
export interface Reporter {
  listening(project: ResolvedProject, address: ServerAddress): void;
  /** A reload has ended; the first one is the start. */
  reload(outcome: ReloadOutcome, status: ServerStatus): void;
  /** The front has another certificate. */
  certificate(info: CertificateInfo): void;
  /** Sources were changed that never reload. */
  unreloaded(paths: readonly string[]): void;
  /** Sources are loaded that the manifest doesn't list. */
  undeclared(paths: readonly string[], project: ResolvedProject): void;
  /** From now on every change is seen. */
  watching(): void;
  worker(event: WorkerEvent): void;
  process(event: ProcessEvent): void;
  standby(event: StandbyEvent): void;
  /** A step of the manifest ran. */
  step(event: StepEvent): void;
  output(line: OutputLine): void;
  warning(message: string): void;
  stopping(): void;
  stopped(): void;
  /** It could not start. */
  fatal(error: unknown): void;
}
