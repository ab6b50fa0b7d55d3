import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { writeAtomically } from "../../../src/compiler/atomic-write.js";
import { StepRecord } from "../../../src/steps/record.js";
import { temporaryFolder } from "../child-program.js";

const step = (name: string): { definition: string; outputs: string } => ({
  definition: `${name} d`,
  outputs: `${name} o`,
});

test("what is kept is there in the next run, what is forgotten isn't", () => {
  const file = path.join(temporaryFolder(), "cache/steps.json");
  const keys = new Set(["a", "b"]);
  const first = new StepRecord(file, writeAtomically);
  expect(first.get("a")).toBeUndefined();
  first.keep("a", step("a"), keys);
  first.keep("b", step("b"), keys);
  const second = new StepRecord(file, writeAtomically);
  expect(second.get("a")).toEqual(step("a"));
  second.forget("a");
  const third = new StepRecord(file, writeAtomically);
  expect(third.get("a")).toBeUndefined();
  expect(third.get("b")).toEqual(step("b"));
});

test("steps that are gone are forgotten with the next that succeeds", () => {
  const file = path.join(temporaryFolder(), "steps.json");
  const record = new StepRecord(file, writeAtomically);
  record.keep("a", step("a"), new Set(["a"]));
  record.keep("b", step("b"), new Set(["b"]));
  expect(new StepRecord(file, writeAtomically).get("a")).toBeUndefined();
});

test.each([
  "",
  "null",
  "[]",
  '{"version":1}',
  '{"version":0,"steps":{"a":{"definition":"a d","outputs":"a o"}}}',
  '{"version":1,"steps":{"a":{"definition":1},"b":null}}',
])("nothing is known from a file with %s", (text) => {
  const file = path.join(temporaryFolder(), "steps.json");
  fs.writeFileSync(file, text);
  const record = new StepRecord(file, writeAtomically);
  expect([record.get("a"), record.get("b")]).toEqual([undefined, undefined]);
});

test("a record that can't be written costs nothing now", () => {
  const file = path.join(temporaryFolder(), "steps.json");
  const record = new StepRecord(file, () => {
    throw new Error("no space left");
  });
  record.keep("a", step("a"), new Set(["a"]));
  expect(record.get("a")).toEqual(step("a"));
});
