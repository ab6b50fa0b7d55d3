import { describe, expect, it } from "vitest";
import { nearest } from "../../../src/manifest/nearest.js";
import { shown } from "../../../src/manifest/checker.js";
import { parseConfig, parseConfigs } from "../../../src/manifest/validate.js";

function failure(value: unknown): string {
  try {
    parseConfig(value, "prefork.config.ts");
  } catch (error) {
    return String(error);
  }
  return "no failure";
}

describe("parseConfig", () => {
  it("takes every form of an entry", () => {
    const config = {
      name: "shop",
      entry: "src/server.ts",
      sources: [
        "a.ts",
        { file: "b.ts", needs: ["a.ts"] },
        { directory: "d", sources: ["*.ts"], needs: ["a.ts"] },
        { file: "e/*.ts", standby: false },
        { directory: "f", sources: ["*.ts"], standby: false },
        { file: "g.json", reload: false },
        { directory: "h", sources: ["*.ts"], reload: false },
      ],
      changes: { "a.ts": ["b.ts"] },
      preload: ["express", "@fastify/cors", "socket.io", "JSONStream"],
      mixins: ["mixins/heap.ts", "../shared/reconnect.mjs"],
      server: {
        ...{ port: 0, host: "::1", front: false, workers: 1, standbys: 0 },
        ...{ workerPort: 1, consistency: "available", envFile: false },
        ...{ concurrency: 1, maxHeld: 0, endStreams: false, maxDraining: 0 },
        ...{ env: { A: "b" }, args: ["-x"], cwd: "..", control: "c.sock" },
      },
    };
    expect(parseConfig(config, "prefork.config.ts")).toEqual(config);
  });

  it("leaves out what is undefined", () => {
    const config = {
      entry: "a.ts",
      name: undefined,
      sources: [{ file: "b.ts", standby: undefined }],
      preload: undefined,
      mixins: undefined,
    };
    expect(parseConfig(config, "m")).toStrictEqual({
      entry: "a.ts",
      sources: [{ file: "b.ts" }],
    });
  });

  it("takes a switch that is on for what it is without", () => {
    const sources = [{ file: "a.ts", standby: true, reload: true }];
    expect(parseConfig({ entry: "a.ts", sources }, "m")).toStrictEqual({
      entry: "a.ts",
      sources: [{ file: "a.ts" }],
    });
  });

  it.each([
    ["a path", "./db"],
    ["a path above", "../db"],
    ["a file in a directory", "src/db.ts"],
    ["an absolute path", "/opt/db"],
    ["a path with backslashes", "src\\db"],
    ["a part of a package", "express/lib/router"],
    ["a part of a scoped package", "@fastify/cors/lib"],
    ["a scope", "@fastify"],
    ["a glob", "@fastify/*"],
    ["a glob with braces", "{a,b}"],
    ["a built-in with its scheme", "node:fs"],
    ["a version", "express@5"],
    ["a scope that is a path", "@../cors"],
    ["the directory of packages", "node_modules"],
    ["a space", " express"],
    ["a line end", "express\n"],
    ["nothing", ""],
    ["no text", 7],
    ["null", null],
  ])("takes no %s for a package's name", (_what, name) => {
    const config = { entry: "a.ts", preload: ["express", name] };
    expect(failure(config)).toContain(
      `preload[1] is ${JSON.stringify(name)}. It must be the name of a package, like "express" or "@fastify/cors": no path, no glob, no version.`,
    );
  });

  it.each<[unknown, string]>([
    [undefined, "prefork.config.ts has no default export. Start it with"],
    [[], "the default export is []. It must be a project"],
    [() => 1, "the default export is a function."],
    [{}, "entry is undefined. It must be the path of the program"],
    [{ entry: " " }, 'entry is " ".'],
    [{ entry: "a.ts", name: 5 }, "name is 5."],
    [
      { entry: "a.ts", source: ["b.ts"] },
      'the project has an unknown key "source" (["b.ts"]). Did you mean "sources"? It can have: name, entry, sources, changes, preload, mixins, server, $schema.',
    ],
    [
      { entry: "a.ts", sources: "b.ts" },
      'sources is "b.ts". It must be a list',
    ],
    [{ entry: "a.ts", sources: [7] }, "sources[0] is 7. It must be a path"],
    [
      { entry: "a.ts", sources: [{ file: "a.ts", need: [] }] },
      'sources[0] has an unknown key "need" ([]). Did you mean "needs"?',
    ],
    [
      { entry: "a.ts", sources: [{ dir: "a", sources: [] }] },
      'sources[0] has an unknown key "dir" ("a").',
    ],
    [
      { entry: "a.ts", sources: [{ needs: [] }] },
      'sources[0] is {"needs":[]}. It must be a path',
    ],
    [
      { entry: "a.ts", sources: [{ directory: "d" }] },
      "sources[0].sources is undefined.",
    ],
    [
      { entry: "a.ts", sources: [{ directory: "d", sources: ["a", 1] }] },
      "sources[0].sources[1] is 1.",
    ],
    [
      { entry: "a.ts", sources: [{ file: "b.ts", needs: "a.ts" }] },
      'sources[0].needs is "a.ts". It must be a list',
    ],
    ...[null, 0, "false", [], {}].map((standby): [unknown, string] => [
      { entry: "a.ts", sources: ["a.ts", { file: "b.ts", standby }] },
      `sources[1].standby is ${JSON.stringify(standby)}. It must be false (standbys never evaluate this ahead), or left out.`,
    ]),
    [
      {
        entry: "a.ts",
        sources: [{ directory: "d", sources: [], standby: "no" }],
      },
      'sources[0].standby is "no". It must be false',
    ],
    [
      { entry: "a.ts", sources: [{ file: "a.ts", standBy: false }] },
      'sources[0] has an unknown key "standBy" (false). Did you mean "standby"? It can have: file, needs, standby, reload, run.',
    ],
    [
      { entry: "a.ts", preload: "express" },
      'preload is "express". It must be a list of packages\' names, like ["express", "@fastify/cors"].',
    ],
    [
      { entry: "a.ts", mixins: "heap.ts" },
      'mixins is "heap.ts". It must be a list of modules of mixins',
    ],
    [
      { entry: "a.ts", mixins: ["heap.ts", "*"] },
      'mixins[1] is "*". It must be the path of a TypeScript or JavaScript file',
    ],
    [{ entry: "a.ts", mixins: [""] }, 'mixins[0] is "". It must be the path'],
    [
      { entry: "a.ts", mixin: [] },
      'an unknown key "mixin" ([]). Did you mean "mixins"?',
    ],
    [
      { entry: "a.ts", preloads: [] },
      'an unknown key "preloads" ([]). Did you mean "preload"?',
    ],
    [
      { entry: "a.ts", sources: [{ file: "a.ts", reload: 0 }] },
      "sources[0].reload is 0. It must be false (a change of this reloads nothing), or left out.",
    ],
    [
      { entry: "a.ts", server: 4 },
      "server is 4. It must have the server's options, like { workers: 4, port: 3000 }.",
    ],
    [
      { entry: "a.ts", server: { worker: 4 } },
      'server has an unknown key "worker" (4). Did you mean "workers"? It can have: port, host, front,',
    ],
    [
      { entry: "a.ts", server: { workers: 0 } },
      "server.workers is 0. It must be a whole number from 1 to 1024.",
    ],
    [
      { entry: "a.ts", server: { consistency: "stale" } },
      'server.consistency is "stale". It must be "fresh" or "available".',
    ],
    [
      { entry: "a.ts", server: { envFile: true } },
      "server.envFile is true. It must be a path, relative to the manifest, or false.",
    ],
    [
      { entry: "a.ts", server: { output: () => undefined } },
      "server.output is a function. It must be a path",
    ],
    [
      { entry: "a.ts", server: { mixins: ["a.ts"] } },
      'server can\'t have "mixins". Write mixins beside entry',
    ],
    [
      { entry: "a.ts", server: { upstreams: [] } },
      'server can\'t have "upstreams". Give it to createServer',
    ],
    [{ entry: "a.ts", changes: ["a"] }, 'changes is ["a"]. It must say'],
    [
      { entry: "a.ts", changes: { "x.ts": [null] } },
      'changes["x.ts"][0] is null.',
    ],
  ])("%j: says what is wrong", (value, text) => {
    expect(failure(value)).toContain(text);
  });
});

