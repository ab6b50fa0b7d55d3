import { expect, test } from "vitest";
import { Suspension } from "../../../src/pool/suspension.js";

const never = new Promise<never>(() => undefined);

test("stops once, and goes on once", () => {
  const signals: string[] = [];
  const suspension = new Suspension((signal) => signals.push(signal));
  suspension.end();
  suspension.begin();
  suspension.begin();
  suspension.end();
  suspension.end();
  expect(signals).toEqual(["SIGSTOP", "SIGCONT"]);
});

test("a deadline begins anew after time in which the process couldn't run", async () => {
  const suspension = new Suspension(() => undefined);
  const order: string[] = [];
  const told = (what: string) => (): number => order.push(what);
  const plain = suspension.within(100, never).then(told("plain"));
  await plain;
  const suspended = suspension.within(100, never).then(told("suspended"));
  suspension.begin();
  suspension.end();
  // Begun later, and with a longer deadline: it's over before the other, which is begun anew.
  await new Suspension(() => undefined).within(150, never).then(told("later"));
  await suspended;
  expect(order).toEqual(["plain", "later", "suspended"]);
});

test("what comes while the process is suspended counts", async () => {
  const suspension = new Suspension(() => undefined);
  suspension.begin();
  expect(await suspension.within(10_000, Promise.resolve(1))).toBe(1);
});
