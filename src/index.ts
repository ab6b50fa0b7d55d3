/**
 * prefork-dev as a library: the same things that the command does, by ordinary
 * calls. Importing it has no side effects.
 *
 * @packageDocumentation
 */
export { defineProject, directory, file } from "./manifest/define-project.js";
export type {
  DirectoryOptions,
  FileOptions,
} from "./manifest/define-project.js";
export {
  findProject,
  loadProject,
  loadProjects,
} from "./manifest/load-project.js";
export type {
  FindProjectOptions,
  LoadProjectOptions,
} from "./manifest/load-project.js";
export type {
  CommandStep,
  FunctionStep,
  ProjectConfig,
  ResolvedProject,
  ResolvedSource,
  ResolvedStep,
  SourceDirectory,
  SourceEntry,
  SourceFile,
  SourceStep,
  StepContext,
  StepOptions,
  SourceGlob,
} from "./manifest/types.js";
export type { ServerConfig } from "./manifest/server-config.js";
export { openProject } from "./open-project.js";
export { Project } from "./loaded-project.js";
export type { LoadOptions } from "./loaded-project.js";
export { ChangeWatch } from "./change-watch.js";
export type { ChangedFiles } from "./change-watch.js";
export type { ListedSource } from "./listed-sources.js";
export type {
  LoadedSource,
  LoadReason,
  SourceExports,
} from "./loader/types.js";
export { createServer } from "./create-server.js";
export { DevServer } from "./dev-server.js";
export type { WatchOptions } from "./source-watch.js";
export type { StepEvent, StepName, StepStatus } from "./steps/types.js";
export type { ServerOptions } from "./server-options.js";
export type {
  ReloadFailure,
  ReloadOutcome,
  ServerAddress,
  ServerEvents,
  FrontStatus,
  ServedWorkerStatus,
  ServerStatus,
  WorkerTraffic,
  StepTimes,
} from "./server-events.js";
export type {
  EndReason,
  ProcessEvent,
  ProcessIdentity,
  RestartOutcome,
  ScaleOutcome,
  StartReason,
  WorkerEvent,
  WorkerStatus,
} from "./master/types.js";
export { WorkerHandle } from "./worker-handle.js";
export { mixin } from "./commands/references.js";
export type { MixinReference, MixinSource } from "./commands/references.js";
export { Worker } from "./commands/worker.js";
export type {
  Mixin,
  MixinModule,
  WorkerConstructor,
  WorkerIdentity,
} from "./commands/worker.js";
export type {
  AnyCommands,
  BaseCommands,
  CommandArguments,
  CommandName,
  CommandOutcome,
  CommandResult,
  CommandsOf,
} from "./commands/commands-of.js";
export type {
  OutputLine,
  StandbyDepth,
  StandbyEvent,
  StandbyStatus,
} from "./pool/types.js";
export type { CertificateInfo } from "./certificates/types.js";
export type { AllowedHosts, Consistency, TrustProxy } from "./front/types.js";
export type { RefusalReason } from "./front/numbers/types.js";
export type { IoEvent, IoHandler } from "./mechanisms/io-calls.js";
export type { IoSource } from "./mechanisms/io-sources.js";
export type { OutputTarget } from "./mechanisms/output-target.js";
export { defaultSignals, installSignals } from "./mechanisms/signals.js";
export type {
  SignalAction,
  SignalHandler,
  SignalMap,
  SignalOptions,
  SignalTarget,
} from "./mechanisms/signals.js";
export { serviceManager } from "./mechanisms/service-manager.js";
export type {
  ServiceManager,
  ServiceManagerOptions,
} from "./mechanisms/service-manager.js";
export { ControlClient } from "./control/control-client.js";
export { findControlSocket } from "./control/find-control-socket.js";
export type { CallOptions } from "./control/ask.js";
export type { Surroundings } from "./control/control-path.js";
export type {
  CommandRequest,
  ControlEvent,
  ReloadAnswer,
  ScaleRequest,
} from "./control/types.js";
export { fileUpstream } from "./upstream/file.js";
export type { FileUpstreamOptions } from "./upstream/file.js";
export { haproxyUpstream } from "./upstream/haproxy.js";
export type { HaproxyUpstreamOptions } from "./upstream/haproxy.js";
export { nginxUpstream } from "./upstream/nginx.js";
export type { NginxUpstreamOptions } from "./upstream/nginx.js";
export type {
  Upstream,
  UpstreamServer,
  UpstreamStatus,
} from "./upstream/types.js";
export type { Diagnostic } from "./diagnostic.js";
export { errorCodes, PreforkError } from "./errors.js";
export type { ErrorCode } from "./errors.js";
