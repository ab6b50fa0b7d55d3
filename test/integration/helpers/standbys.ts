/** What tests of standbys wait for and count in the log. */
import type { Cli } from "./cli.js";
import type { LogLine } from "./log.js";

/** The next line about a standby, counted from a line of the log. */
export function standbyEvent(
  cli: Cli,
  what: "forked" | "ready" | "discarded" | "barred",
  from = 0,
  fits: (line: LogLine) => boolean = () => true,
): Promise<LogLine> {
  return cli.waitFor(
    `a standby that is ${what}`,
    (line) =>
      line["event"] === "standby" && line["what"] === what && fits(line),
    { from },
  );
}

/** The lines of a kind so far, from a line of the log on. */
export function linesOf(
  cli: Cli,
  event: "standby" | "process" | "output",
  what?: string,
  from = 0,
): LogLine[] {
  return cli.lines
    .slice(from)
    .filter(
      (line) =>
        line["event"] === event &&
        (what === undefined || line["what"] === what),
    );
}

/** How many standbys there were at a time, by the log. */
export interface StandbyCounts {
  /** At most so many that lived … */
  readonly most: number;
  /** … and so many that weren't ready yet. */
  readonly mostPrepared: number;
  readonly forked: number;
}

/** Counts them; one that was activated isn't one any more. */
export function countStandbys(cli: Cli): StandbyCounts {
  const alive = new Map<unknown, "prepared" | "ready">();
  let forked = 0;
  let most = 0;
  let mostPrepared = 0;
  for (const { event, what, pid } of cli.lines) {
    if (event === "process" && what === "activated") alive.delete(pid);
    if (event !== "standby") continue;
    if (what === "forked") {
      forked++;
      alive.set(pid, "prepared");
    }
    if (what === "ready") alive.set(pid, "ready");
    if (what === "discarded") alive.delete(pid);
    const prepared = [...alive.values()].filter((each) => each === "prepared");
    most = Math.max(most, alive.size);
    mostPrepared = Math.max(mostPrepared, prepared.length);
  }
  return { most, mostPrepared, forked };
}
