/** What people are told of standbys and steps, each in a line. Pure. */
import type { StandbyEvent } from "../pool/types.js";
import type { StepEvent } from "../steps/types.js";
import { mebibytes, milliseconds, plural } from "./format.js";

/** @param short - a path as it's shown */
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

/** With what the step wrote, if it's done; why it failed is told with its reload. */
export function stepText(
  event: StepEvent,
  short: (path: string) => string,
): string {
  const name = `step \`${event.command}\``;
  switch (event.kind) {
    case "started": {
      const [first] = event.changed;
      const more = event.changed.length - 1;
      const others = more > 0 ? ` +${more}` : "";
      return first === undefined
        ? `${name} started`
        : `${name} started for ${short(first)}${others}`;
    }
    case "done": {
      const made =
        event.made.length === 0
          ? "made nothing new"
          : `made ${event.made.map(short).join(", ")}`;
      const said = event.output === "" ? "" : `\n${event.output}`;
      return `${name} ${made} in ${milliseconds(event.ms)}${said}`;
    }
    case "failed":
      return `${name} failed after ${milliseconds(event.ms)}`;
    case "cancelled":
      return `${name} cancelled after ${milliseconds(event.ms)}`;
  }
}
