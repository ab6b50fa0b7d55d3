/**
 * What a server has only when it's asked for, beside its parts: pid file, output, control socket. Opened and
 * closed by `dev-server.ts`.
 */
import { controlSocketPath } from "./control/control-path.js";
import { openControlSocket } from "./control/control-server.js";
import type { ControlHandlers, ControlSocket } from "./control/types.js";
import { messageOf, PreforkError } from "./errors.js";
import { targetOf } from "./manifest/choose.js";
import type { ResolvedProject } from "./manifest/types.js";
import { OutputSink } from "./mechanisms/output-sink.js";
import { writePidFile } from "./mechanisms/pid-file.js";
import type { PidFile } from "./mechanisms/pid-file.js";
import type { Guard } from "./pool/guard.js";
import type { OutputLine } from "./pool/types.js";
import type { ResolvedServerOptions } from "./server-options.js";

export class Mechanisms {
  readonly #options: ResolvedServerOptions;
  readonly #onWarning: (message: string) => void;
  #output: OutputSink | undefined;
  #pidFile: PidFile | undefined;
  #control: ControlSocket | undefined;

  constructor(
    options: ResolvedServerOptions,
    onWarning: (message: string) => void,
  ) {
    this.#options = options;
    this.#onWarning = onWarning;
  }

  /**
   * What must be there before anything else: whether this server may run is known then.
   *
   * @throws PreforkError `ERR_PREFORK_PID_FILE`, `ERR_PREFORK_OPTION`
   */
  async open(): Promise<void> {
    const { output, pidFile } = this.#options;
    if (pidFile !== undefined) this.#pidFile = await writePidFile(pidFile);
    if (output !== undefined)
      this.#output = new OutputSink({
        target: output,
        onWarning: this.#onWarning,
      });
  }

  /**
   * Once there is something to control.
   *
   * @throws PreforkError `ERR_PREFORK_CONTROL`; `ERR_PREFORK_CONTROL_IN_USE` if the path was given
   */
  async control(
    project: ResolvedProject,
    handlers: ControlHandlers,
  ): Promise<void> {
    const { control } = this.#options;
    if (control === false) return;
    try {
      this.#control = await openControlSocket({
        path:
          control === true
            ? controlSocketPath(project.root, targetOf(project))
            : control,
        handlers,
        onError: (error) =>
          this.#onWarning(`control socket: ${messageOf(error)}`),
      });
    } catch (error) {
      // The same project may well run twice, on other ports; the sub-commands are for the first one then.
      const isTaken =
        error instanceof PreforkError &&
        error.code === "ERR_PREFORK_CONTROL_IN_USE";
      if (control !== true || !isTaken) throw error;
      this.#onWarning(error.message);
    }
  }

  /** For the case that the server is killed: what is to be removed then. */
  entrust(guard: Guard): void {
    if (this.#pidFile !== undefined) guard.own([this.#pidFile.path]);
    const { files = [], directories } = this.#control?.remains ?? {};
    guard.own(files, directories);
  }

  /** Passes on what a worker wrote. */
  write({ worker, line }: OutputLine): void {
    this.#output?.write(`[${worker}] ${line}`);
  }

  /**
   * Opens the output anew.
   *
   * @throws PreforkError `ERR_PREFORK_OUTPUT` when it can't be opened; the old one stays in use
   */
  async reopenLogs(): Promise<void> {
    await this.#output?.reopen();
  }

  /** Gives everything back. Last of all, and also after an {@link Mechanisms.open} that failed. */
  async close(): Promise<void> {
    await this.#control?.close();
    await this.#output?.close();
    try {
      await this.#pidFile?.remove();
    } catch (error) {
      this.#onWarning(messageOf(error));
    }
  }
}
