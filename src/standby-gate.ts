/** When standbys may use the machine: not while a save is on its way to the workers, and only half of it while requests are answered. */

/** While requests are answered, a standby rests for so long between two pieces of work, each some 15 ms. */
const REST_MS = 8;

export class StandbyGate {
  /** Called when the gate closes, and when it opens again. */
  onChange: (isClosed: boolean) => void = () => undefined;
  readonly #isBusy: () => boolean;
  readonly #waiting: (() => void)[] = [];
  #holds = 0;

  /** @param isBusy - are requests being answered? */
  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  /** Something more urgent has begun. @returns to be called at its end; further calls do nothing */
  hold(): () => void {
    let isHeld = true;
    if (this.#holds++ === 0) this.onChange(true);
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holds > 0) return;
      this.onChange(false);
      for (const go of this.#waiting.splice(0)) go();
    };
  }

  /** Fulfils when a standby may do its next piece of work. */
  async pass(): Promise<void> {
    while (this.#holds > 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!this.#isBusy()) return;
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    if (this.#holds > 0) await this.pass();
  }
}
