/** The master's view of the front, of there being none, and of external fronts. */
import type { Front, FrontTarget } from "./front/types.js";
import type { ServingProcess, Traffic } from "./master/types.js";
import type { UpstreamKeepers } from "./upstream/keep-all.js";
import type { UpstreamServer } from "./upstream/types.js";

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
        front.admit(target, retiring?.id);
        return;
      }
      if (retiring !== undefined) void front.drain(retiring.id);
      front.setOutage({
        title:
          "The app's server speaks something other than HTTP/1.1 (a net or http2 server): it is reached on the workers' own ports.",
      });
    },
    firstAnswer: (process) => front.firstAnswer(process.id),
    expose: () => undefined,
    withdraw: () => Promise.resolve(),
    drain: (process) => front.drain(process.id),
    remove: (process) => front.remove(process.id),
    load: (process) =>
      front.stats().targets.find(({ id }) => id === process.id),
  };
}

/** Without a front, requests come through the workers' own ports alone. */
export const noTraffic: Traffic = {
  connect: () => Promise.resolve(),
  admit: () => undefined,
  firstAnswer: () => Promise.resolve(),
  expose: () => undefined,
  withdraw: () => Promise.resolve(),
  drain: () => Promise.resolve(),
  remove: () => undefined,
  load: () => undefined,
};

/**
 * External fronts know a worker from the moment its port answers until it is about to leave: that it has no process for a
 * moment, or another one, doesn't matter to them, because its port stays.
 *
 * @param serverOf - where a worker listens
 */
export function upstreamTraffic(
  traffic: Traffic,
  keepers: UpstreamKeepers,
  serverOf: (worker: number) => UpstreamServer | undefined,
): Traffic {
  const exposed = new Map<number, UpstreamServer>();
  const tell = async (): Promise<void> => {
    const servers = [...exposed.values()];
    // What isn't confirmed was warned of; nobody waits for a front that is down.
    await keepers.set(servers.sort((a, b) => a.worker - b.worker));
  };
  return {
    ...traffic,
    expose(worker) {
      const server = serverOf(worker);
      if (server === undefined || exposed.has(worker)) return;
      exposed.set(worker, server);
      void tell();
    },
    async withdraw(workers) {
      for (const worker of workers) exposed.delete(worker);
      await tell();
    },
  };
}
