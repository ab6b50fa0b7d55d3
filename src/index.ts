/**
 * prefork-dev as a library: the same things that the command does, by ordinary
 * calls. Importing it has no side effects.
 *
 * @packageDocumentation
 */
export { defineProject } from "./manifest/define-project.js";
export { loadProject } from "./manifest/load-project.js";
export type { LoadProjectOptions } from "./manifest/load-project.js";
export type {
  ProjectConfig,
  ResolvedProject,
  ResolvedSource,
  SourceDirectory,
  SourceEntry,
  SourceFile,
} from "./manifest/types.js";
export { createServer, DevServer } from "./dev-server.js";
export type { WatchOptions } from "./dev-server.js";
export type { ServerOptions } from "./server-options.js";
export type {
  ReloadFailure,
  ReloadOutcome,
  ServerAddress,
  ServerEvents,
  ServerStatus,
  StepTimes,
} from "./server-events.js";
export type { ProcessEvent, WorkerStatus } from "./master/types.js";
export type {
  OutputLine,
  StandbyDepth,
  StandbyEvent,
  StandbyStatus,
} from "./pool/types.js";
export type { Consistency } from "./front/types.js";
export type { Diagnostic } from "./diagnostic.js";
export { errorCodes, PreforkError } from "./errors.js";
export type { ErrorCode } from "./errors.js";
