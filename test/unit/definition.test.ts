import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { Definition } from "../../src/definition.js";
import { loadProject } from "../../src/manifest/load-project.js";

test("a save that isn't the manifest's doesn't go through the list", async () => {
  const root = fs.realpathSync(
    fs.mkdtempSync(path.join(tmpdir(), "definition-")),
  );
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  fs.writeFileSync(path.join(root, "a.ts"), "");
  fs.writeFileSync(
    path.join(root, "prefork.config.json"),
    '{ "entry": "a.ts" }',
  );
  const loaded = await loadProject(root);
  const { sources, entry } = loaded;
  let looks = 0;
  const project = {
    ...loaded,
    get sources() {
      looks++;
      return sources;
    },
  };
  // Asked only when the manifest was read again.
  const live = { follow: () => Promise.resolve(false) };
  const definition = new Definition({
    ...{ loaded, project, live },
    mixins: [],
  });
  const before = looks;
  for (let save = 0; save < 3; save++) {
    const paths = new Set([entry, path.join(root, `b${save}.ts`)]);
    expect(await definition.follow({ forced: false, paths })).toBeUndefined();
  }
  expect(looks).toBe(before);
});

test("at the start, a manifest that was read just now isn't read again, unless it was saved since", async () => {
  const root = fs.realpathSync(
    fs.mkdtempSync(path.join(tmpdir(), "definition-")),
  );
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  const manifest = path.join(root, "prefork.config.json");
  fs.writeFileSync(path.join(root, "a.ts"), "");
  fs.writeFileSync(manifest, '{ "entry": "a.ts" }');
  // What is as old as the reading may be newer than it. The time of a change of a file's status can't be set.
  while (fs.statSync(manifest).ctimeMs >= Date.now()) await setImmediate();
  const loaded = await loadProject(root);
  const live = { follow: () => Promise.resolve(false) };
  const options = { loaded, project: loaded, mixins: [], live };
  const start = { forced: true, paths: new Set<string>() };
  const fresh = new Definition(options);
  expect(fresh.outdated).toEqual([]);
  expect(await fresh.follow(start)).toBeUndefined();
  expect(await fresh.follow(start)).toMatchObject({ project: { root } });
  fs.writeFileSync(manifest, '{ "entry": "a.ts", "name": "b" }');
  const stale = new Definition(options);
  expect(stale.outdated).toEqual([manifest]);
  expect(await stale.follow(start)).toMatchObject({ project: { name: "b" } });
});
