import { expect, test } from "vitest";
import { listedSources } from "../../src/listed-sources.js";

test("sources stand as they are written, but behind what they need", () => {
  const source = (
    path: string,
    ...needs: string[]
  ): { path: string; needs: string[]; standby: true; reload: true } => ({
    ...{ path, needs },
    standby: true,
    reload: true,
  });
  const sources = listedSources({
    name: "app",
    root: "/app",
    manifest: undefined,
    entry: "/app/main.ts",
    sources: [
      source("/app/a.ts"),
      source("/app/b.ts", "/lib/d.ts", "/app/c.ts"),
      source("/app/c.ts"),
      source("/lib/d.ts", "/app/c.ts"),
      source("/app/main.ts"),
    ],
    preload: [],
    mixins: [],
    steps: [],
    definedBy: [],
    server: {},
    isOneOfList: false,
    globs: [],
    listsSources: false,
  });
  expect(sources.map(({ relativePath }) => relativePath)).toEqual([
    "a.ts",
    "c.ts",
    "../lib/d.ts",
    "b.ts",
    "main.ts",
  ]);
  expect(sources.at(3)).toMatchObject({
    path: "/app/b.ts",
    needs: ["/lib/d.ts", "/app/c.ts"],
  });
});
