/**
 * Which process is booted or abandoned next: a pure function of what is there.
 * `master.ts` carries it out, and asks again after every event.
 *
 * - A new generation is the *candidate* until its first process (the canary) is
 *   ready; then it is *current*, and the other places follow, not before `replaceAt`: one at a time, but for standbys, of which
 *   several may be activated at once.
 * - A place without a process is refilled with the current generation, whatever
 *   else goes on, but not before its backoff has passed, nor while it's held.
 * - A stale process (hung, or somebody asked) is replaced like one of an older generation.
 */

/** A place as the decision sees it: generations of its processes. */
export interface PlaceView {
  readonly index: number;
  /** The generation of the process that serves; `undefined` when there's none. */
  readonly serving: number | undefined;
  /** The generation of the process that boots. */
  readonly booting: number | undefined;
  /** No boot here before this time (ms, same clock as `now`). */
  readonly retryAt: number;
  /** Asked to have no process. */
  readonly isHeld: boolean;
  /** What serves is to be replaced, whatever its generation: somebody asked for it, or it hangs. */
  readonly isStale: boolean;
}

export interface RollView {
  readonly places: readonly PlaceView[];
  readonly candidate: number | undefined;
  readonly current: number | undefined;
  readonly now: number;
  /** No process of an older generation is replaced by the current one before this time (same clock as `now`); `Infinity`: until asked again. */
  readonly replaceAt: number;
  /** How many empty places may boot at a time. */
  readonly parallelBoots: number;
  /** How many processes may be replaced at a time. */
  readonly parallelReplacements: number;
}

type RollAction =
  | {
      readonly kind: "boot";
      readonly place: number;
      readonly generation: number;
    }
  | { readonly kind: "abandon"; readonly place: number };

export interface Decision {
  readonly actions: readonly RollAction[];
  /** When to ask again if nothing happens before; `undefined`: not needed. */
  readonly wakeAt: number | undefined;
}

/** Should what boots in this place be given up? */
function isObsolete(place: PlaceView, view: RollView): boolean {
  if (place.booting === undefined) return false;
  if (place.booting === view.candidate) return place.isHeld;
  if (place.booting !== view.current || place.isHeld) return true;
  // A step of the roll that the candidate supersedes; but an empty place wants whatever is good.
  return view.candidate !== undefined && place.serving !== undefined;
}

/** The place whose process goes first: an empty one, else one of the oldest, so that all get on also when saves come faster than rolls end. */
function canaryPlace(places: readonly PlaceView[]): PlaceView | undefined {
  const idle = places.filter(
    (place) => place.booting === undefined && !place.isHeld,
  );
  return idle.reduce<PlaceView | undefined>(
    (oldest, place) =>
      oldest !== undefined && ageOf(oldest) <= ageOf(place) ? oldest : place,
    undefined,
  );
}

/** Are there workers that have yet to follow the canary of the current generation? */
export function isFollowed({
  places,
  candidate,
  current,
}: Pick<RollView, "places" | "candidate" | "current">): boolean {
  return (
    candidate === undefined &&
    places.some(({ serving }) => serving !== undefined && serving !== current)
  );
}

function ageOf({ serving }: PlaceView): number {
  return serving ?? -Infinity;
}

export function decide(view: RollView): Decision {
  const actions: RollAction[] = [];
  const places = view.places.map((place) => {
    if (!isObsolete(place, view)) return place;
    actions.push({ kind: "abandon", place: place.index });
    return { ...place, booting: undefined };
  });
  let wakeAt: number | undefined;
  const booting = new Map(
    places.flatMap(({ index, booting }) =>
      booting === undefined ? [] : [[index, booting]],
    ),
  );
  const boot = (place: PlaceView, generation: number): void => {
    if (place.retryAt > view.now) {
      wakeAt = Math.min(wakeAt ?? Infinity, place.retryAt);
      return;
    }
    booting.set(place.index, generation);
    actions.push({ kind: "boot", place: place.index, generation });
  };

  const { candidate, current } = view;
  if (
    candidate !== undefined &&
    !places.some((place) => place.booting === candidate)
  ) {
    const place = canaryPlace(places);
    if (place !== undefined) boot(place, candidate);
  }
  if (current === undefined) return { actions, wakeAt };
  for (const place of places) {
    if (place.serving !== undefined || place.isHeld) continue;
    if (booting.has(place.index)) continue;
    if (booting.size < view.parallelBoots + (candidate === undefined ? 0 : 1))
      boot(place, current);
  }
  const room = view.parallelReplacements - booting.size;
  if (candidate === undefined && room > 0) {
    const isEarly = view.replaceAt > view.now;
    const outdated = places.filter(
      ({ index, serving, isStale }) =>
        serving !== undefined &&
        !booting.has(index) &&
        (isStale || (serving !== current && !isEarly)),
    );
    if (isEarly && view.replaceAt < Infinity && isFollowed(view))
      wakeAt = Math.min(wakeAt ?? Infinity, view.replaceAt);
    const due = outdated.filter((place) => place.retryAt <= view.now);
    for (const place of due.length === 0 ? outdated : due.slice(0, room))
      boot(place, current);
  }
  return { actions, wakeAt };
}
