import { expect, test } from "vitest";
import { layered, withoutGaps } from "../../src/option-layers.js";
import type { ServerOptions } from "../../src/server-options.js";

test("the caller's options win over the manifest's, those over what the caller falls back on", () => {
  const given = { port: 1 };
  const fallback = { port: 3, workers: 3, host: "c" };
  expect(layered({ given, fallback }, { port: 2, workers: 2 })).toEqual({
    port: 1,
    workers: 2,
    host: "c",
    env: {},
  });
});

test("what is false or 0 is said; what is undefined isn't", () => {
  // As a caller may who doesn't use TypeScript.
  const given = {
    workers: undefined,
    front: false,
  } as unknown as ServerOptions;
  const manifest = { workers: 2, front: true, standbys: 0 };
  expect(layered({ given, fallback: { standbys: 4 } }, manifest)).toMatchObject(
    { workers: 2, front: false, standbys: 0 },
  );
});

test("variables are merged one by one", () => {
  const layers = {
    given: { env: { A: "given" } },
    fallback: { env: { A: "f", B: "f", C: "f" } },
  };
  const { env } = layered(layers, { env: { A: "m", B: "m" } });
  expect(env).toEqual({ A: "given", B: "m", C: "f" });
});

test("withoutGaps keeps everything but undefined", () => {
  expect(withoutGaps({ a: undefined, b: null, c: 0 })).toStrictEqual({
    b: null,
    c: 0,
  });
});
