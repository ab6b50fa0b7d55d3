import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import { openNativeEye } from "../../../src/watcher/eye.js";
import { stampOf } from "../../../src/watcher/stamp.js";
import { createWatcher } from "../../../src/watcher/watcher.js";
import { harness } from "./harness.js";
import type { Harness } from "./harness.js";

// On a machine whose cores are busy, git takes its time.
vi.setConfig({ testTimeout: 60_000 });

let h: Harness | undefined;
afterEach(async () => {
  await h?.close();
  h = undefined;
});

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: no more watches, watch`), { code });
}

describe("a branch switch", () => {
  it("of 300 files, with git, is one batch", async () => {
    // On a busy machine git itself may be interrupted for longer than the default cap allows.
    h = harness({ capMs: 30_000 });
    const { root } = h;
    const git = async (...args: string[]): Promise<void> => {
      await promisify(execFile)("git", args, {
        cwd: root,
        env: {
          ...process.env,
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_AUTHOR_NAME: "a",
          GIT_AUTHOR_EMAIL: "a@localhost",
          GIT_COMMITTER_NAME: "a",
          GIT_COMMITTER_EMAIL: "a@localhost",
        },
      });
    };
    const files: string[] = [];
    const write = (version: string): void => {
      files.length = 0;
      for (let index = 0; index < 300; index++) {
        const file = `src/d${index % 20}/m${index}.ts`;
        files.push(file);
        fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
        fs.writeFileSync(path.join(root, file), `export const v = ${version};`);
      }
    };
    await git("init", "-q", "-b", "main");
    write("1");
    await git("add", ".");
    await git("commit", "-q", "-m", "one");
    await git("checkout", "-q", "-b", "other");
    write("2");
    // On this branch a whole directory is missing.
    fs.rmSync(h.at("src/d7"), { recursive: true });
    await git("add", ".");
    await git("commit", "-q", "-m", "two");
    h.watch([...files, "package.json"]);
    await h.watcher.ready();

    const checkout = async (branch: string): Promise<void> => {
      const count = h?.batches.length ?? 0;
      await git("checkout", "-q", branch);
      await h?.until(branch, () => (h?.batches.length ?? 0) > count);
      expect(h?.names().slice(count)).toEqual([[...files].sort()]);
    };
    await checkout("main");
    fs.writeFileSync(h.at("src/d7/m7.ts"), "saved in a directory that is new");
    await h.until("a save", () => h?.batches.length === 2);
    expect(h.names()[1]).toEqual(["src/d7/m7.ts"]);
    await git("checkout", "-q", "src/d7/m7.ts");
    await h.until("its end", () => h?.batches.length === 3);
    await checkout("other");
  });
});

describe("what is watched", () => {
  it("is replaced by the next watch", async () => {
    h = harness();
    for (const name of ["a.ts", "b.ts"]) fs.writeFileSync(h.at(name), "0");
    h.watch(["a.ts"]);
    h.watch(["b.ts"]);
    await h.watcher.ready();
    fs.writeFileSync(h.at("a.ts"), "1");
    fs.writeFileSync(h.at("b.ts"), "1");
    await h.until("b", () => h?.batches.length === 1);
    expect(h.names()).toEqual([["b.ts"]]);
  });

  it("keeps a change that happened before the set was replaced", async () => {
    h = harness();
    for (const name of ["a.ts", "b.ts"]) fs.writeFileSync(h.at(name), "0");
    h.watch(["a.ts"]);
    await h.watcher.ready();
    fs.writeFileSync(h.at("a.ts"), "saved");
    h.watch(["a.ts", "b.ts"]);
    await h.until("a", () => h?.batches.length === 1);
    expect(h.names()).toEqual([["a.ts"]]);
  });

  it("a file that differs from what the caller has read is reported, one that doesn't is not", async () => {
    h = harness();
    const seen = new Map<string, number>();
    for (const name of ["a.ts", "b.ts"]) {
      fs.writeFileSync(h.at(name), "0");
      seen.set(h.at(name), stampOf(h.at(name))?.mtimeMs ?? 0);
    }
    fs.writeFileSync(h.at("a.ts"), "written before it was watched");
    h.watcher.watch(
      { files: new Set([h.at("a.ts"), h.at("b.ts")]), directories: new Set() },
      seen,
    );
    await h.until("a", () => h?.batches.length === 1);
    expect(h.names()).toEqual([["a.ts"]]);
  });

  it("costs one watch for each directory, and none for those that are dropped", () => {
    const open = new Set<string>();
    h = harness(
      {},
      {
        openNative: (directory, names, listener) => {
          const eye = openNativeEye(directory, names, listener);
          open.add(path.relative(h?.root ?? "", directory));
          return {
            ...eye,
            close: () => {
              open.delete(path.relative(h?.root ?? "", directory));
              eye.close();
            },
          };
        },
      },
    );
    for (const name of ["x/y/z", "node_modules/p"])
      fs.mkdirSync(h.at(name), { recursive: true });
    h.watch(["package.json", "x/y/z/1.ts", "x/y/z/2.ts", "x/y/z/3.ts"]);
    // Those between two watched ones are watched, too: moving one moves what is below.
    expect([...open].sort()).toEqual(["", "x", "x/y", "x/y/z"]);
    h.watch(["package.json"]);
    expect([...open]).toEqual([""]);
    h.watch(["missing/deep/f.ts"]);
    expect([...open]).toEqual([""]);
    h.watch(["x/missing/f.ts"]);
    expect([...open]).toEqual(["x"]);
  });
});

describe("events", () => {
  it("that nobody sends are made up for by the second look", async () => {
    let deaf = false;
    h = harness(
      {},
      {
        openNative: (directory, names, listener) =>
          openNativeEye(directory, names, {
            ...listener,
            hint: (name, isMove) => {
              if (!deaf) listener.hint(name, isMove);
            },
          }),
      },
    );
    fs.writeFileSync(h.at("a.ts"), "0");
    h.watch(["a.ts"]);
    fs.writeFileSync(h.at("a.ts"), "1");
    await h.until("the first", () => h?.batches.length === 1);
    deaf = true;
    fs.writeFileSync(h.at("a.ts"), "2");
    await h.until("the second", () => h?.batches.length === 2);
    expect(h.names()).toEqual([["a.ts"], ["a.ts"]]);
  });

  it("count where a coarse clock hides the second of two writes", async () => {
    let hint: (name: string | undefined, isMove: boolean) => void = () =>
      undefined;
    let stamp = { mtimeMs: 1, size: 1, ino: 1, birthtimeMs: 1 };
    h = harness(
      // No second look: it would find, after a while, that the stamp is old enough to be believed.
      { settleMs: 60_000 },
      {
        stampOf: () => stamp,
        openNative: (_directory, _names, listener) => {
          hint = listener.hint;
          return { add: () => undefined, close: () => undefined };
        },
      },
    );
    h.watch(["a.ts"]);
    hint("a.ts", false);
    expect(h.dirty).toEqual([]);
    stamp = { ...stamp, mtimeMs: Date.now() + 5 };
    hint("a.ts", false);
    await h.until("the first", () => h?.batches.length === 1);
    stamp = { ...stamp, mtimeMs: Date.now() };
    hint("a.ts", false);
    await h.until("the second", () => h?.batches.length === 2);
  });

  it("that can't be had: the remedy is named once, and the files are polled", async () => {
    h = harness(
      {},
      {
        openNative: () => {
          throw systemError("ENOSPC");
        },
      },
    );
    fs.mkdirSync(h.at("sub"));
    fs.writeFileSync(h.at("sub/a.ts"), "0");
    h.watch(["sub/a.ts", "b.ts"]);
    await h.watcher.ready();
    expect(h.errors).toHaveLength(1);
    expect(h.errors[0]?.message).toMatch(
      /sysctl fs\.inotify\.max_user_watches=\d+/,
    );
    fs.writeFileSync(h.at("sub/a.ts"), "saved");
    fs.writeFileSync(h.at("b.ts"), "made");
    await h.until("both", () => h?.names().flat().length === 2);
    expect(h.names().flat().sort()).toEqual(["b.ts", "sub/a.ts"]);
  });

  it("that end with an error are replaced by polling", async () => {
    let end: (error: Error) => void = () => undefined;
    h = harness(
      {},
      {
        openNative: (_directory, _names, listener) => {
          end = listener.broken;
          return { add: () => undefined, close: () => undefined };
        },
      },
    );
    fs.writeFileSync(h.at("a.ts"), "0");
    h.watch(["a.ts"]);
    end(systemError("EMFILE"));
    fs.writeFileSync(h.at("a.ts"), "saved meanwhile");
    await h.until("the save", () => h?.batches.length === 1);
    expect(h.errors[0]?.message).toMatch(/max_user_instances/);
  });
});

describe("close", () => {
  it("is the same promise twice, drops the open batch and settles ready", async () => {
    h = harness({ poll: 1000 });
    fs.writeFileSync(h.at("a.ts"), "0");
    h.watch(["a.ts"]);
    const ready = h.watcher.ready();
    const closed = h.watcher.close();
    expect(h.watcher.close()).toBe(closed);
    await Promise.all([ready, closed]);
    h.watch(["a.ts"]);
    expect(h.batches).toEqual([]);
  });

  it("drops an open batch", async () => {
    const names: string[] = [];
    const own = harness({
      quietMs: 0,
      onDirty: (file) => {
        names.push(path.basename(file));
        void own.watcher.close();
      },
    });
    h = own;
    fs.writeFileSync(own.at("a.ts"), "0");
    own.watch(["a.ts"]);
    fs.writeFileSync(own.at("a.ts"), "1");
    await own.until("the first sign", () => own.dirty.length === 1);
    await own.watcher.close();
    expect(own.batches).toEqual([]);
    expect(names).toEqual(["a.ts"]);
  });
});

describe("options", () => {
  it.each([
    ["quietMs", -1],
    ["capMs", Number.NaN],
    ["settleMs", Number.POSITIVE_INFINITY],
    ["poll", 0],
  ])("%s: %d is refused by name", (name, value) => {
    const nothing = (): void => undefined;
    const options = { onDirty: nothing, onBatch: nothing, onError: nothing };
    let thrown: unknown;
    try {
      createWatcher({ ...options, [name]: value });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PreforkError);
    expect(thrown).toMatchObject({
      code: "ERR_PREFORK_OPTION",
      message: expect.stringContaining(name) as unknown,
    });
  });
});
