import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mixin, mixinFiles } from "../../../src/commands/references.js";

let root = "";
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), "mixins-")));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

describe("named mixins", () => {
  it("are paths, URLs and references: the real files, in order, each once", () => {
    const file = path.join(root, "a.ts");
    fs.writeFileSync(file, "");
    fs.writeFileSync(path.join(root, "b.mjs"), "");
    fs.symlinkSync(file, path.join(root, "link.ts"));
    const url = pathToFileURL(path.join(root, "b.mjs"));
    const relative = path.relative(process.cwd(), file);
    expect(
      mixinFiles([
        mixin(url),
        relative,
        url.href,
        path.join(root, "link.ts"),
        file,
      ]),
    ).toEqual([path.join(root, "b.mjs"), file]);
    expect(mixinFiles([])).toEqual([]);
  });

  it.each(["missing.ts", "", "data.json"])(
    "that are no code (%j) are refused",
    (name) => {
      fs.writeFileSync(path.join(root, "data.json"), "{}");
      expect(() => mixinFiles([path.join(root, name)])).toThrow(
        expect.objectContaining({
          code: "ERR_PREFORK_MIXIN",
          message: expect.stringContaining(path.join(root, name)) as string,
        }) as Error,
      );
    },
  );
});
