/** The modules that misbehaved while they were evaluated ahead: not tried again until they change. */
import type { Program } from "./types.js";

interface Barred {
  readonly identity: string | undefined;
  readonly reason: string;
  /** How often it misbehaved, in whatever version. */
  readonly times: number;
}

/** A module that did so in three versions does so in the next. */
const FOR_GOOD = 3;

export class BarredModules {
  readonly #modules = new Map<string, Barred>();

  /** @returns whether that's news */
  add(path: string, reason: string, program: Program): boolean {
    if (this.has(path, program)) return false;
    const identity = program.ahead.identityOf(path);
    const times = (this.#modules.get(path)?.times ?? 0) + 1;
    this.#modules.set(path, { identity, reason, times });
    return true;
  }

  has(path: string, { ahead }: Program): boolean {
    const barred = this.#modules.get(path);
    if (barred === undefined) return false;
    return (
      barred.times >= FOR_GOOD || barred.identity === ahead.identityOf(path)
    );
  }

  /** Those of a program, with the reasons. */
  of(program: Program): { readonly path: string; readonly reason: string }[] {
    return [...this.#modules]
      .filter(
        ([path]) =>
          program.ahead.identityOf(path) !== undefined &&
          this.has(path, program),
      )
      .map(([path, { reason }]) => ({ path, reason }));
  }
}
