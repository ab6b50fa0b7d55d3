/** Several external fronts kept in step at a time. */
import { UpstreamKeeper } from "./keep-in-step.js";
import type { UpstreamKeeperOptions } from "./keep-in-step.js";
import type { Upstream, UpstreamServer, UpstreamStatus } from "./types.js";

export class UpstreamKeepers {
  readonly #keepers: readonly UpstreamKeeper[];

  /** @param options - for each of them, see {@link UpstreamKeeperOptions} */
  constructor(
    upstreams: readonly Upstream[],
    options: Omit<UpstreamKeeperOptions, "upstream">,
  ) {
    this.#keepers = upstreams.map(
      (upstream) => new UpstreamKeeper({ ...options, upstream }),
    );
  }

  /** As {@link UpstreamKeeper.set}; `true` when each has confirmed. */
  async set(servers: readonly UpstreamServer[]): Promise<boolean> {
    const confirmed = await Promise.all(
      this.#keepers.map((keeper) => keeper.set(servers)),
    );
    return confirmed.every(Boolean);
  }

  /** How far each is, in the order given. */
  status(): readonly UpstreamStatus[] {
    return this.#keepers.map((keeper) => keeper.status());
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.close()));
  }
}
