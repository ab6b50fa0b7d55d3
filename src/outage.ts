/** What the front tells clients while nothing is ready: what went wrong last. Part of the composition root. */
import type { Diagnostic } from "./diagnostic.js";
import type { Front, Outage } from "./front/types.js";
import type { ProcessEvent } from "./master/types.js";
import type { ReloadFailure } from "./server-events.js";

/** A reload that failed while no generation served. */
export function outageOfReload(
  phase: ReloadFailure["phase"],
  diagnostics: readonly Diagnostic[],
): Outage {
  return { title: TITLES[phase], diagnostics };
}

const TITLES: Readonly<Record<ReloadFailure["phase"], string>> = {
  project: "The project can't be read.",
  compile: "The code can't be compiled.",
  boot: "The app didn't start.",
};

/** Takes note of what happens to processes. */
export function noteOutage(
  front: Pick<Front, "setOutage" | "stats">,
  event: ProcessEvent,
): void {
  if (event.kind === "died") front.setOutage(outageOfDeath(event));
  if (event.kind !== "boot-failed") return;
  // While others serve it's no outage, and what they'd die of later is another matter.
  const { targets } = front.stats();
  if (targets.some(({ state }) => state === "admitted")) return;
  front.setOutage(outageOfReload("boot", [event.diagnostic]));
}

function outageOfDeath({
  worker,
  code,
  signal,
  diagnostic,
  lastWords,
}: Extract<ProcessEvent, { kind: "died" }>): Outage {
  const how =
    signal === null ? `with code ${code ?? "unknown"}` : `by ${signal}`;
  return {
    title: `Worker ${worker} has ended ${how}.`,
    diagnostics: diagnostic === undefined ? [] : [diagnostic],
    lastWords,
  };
}
