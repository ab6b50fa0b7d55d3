/**
 * What is saved, and when: each scenario is a list of edits. Pure, and the same
 * for every peer: what is random is drawn from a seed.
 */

/** Between the saves of a burst, as a formatter or an editor's auto-save makes them. */
const BURST_GAP_MS = 300;
const BURST_SAVES = 5;
const PAIR_GAP_MS = 200;

/** Where in the order of evaluation the leaf stands that `leaf` saves. */
export const LEAVES = ["first", "middle", "last", "version"];

/**
 * `plan(app, { saves, leaf, random })` returns edits `{ file, saves, gapMs }`: the file
 * is saved so often, and the time is taken from the last of these saves.
 */
export const scenarios = {
  leaf: {
    about: "the same leaf again and again",
    plan: (app, { saves, leaf }) => repeat(saves, () => leafOf(app, leaf)),
  },
  three: {
    about: "the first, the middle and the last leaf in turn",
    plan: (app, { saves }) =>
      repeat(saves, (turn) => leafOf(app, LEAVES[turn % 3])),
  },
  base: {
    about: "a file that every module imports",
    plan: (app, { saves }) => repeat(saves, () => app.base),
  },
  random: {
    about: "random modules, leaves or not",
    plan: (app, { saves, random }) =>
      repeat(saves, () => app.module(Math.floor(random() * app.modules))),
  },
  burst: {
    about: `${BURST_SAVES} saves of a leaf, one every ${BURST_GAP_MS} ms; timed from the last`,
    plan: (app, { saves, leaf }) =>
      repeat(Math.ceil(saves / 3), () => leafOf(app, leaf), {
        saves: BURST_SAVES,
        gapMs: BURST_GAP_MS,
      }),
  },
  pair: {
    about: `a leaf saved, and again after ${PAIR_GAP_MS} ms; timed from the second`,
    plan: (app, { saves, leaf }) =>
      repeat(saves, () => leafOf(app, leaf), { saves: 2, gapMs: PAIR_GAP_MS }),
  },
};

function repeat(times, fileOf, { saves = 1, gapMs = 0 } = {}) {
  return Array.from({ length: times }, (_, turn) => ({
    file: fileOf(turn),
    saves,
    gapMs,
  }));
}

function leafOf(app, place) {
  const { leaves } = app;
  switch (place) {
    case "first":
      return app.module(leaves[0]);
    case "middle":
      return app.module(leaves[leaves.length >> 1]);
    case "last":
      return app.module(leaves[leaves.length - 1]);
    default:
      return app.version;
  }
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
