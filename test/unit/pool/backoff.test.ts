import { expect, test } from "vitest";
import { backoffMs } from "../../../src/pool/backoff.js";

test("backoff: none, then 250 ms, doubled, at most 15 s", () => {
  expect([0, 1, 2, 3, 4, 20].map(backoffMs)).toEqual([
    0, 250, 500, 1_000, 2_000, 15_000,
  ]);
});
