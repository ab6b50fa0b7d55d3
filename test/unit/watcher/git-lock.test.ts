import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createGitLock } from "../../../src/watcher/git-lock.js";

test("git is busy while it holds the index's lock, in the work tree and in a linked one", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "git-lock-"));
  onTestFinished(() => fs.rmSync(root, { recursive: true }));
  const [main, linked] = [path.join(root, "main"), path.join(root, "linked")];
  const linkedGit = path.join(main, ".git/worktrees/linked");
  fs.mkdirSync(path.join(main, "src"), { recursive: true });
  fs.mkdirSync(linkedGit, { recursive: true });
  fs.mkdirSync(linked);
  fs.writeFileSync(path.join(linked, ".git"), `gitdir: ${linkedGit}\n`);

  const isBusy = createGitLock();
  const files = [
    path.join(main, "src/a.ts"),
    path.join(linked, "a.ts"),
    path.join(root, "a.ts"),
  ];
  const busy = (): boolean[] => files.map((file) => isBusy(file));
  expect(busy()).toEqual([false, false, false]);
  fs.writeFileSync(path.join(main, ".git/index.lock"), "");
  expect(busy()).toEqual([true, false, false]);
  fs.writeFileSync(path.join(linkedGit, "index.lock"), "");
  fs.rmSync(path.join(main, ".git/index.lock"));
  expect(busy()).toEqual([false, true, false]);
});
