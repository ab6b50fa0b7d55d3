import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { loadProject } from "../../../src/manifest/load-project.js";
import { locateProject } from "../../../src/manifest/locate-project.js";

function packageWith(files: Readonly<Record<string, string>>): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "locate-"));
  const root = fs.realpathSync(made);
  onTestFinished(() => fs.rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries({
    "package.json": "{}",
    ...files,
  })) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  return root;
}

it("an entry and a manifest are located where they are loaded", async () => {
  const root = packageWith({
    "src/server.ts": "",
    "api/prefork.config.ts":
      'export default { entry: "main.ts", sources: ["main.ts"] };',
    "api/main.ts": "",
  });
  fs.symlinkSync(path.join(root, "src"), path.join(root, "link"));
  for (const target of [
    "src/server.ts",
    "link/server.ts",
    "api",
    "api/prefork.config.ts",
  ]) {
    const project = await loadProject(target, { cwd: root });
    expect(locateProject(target, root)).toEqual({
      root: project.root,
      target: project.manifest ?? project.entry,
    });
  }
});

it("a directory without a manifest has the root of its programs", () => {
  const root = packageWith({ "src/server.ts": "" });
  expect(locateProject(".", root)).toEqual({ root, target: undefined });
  expect(locateProject(".", path.join(root, "src"))).toEqual({
    root,
    target: undefined,
  });
});

it("a broken manifest is located all the same", () => {
  const root = packageWith({ "prefork.config.ts": "no TypeScript" });
  const target = path.join(root, "prefork.config.ts");
  expect(locateProject(".", root)).toEqual({ root, target });
});

it("a target that isn't there is an error", () => {
  expect(() => locateProject("no.ts", packageWith({}))).toThrow(
    "doesn't exist",
  );
});
