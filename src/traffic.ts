/** The master's view of the front, and of there being none. */
import type { Front, FrontTarget } from "./front/types.js";
import type { ServingProcess, Traffic } from "./master/types.js";

/** Leases and drains are the front's. */
export function frontTraffic(front: Front): Traffic {
  const targetOf = ({
    id,
    worker,
    generation,
    socketPath,
    protocol,
  }: ServingProcess): FrontTarget | undefined =>
    socketPath === undefined || protocol === "other"
      ? undefined
      : { id, worker, generation, socketPath, protocol };
  return {
    async connect(process) {
      const target = targetOf(process);
      if (target !== undefined) await front.connect(target);
    },
    admit(process, retiring) {
      const target = targetOf(process);
      if (target !== undefined) {
        front.setOutage(undefined);
        front.admit(target, retiring?.id);
        return;
      }
      if (retiring !== undefined) void front.drain(retiring.id);
      front.setOutage(
        "the app's server speaks something other than HTTP/1.1 (a net or http2 server); it is reached on the workers' own ports",
      );
    },
    drain: (process) => front.drain(process.id),
    remove: (process) => front.remove(process.id),
  };
}

/** Without a front, requests come through the workers' own ports alone. */
export const noTraffic: Traffic = {
  connect: () => Promise.resolve(),
  admit: () => undefined,
  drain: () => Promise.resolve(),
  remove: () => undefined,
};
