/** Opens the eye that a directory can have: by events, or by polling where that was asked for or events can't be had. */
import { systemErrorCode, messageOf } from "../errors.js";
import { openNativeEye } from "./eye.js";
import type { Eye, EyeListener, OpenEye } from "./eye.js";
import { createPoller } from "./poller.js";

/** Interval for directories whose events can't be had: slow enough for thousands of files. */
const FALLBACK_INTERVAL_MS = 300;

/** What `createEyeOpener` works with. */
export interface EyeOpenerOptions {
  /** Poll all directories at this interval. Default: by events. */
  readonly poll: number | undefined;
  /** Called once for each kind of failure. */
  readonly onError: (error: Error) => void;
  /** For tests. Default: `fs.watch`. */
  readonly openNative?: OpenEye;
}

const remedies = new Map<string, string>([
  [
    "ENOSPC",
    "The system's limit of watched files is used up. Raise it: `sudo sysctl fs.inotify.max_user_watches=524288` " +
      "(to keep it, write that setting to /etc/sysctl.d/60-inotify.conf)",
  ],
  [
    "EMFILE",
    "The system's limit of watchers or open files is used up. Raise it: `sudo sysctl fs.inotify.max_user_instances=1024` " +
      "and `ulimit -n 8192` (`sysctl fs.inotify.max_user_watches=524288` if watched files run out, too)",
  ],
]);

/** Says what can't be watched, why, what was done instead and what the user can do. */
function watchFailure(directory: string, cause: unknown): Error {
  const code = systemErrorCode(cause);
  const remedy = remedies.get(code ?? "");
  return new Error(
    `Can't get events for ${directory} (${messageOf(cause)}): it is looked at every ${FALLBACK_INTERVAL_MS} ms instead, ` +
      `which is slower. ${remedy ?? "Use --poll if this file system has no events"}.`,
    { cause },
  );
}

/** Makes the function that opens eyes; it returns `undefined` when the directory has just vanished. */
export function createEyeOpener(
  options: EyeOpenerOptions,
): (
  directory: string,
  names: readonly string[],
  listener: EyeListener,
) => Eye | undefined {
  const openNative = options.openNative ?? openNativeEye;
  const openPolling = createPoller(options.poll ?? FALLBACK_INTERVAL_MS);
  const withoutEvents = new Set<string>();
  const reported = new Set<string>();

  function report(directory: string, cause: unknown): void {
    const kind = systemErrorCode(cause) ?? messageOf(cause);
    if (reported.has(kind)) return;
    reported.add(kind);
    options.onError(watchFailure(directory, cause));
  }

  return (directory, names, listener) => {
    if (options.poll === undefined && !withoutEvents.has(directory)) {
      try {
        return openNative(directory, names, {
          hint: listener.hint,
          broken: (error) => {
            // Windows reports the end of the directory itself as EPERM.
            if (systemErrorCode(error) !== "EPERM") {
              withoutEvents.add(directory);
              report(directory, error);
            }
            listener.broken(error);
          },
        });
      } catch (error) {
        const code = systemErrorCode(error);
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        withoutEvents.add(directory);
        report(directory, error);
      }
    }
    return openPolling(directory, names, listener);
  };
}
