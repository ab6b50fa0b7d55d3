/** What signals do to the command: DESIGN section 5, as far as it's built. */
import process from "node:process";
import type { DevServer } from "../dev-server.js";
import type { Reporter } from "./reporter.js";

/**
 * Ctrl-C under `npm start` arrives twice: from the terminal and relayed by npm.
 * A person is slower than this, in milliseconds.
 */
const RELAYED_WITHIN_MS = 250;

const EXIT_SIGNAL_BASE = 128;
const SIGINT = 2;
const SIGQUIT = 3;

/** HUP reloads, TERM and the first INT stop, the second INT and QUIT end at once. */
export function installSignals(server: DevServer, reporter: Reporter): void {
  let firstAt: number | undefined;
  let exitCode = 0;
  const exit = (): void => {
    reporter.stopped();
    process.exit(exitCode);
  };
  const stop = (): void => {
    firstAt = performance.now();
    reporter.stopping();
    void server.stop().then(exit);
  };
  const force = (signal: number): void => {
    exitCode = EXIT_SIGNAL_BASE + signal;
    void server.kill().then(exit);
  };
  process.on("SIGHUP", () => {
    // Once it's stopping there is nothing to reload, and nobody to tell.
    server.reload().catch(() => undefined);
  });
  process.on("SIGTERM", () => {
    if (firstAt === undefined) stop();
  });
  process.on("SIGINT", () => {
    if (firstAt === undefined) stop();
    else if (performance.now() - firstAt > RELAYED_WITHIN_MS) force(SIGINT);
  });
  process.on("SIGQUIT", () => force(SIGQUIT));
}
