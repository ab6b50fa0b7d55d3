import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Definition } from "../../src/definition.js";
import { loadProject } from "../../src/manifest/load-project.js";

test("a save that isn't the manifest's doesn't go through the list", async () => {
  const root = fs.mkdtempSync(path.join(tmpdir(), "definition-"));
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
  const definition = new Definition({ project, mixins: [], live });
  const before = looks;
  for (let save = 0; save < 3; save++) {
    const paths = new Set([entry, path.join(root, `b${save}.ts`)]);
    expect(await definition.follow({ forced: false, paths })).toBeUndefined();
  }
  expect(looks).toBe(before);
});
