import { describe, expect, it } from "vitest";
import { LookedAt } from "../inspect/project.js";

const APP = { "src/server.ts": "export {};" };

describe("the command line", () => {
  it.each([
    [["files", "--nonsense"], "unknown option"],
    [["files", "a", "b"], "too many arguments"],
    [["files", "--why", "a.ts"], "--why takes two sources"],
    [["files", "--why", "a", "b", "c"], "and got 3: a, b, c"],
    [["files", "--json", "-0"], "cannot be used with"],
    [["files", "--why", "a", "b", "--closure", "c"], "cannot be used with"],
    [["graph", "--format", "png"], "mermaid, dot, html"],
    [["check", "--output", "x"], "unknown option"],
  ])("%j is wrong usage", async (argv, message) => {
    const { code, stdout, stderr } = await new LookedAt(APP).run(...argv);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  it("has help", async () => {
    const { code, stdout } = await new LookedAt(APP).run("files", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: prefork-dev files");
  });

  it.each([[], ["src/server.ts"], ["status"], ["constructor"], ["--help"]])(
    "%j is none of these sub-commands",
    async (...argv) => {
      expect((await new LookedAt(APP).run(...argv)).code).toBeUndefined();
    },
  );

  it("of a directory without a manifest says what to do", async () => {
    const project = new LookedAt(APP);
    for (const name of ["files", "check", "graph"]) {
      const { code, stdout, stderr } = await project.run(name);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("No manifest in this directory");
    }
  });
});
