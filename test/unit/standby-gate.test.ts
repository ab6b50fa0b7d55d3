import { expect, test } from "vitest";
import { StandbyGate } from "../../src/standby-gate.js";

/** Whether a promise is settled once everything that is due was done. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

test("open while nothing is under way", async () => {
  const gate = new StandbyGate(() => false);
  expect(await isSettled(gate.pass())).toBe(true);
});

test("closed until the last of what is more urgent has ended", async () => {
  const gate = new StandbyGate(() => false);
  const save = gate.hold();
  const roll = gate.hold();
  const passed = gate.pass();
  expect(await isSettled(passed)).toBe(false);
  save();
  expect(await isSettled(passed)).toBe(false);
  roll();
  expect(await isSettled(passed)).toBe(true);
});

test("an end that is told twice counts once", async () => {
  const gate = new StandbyGate(() => false);
  const save = gate.hold();
  gate.hold();
  save();
  save();
  expect(await isSettled(gate.pass())).toBe(false);
});

test("while requests are answered it opens after a rest, and not into a save that came meanwhile", async () => {
  const gate = new StandbyGate(() => true);
  const passed = gate.pass();
  expect(await isSettled(passed)).toBe(false);
  const save = gate.hold();
  let isThrough = false;
  void passed.then(() => (isThrough = true));
  // Another one that came after it has had its rest, too.
  const open = new StandbyGate(() => true);
  await open.pass();
  expect(isThrough).toBe(false);
  save();
  await passed;
  expect(isThrough).toBe(true);
});
