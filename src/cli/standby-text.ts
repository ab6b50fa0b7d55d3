/** What is told of standbys. Pure. */
import type { StandbyEvent } from "../pool/types.js";
import { mebibytes, milliseconds, plural } from "./format.js";

/** @param short - a path as it is shown */
export function standbyText(
  event: StandbyEvent,
  short: (path: string) => string,
): string {
  switch (event.kind) {
    case "forked":
      return `standby (pid ${event.pid}) forked`;
    case "ready": {
      const { pid, evaluated, stoppedBy, rssBytes, bootMs } = event;
      const end = stoppedBy === undefined ? "" : ` up to ${short(stoppedBy)}`;
      return `standby (pid ${pid}) ready after ${milliseconds(bootMs)}: ${plural(evaluated, "module")} evaluated${end}, ${mebibytes(rssBytes)}`;
    }
    case "discarded":
      return `standby (pid ${event.pid}) discarded: ${event.reason}`;
    case "barred":
      return `${short(event.path)} isn't evaluated ahead: it ${event.reason}`;
  }
}