describe("parseConfigs", () => {
  const named = (name: string): object => ({ name, entry: "a.ts" });
  function refusal(values: readonly unknown[]): string {
    try {
      parseConfigs(values, "prefork.config.ts");
    } catch (error) {
      return String(error);
    }
    return "no failure";
  }

  it("takes a list of projects with names", () => {
    const list = [named("shop"), named("admin")];
    expect(parseConfigs(list, "m")).toEqual(list);
  });

  it.each<[readonly unknown[], string]>([
    [[], "prefork.config.ts: the default export is []. List at least one"],
    [[7], "the default export[0] is 7. It must be a project"],
    [
      [named("shop"), { entry: "a.ts" }],
      "prefork.config.ts: the default export[1].name is undefined. Where there are several projects, each must have a name",
    ],
    [
      [named("shop"), named("admin"), named("shop")],
      'the default export[2].name is "shop". That\'s the name of the default export[0] already',
    ],
    [
      [named("shop"), { name: "admin", entry: 5 }],
      'prefork.config.ts, project "admin": entry is 5.',
    ],
  ])("%j: says what is wrong, and of which", (values, text) => {
    expect(refusal(values)).toContain(text);
  });
});

describe("shown", () => {
  it("shows any value, shortly", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(shown(circle)).toBe("an object that contains itself");
    expect(shown(Symbol("s"))).toBe("Symbol(s)");
    expect(shown(7n)).toBe("7");
    expect(shown("x".repeat(500))).toHaveLength(78);
  });
});

describe("nearest", () => {
  it.each([
    ["usr.ts", ["base.ts", "user.ts"], "user.ts"],
    ["server.js", ["serve.js.map", "server.ts"], "server.ts"],
    ["Makefile", ["makefile"], "makefile"],
    ["schmea.sql", ["schema.sql"], "schema.sql"],
    ["a.ts", ["b.txt", "zz.ts"], undefined],
    ["anything", [], undefined],
  ])("of %s among %j is %s", (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });
});
