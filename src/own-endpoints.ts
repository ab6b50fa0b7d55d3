/** What the front's own endpoints show and do for a server. Part of the composition root. docs/front.md, "Security model". */
import type { OwnEndpoints } from "./front/types.js";
import type { ReloadOutcome, ServerStatus } from "./server-events.js";

/** What is asked of a server. A `DevServer` is one. */
interface AskedServer {
  status(): ServerStatus;
  reload(): Promise<ReloadOutcome>;
}

/** @param isWatching - without a watcher it's no development, and they aren't there */
export function ownEndpoints(
  server: AskedServer,
  isWatching: () => boolean,
): OwnEndpoints {
  return {
    isOpen: isWatching,
    status: () => publicStatus(server.status()),
    reload: async () => {
      const { kind } = await server.reload();
      return { outcome: kind };
    },
  };
}

/** The numbers of a status, without what says where anything is: paths, code, output. */
function publicStatus({
  generation,
  uptimeMs,
  workers,
  standbys,
  front,
  lastRoll,
}: ServerStatus): object {
  return {
    ...{ generation, uptimeMs, front },
    workers: workers.map(
      ({ index, state, generation: runs, draining, leases, traffic }) => ({
        ...{ index, state, generation: runs, draining, leases, traffic },
      }),
    ),
    standbys: standbys.map(({ state }) => ({ state })),
    lastRoll: lastRoll && { outcome: lastRoll.kind },
  };
}
