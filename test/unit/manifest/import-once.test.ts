/** What a manifest is imported from is gone before it runs, and what a killed process left is removed. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { importOnce, removeStale } from "../../../src/manifest/import-once.js";

const PREFIX = path.join(tmpdir(), "prefork-dev-manifest-");

function noMap(): never {
  throw new Error("Nobody asked for the map.");
}

test("nothing is left from the moment on that the code runs, whether it ends or not", async () => {
  const own = `prefork-dev-manifest-${process.pid}-`;
  const look = `import { readdirSync } from "node:fs"; const left = () => readdirSync(${JSON.stringify(tmpdir())}).filter((name) => name.startsWith(${JSON.stringify(own)}));`;
  const imported = await importOnce(`${look}\nexport default left();`, noMap);
  expect(imported).toEqual({ value: [] });
  const broken = await importOnce("export default {", noMap).catch(String);
  expect(broken).toContain("Nobody asked");
  const unresolved = 'import "file:///nowhere/at-all.mjs";';
  await importOnce(unresolved, noMap).catch(() => undefined);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(own))).toEqual(
    [],
  );
});

test("the directories of processes that are gone are removed, those of others aren't", () => {
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  const stale = mkdtempSync(`${PREFIX}${pid}-`);
  const alive = mkdtempSync(`${PREFIX}${process.ppid}-`);
  onTestFinished(() => {
    for (const each of [stale, alive])
      rmSync(each, { recursive: true, force: true });
  });
  mkdirSync(path.join(stale, "below"));
  removeStale();
  expect(existsSync(stale)).toBe(false);
  expect(existsSync(alive)).toBe(true);
});
