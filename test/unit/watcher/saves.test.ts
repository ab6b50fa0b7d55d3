import fs from "node:fs";
import { utimes } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { harness } from "./harness.js";
import type { Harness } from "./harness.js";

vi.setConfig({ testTimeout: 30_000 });

describe.each([
  { how: "by events", options: {} },
  { how: "by polling", options: { poll: 20 } },
])("ways of saving, seen $how", ({ options }) => {
  let here: Harness;
  beforeEach(async () => {
    here = harness(options);
    fs.mkdirSync(here.at("src"));
    fs.writeFileSync(here.at("src/a.ts"), "a0");
    fs.writeFileSync(here.at("src/b.ts"), "b0");
    here.watch(["src/a.ts", "src/b.ts"]);
    await here.watcher.ready();
    expect(here.batches).toEqual([]);
  });
  afterEach(() => here.close());

  const oneBatch = async (name = "src/a.ts"): Promise<void> => {
    await here.until(name, () => here.batches.length > 0);
    expect(here.names()).toEqual([[name]]);
    expect(here.dirty).toEqual([here.at(name)]);
    const [batch] = here.batches;
    expect(batch?.closedAt).toBeGreaterThanOrEqual(batch?.firstEventAt ?? NaN);
  };

  it("in place", async () => {
    fs.writeFileSync(here.at("src/a.ts"), "a1");
    await oneBatch();
  });

  it("appended, without opening it anew", async () => {
    const file = fs.openSync(here.at("src/a.ts"), "a");
    fs.writeSync(file, "more");
    await oneBatch();
    fs.closeSync(file);
  });

  it("a temporary file renamed over it", async () => {
    fs.writeFileSync(here.at("src/a.ts.tmp"), "a1");
    fs.renameSync(here.at("src/a.ts.tmp"), here.at("src/a.ts"));
    await oneBatch();
  });

  it("a temporary file from elsewhere renamed over it, same size and times", async () => {
    const { atime, mtime } = fs.statSync(here.at("src/a.ts"));
    fs.writeFileSync(here.at("outside.tmp"), "a1");
    await utimes(here.at("outside.tmp"), atime, mtime);
    fs.renameSync(here.at("outside.tmp"), here.at("src/a.ts"));
    await oneBatch();
  });

  it("renamed away as a backup, written anew, backup deleted", async () => {
    fs.renameSync(here.at("src/a.ts"), here.at("src/a.ts~"));
    fs.writeFileSync(here.at("src/a.ts"), "a1");
    fs.rmSync(here.at("src/a.ts~"));
    await oneBatch();
  });

  it("a bare touch", async () => {
    const now = new Date(Date.now() + 1000);
    await utimes(here.at("src/a.ts"), now, now);
    await oneBatch();
  });

  it("deleted", async () => {
    fs.rmSync(here.at("src/a.ts"));
    await oneBatch();
  });

  it("moved over another source: both", async () => {
    fs.renameSync(here.at("src/a.ts"), here.at("src/b.ts"));
    await here.until("both", () => here.names().flat().length >= 2);
    expect(here.names().flat().sort()).toEqual(["src/a.ts", "src/b.ts"]);
  });

  it.each([1, 20, 50, 100, 200, 500])(
    "deleted and created again %i ms later: the new content is covered",
    async (pauseMs) => {
      fs.rmSync(here.at("src/a.ts"));
      await delay(pauseMs);
      const writtenAt = performance.now();
      fs.writeFileSync(here.at("src/a.ts"), "a1");
      await here.until("a batch after it", () =>
        here.batches.some((batch) => batch.closedAt > writtenAt),
      );
      expect(new Set(here.names().flat())).toEqual(new Set(["src/a.ts"]));
    },
  );

  it("the whole directory moved away, and back", async () => {
    fs.renameSync(here.at("src"), here.at("gone"));
    await here.until("both gone", () => here.names().flat().length >= 2);
    const count = here.batches.length;
    fs.renameSync(here.at("gone"), here.at("src"));
    await here.until(
      "both back",
      () => here.names().slice(count).flat().length >= 2,
    );
    const before = here.batches.length;
    fs.writeFileSync(here.at("src/b.ts"), "after the move");
    await here.until("a write after it", () => here.batches.length > before);
    expect(here.names().at(-1)).toEqual(["src/b.ts"]);
  });

  it("the whole directory deleted and created again, again and again", async () => {
    for (let round = 0; round < 5; round++) {
      fs.rmSync(here.at("src"), { recursive: true });
      fs.mkdirSync(here.at("src"));
      const before = performance.now();
      fs.writeFileSync(here.at("src/a.ts"), `round ${round}`);
      await here.until("the new file", () =>
        here.batches.some(
          (batch) =>
            batch.closedAt > before && batch.paths.has(here.at("src/a.ts")),
        ),
      );
      const count = here.batches.length;
      fs.writeFileSync(here.at("src/a.ts"), `round ${round}, saved`);
      await here.until("a save in it", () => here.batches.length > count);
    }
  });

  it("the directory swapped for another of the same shape", async () => {
    fs.mkdirSync(here.at("other"));
    fs.writeFileSync(here.at("other/a.ts"), "other a");
    fs.writeFileSync(here.at("other/b.ts"), "other b");
    fs.renameSync(here.at("src"), here.at("old"));
    fs.renameSync(here.at("other"), here.at("src"));
    await here.until("both", () => new Set(here.names().flat()).size >= 2);
    await here.watcher.ready();
    const before = here.batches.length;
    fs.writeFileSync(here.at("src/a.ts"), "saved in the new one");
    await here.until("a save in it", () => here.batches.length > before);
    const count = here.batches.length;
    fs.writeFileSync(here.at("old/a.ts"), "not ours any more");
    fs.writeFileSync(here.at("src/b.ts"), "ours");
    await here.until("a save", () => here.batches.length > count);
    expect(here.names().slice(count).flat()).toEqual(["src/b.ts"]);
  });

  it("other files in the directory don't count", async () => {
    fs.writeFileSync(here.at("src/c.ts"), "c");
    fs.writeFileSync(here.at("src/notes.txt"), "c");
    fs.rmSync(here.at("src/c.ts"));
    fs.writeFileSync(here.at("src/b.ts"), "b1");
    await oneBatch("src/b.ts");
  });

  it("reading and chmod don't count", async () => {
    fs.readFileSync(here.at("src/a.ts"));
    fs.chmodSync(here.at("src/a.ts"), 0o600);
    fs.writeFileSync(here.at("src/b.ts"), "b1");
    await oneBatch("src/b.ts");
  });

  it.each([1, 2, 3, 5, 8, 13, 25, 45, 60])(
    "written again and again every %i ms: a batch follows the last write",
    async (pauseMs) => {
      const file = here.at("src/a.ts");
      const { batches } = here;
      let writtenAt = 0;
      for (let count = 0; count < (pauseMs > 20 ? 8 : 25); count++) {
        // Always the same size: the stamps differ by time alone.
        writtenAt = performance.now();
        fs.writeFileSync(file, `content ${String(count).padStart(3)}`);
        await delay(pauseMs);
      }
      await here.until("a batch after the last write", () =>
        batches.some((batch) => batch.closedAt > writtenAt),
      );
    },
  );

  it("a file whose directory doesn't exist yet is seen when it appears", async () => {
    const deep = "src/models/deep/down/user.ts";
    here.watch(["src/a.ts", deep]);
    await here.watcher.ready();
    fs.mkdirSync(path.dirname(here.at(deep)), { recursive: true });
    fs.writeFileSync(here.at(deep), "1");
    await oneBatch(deep);
    fs.writeFileSync(here.at(deep), "22");
    await here.until("a save", () => here.batches.length > 1);
    expect(here.names()[1]).toEqual([deep]);
  });

  it("code files that appear or disappear in a listed directory count, their content and others don't", async () => {
    fs.writeFileSync(here.at("src/known.ts"), "");
    here.watch(["src/b.ts"], ["src"]);
    await here.watcher.ready();
    fs.writeFileSync(here.at("src/known.ts"), "written");
    fs.writeFileSync(here.at("src/readme.md"), "");
    fs.mkdirSync(here.at("src/folder.js"));
    fs.writeFileSync(here.at("src/new.tsx"), "");
    await oneBatch("src/new.tsx");
    fs.rmSync(here.at("src/known.ts"));
    await here.until("the removal", () => here.batches.length > 1);
    expect(here.names()[1]).toEqual(["src/known.ts"]);
  });
});
