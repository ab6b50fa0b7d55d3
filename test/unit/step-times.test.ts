import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { stepTimes } from "../../src/step-times.js";
import type { Moments } from "../../src/step-times.js";

const canary = {
  id: 1,
  isStandby: true,
  protocol: "http" as const,
  bootMs: 12,
  activateMs: 2,
  loadMs: 7,
  listenMs: 3,
  connectMs: 1,
  admittedAt: 130,
};

const called: Moments = {
  since: 100,
  batch: undefined,
  runMs: undefined,
  builtAt: 110,
  linkMs: 4,
  rolledAt: 115,
  canary,
  firstAnswerAt: undefined,
};

test("a reload that was called for has no event, no batch, and no answer before a request", () => {
  expect(stepTimes(called)).toEqual({
    eventMs: undefined,
    batchMs: undefined,
    compileMs: 6,
    linkMs: 4,
    activateMs: 7,
    loadMs: 7,
    listenMs: 4,
    firstAnswerMs: undefined,
  });
});

test("the steps of a save follow one another without a gap", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "pfd-steps-"));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, "saved.ts");
  fs.writeFileSync(file, "");
  const savedAt = performance.timeOrigin + 90;
  fs.utimesSync(file, savedAt / 1_000, savedAt / 1_000);
  const times = stepTimes({
    ...called,
    batch: { paths: new Set([file]), firstEventAt: 100, closedAt: 108 },
    builtAt: 120,
    firstAnswerAt: 141,
  });
  expect(times).toMatchObject({
    batchMs: 8,
    compileMs: 8,
    linkMs: 4,
    firstAnswerMs: 11,
  });
  expect(times.eventMs).toBeCloseTo(10, 0);
});

test("what steps took isn't counted as compiling", () => {
  expect(stepTimes({ ...called, runMs: 5 })).toMatchObject({
    runMs: 5,
    compileMs: 1,
  });
});

test("a file of another day, or none, tells nothing about its event", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "pfd-steps-"));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const old = path.join(directory, "old.ts");
  fs.writeFileSync(old, "");
  fs.utimesSync(old, 1_000_000, 1_000_000);
  for (const file of [old, path.join(directory, "gone.ts")]) {
    const batch = { paths: new Set([file]), firstEventAt: 100, closedAt: 108 };
    expect(stepTimes({ ...called, batch }).eventMs).toBeUndefined();
  }
});
