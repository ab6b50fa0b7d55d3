import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import type { Listing } from "../../../src/manifest/listing.js";
import { findCycle } from "../../../src/manifest/needs.js";
import { resolveSources } from "../../../src/manifest/resolve.js";
import type { ResolvedSources } from "../../../src/manifest/resolve.js";
import type { ProjectConfig } from "../../../src/manifest/types.js";

const ROOT = "/p";

/** A made-up tree; `dir/*.ext` is the only kind of glob it knows. */
function tree(files: readonly string[]): Listing {
  const all = files.map((file) => `${ROOT}/${file}`);
  const inside = (directory: string): string[] =>
    all.filter((file) => file.startsWith(`${directory}/`));
  return {
    fileAt: (file) => (all.includes(file) ? file : undefined),
    isDirectory: (directory) => inside(directory).length > 0,
    namesIn: (directory) => [
      ...new Set(
        inside(directory).map(
          (file) => file.slice(directory.length + 1).split("/")[0] ?? "",
        ),
      ),
    ],
    isGlob: (text) => /[*[]/.test(text),
    glob: (pattern, directory) => {
      const [head = "", tail = ""] = `${directory}/${pattern}`.split("*");
      // Backwards: the order is the resolver's business.
      return inside(directory)
        .filter((file) => file.startsWith(head) && file.endsWith(tail))
        .filter((file) => !file.slice(head.length).includes("/"))
        .reverse();
    },
    matches: () => false,
  };
}

function resolve(
  files: readonly string[],
  config: ProjectConfig,
): ResolvedSources {
  const place = {
    name: "prefork.config.ts",
    path: `${ROOT}/prefork.config.ts`,
    root: ROOT,
  };
  return resolveSources(config, place, tree(files));
}

/** The sources, each as `path` or `path < what it needs`. */
function lines(files: readonly string[], config: ProjectConfig): string[] {
  const short = (file: string): string => file.slice(ROOT.length + 1);
  return resolve(files, config).sources.map(({ path, needs }) =>
    [short(path), ...needs.map(short)].join(" < "),
  );
}

function failure(files: readonly string[], config: ProjectConfig): string {
  try {
    resolve(files, config);
  } catch (error) {
    if (error instanceof PreforkError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "no failure";
}

const files = [
  "a.ts",
  "b.ts",
  "schema.sql",
  "server.ts",
  "prefork.config.ts",
  "models/base.ts",
  "models/user.ts",
  "models/User2.ts",
  "models/schema.sql",
  "routes/[id].ts",
];

describe("the order of sources", () => {
  it("is as written, each once, the entry last unless it is listed", () => {
    const sources = ["b.ts", "a.ts", "./b.ts", "models/../a.ts"];
    expect(lines(files, { entry: "server.ts", sources })).toEqual([
      "b.ts",
      "a.ts",
      "server.ts",
    ]);
    expect(
      lines(files, { entry: "server.ts", sources: ["server.ts", "a.ts"] }),
    ).toEqual(["server.ts", "a.ts"]);
    expect(lines(files, { entry: "server.ts" })).toEqual(["server.ts"]);
  });

  it("of a glob's matches is by code unit, and leaves the manifest out", () => {
    expect(
      lines(files, { entry: "server.ts", sources: ["models/*.ts", "*.ts"] }),
    ).toEqual([
      "models/User2.ts",
      "models/base.ts",
      "models/user.ts",
      "a.ts",
      "b.ts",
      "server.ts",
    ]);
  });

  it("of what is listed before a glob stays", () => {
    const sources = [
      { directory: "models", sources: ["user.ts", "*.ts"] },
      "schema.sql",
    ];
    expect(lines(files, { entry: "server.ts", sources })).toEqual([
      "models/user.ts",
      "models/User2.ts",
      "models/base.ts",
      "schema.sql",
      "server.ts",
    ]);
  });

  it("a path that exists is not a glob", () => {
    expect(
      lines(files, { entry: "server.ts", sources: ["routes/[id].ts"] }),
    ).toEqual(["routes/[id].ts", "server.ts"]);
  });
});

describe("needs", () => {
  it("are looked up beside the entry first, then from the manifest", () => {
    const sources = [
      "schema.sql",
      "a.ts",
      {
        directory: "models",
        sources: [
          "schema.sql",
          { file: "user.ts", needs: ["schema.sql", "a.ts"] },
        ],
      },
      { file: "server.ts", needs: ["schema.sql"] },
    ];
    expect(lines(files, { entry: "server.ts", sources })).toEqual([
      "schema.sql",
      "a.ts",
      "models/schema.sql",
      "models/user.ts < models/schema.sql < a.ts",
      "server.ts < schema.sql",
    ]);
  });

  it("of a directory or a glob are all its sources', but for those they name", () => {
    const sources = [
      "schema.sql",
      {
        directory: "models",
        needs: ["base.ts", "../schema.sql"],
        sources: ["base.ts", { file: "user.ts", needs: ["User2.ts"] }],
      },
      { file: "models/*.ts", needs: ["models/base.ts"] },
    ];
    expect(lines(files, { entry: "server.ts", sources })).toEqual([
      "schema.sql",
      "models/base.ts",
      "models/user.ts < models/base.ts < schema.sql < models/User2.ts",
      "models/User2.ts < models/base.ts",
      "server.ts",
    ]);
  });

  it("of a source that is listed twice add up; each counts once; globs mean the others", () => {
    const sources = [
      "*.ts",
      { file: "b.ts", needs: ["a.ts", "./a.ts"] },
      { file: "b.ts", needs: ["*.ts"] },
    ];
    expect(lines(files, { entry: "server.ts", sources })).toEqual([
      "a.ts",
      "b.ts < a.ts < server.ts",
      "server.ts",
    ]);
  });

  it("can be written the other way round, globs included", () => {
    const config = {
      entry: "server.ts",
      sources: ["a.ts", { file: "b.ts", needs: ["a.ts"] }, "models/*.ts"],
      changes: {
        "a.ts": ["b.ts", "server.ts"],
        "models/*.ts": ["server.ts"],
        "models/base.ts": ["models/*.ts"],
      },
    };
    expect(lines(files, config)).toEqual([
      "a.ts",
      "b.ts < a.ts",
      "models/User2.ts < models/base.ts",
      "models/base.ts",
      "models/user.ts < models/base.ts",
      "server.ts < a.ts < models/User2.ts < models/base.ts < models/user.ts",
    ]);
  });
});

describe("mixins", () => {
  it("are files in the order written, each once, listed as sources or not", () => {
    const config = {
      entry: "server.ts",
      sources: ["a.ts"],
      mixins: ["models/user.ts", "./a.ts", "models/../models/user.ts"],
    };
    const { mixins, sources } = resolve(files, config);
    expect(mixins).toEqual([`${ROOT}/models/user.ts`, `${ROOT}/a.ts`]);
    expect(sources.map(({ path }) => path)).not.toContain(mixins[0]);
    expect(resolve(files, { entry: "a.ts" }).mixins).toEqual([]);
  });

  it("that don't exist are named, with what was probably meant", () => {
    const config = { entry: "a.ts", mixins: ["a.ts", "models/usr.ts"] };
    expect(failure(files, config)).toBe(
      'ERR_PREFORK_SOURCE_MISSING prefork.config.ts: mixins[1] "models/usr.ts" doesn\'t exist. Did you mean "models/user.ts"? Correct the path, or make the file.',
    );
  });
});

describe("standby", () => {
  /** The sources that no standby evaluates ahead. */
  const keptBack = (config: ProjectConfig): string[] =>
    resolve(files, config)
      .sources.filter((source) => !source.standby)
      .map((source) => source.path.slice(ROOT.length + 1));

  it("is true unless an entry says otherwise", () => {
    const sources = ["*.ts", { directory: "models", sources: ["*.ts"] }];
    expect(keptBack({ entry: "server.ts", sources })).toEqual([]);
  });

  it("false at a glob holds for all its matches", () => {
    const sources = [
      "a.ts",
      { file: "models/*.ts", standby: false as const },
      "b.ts",
    ];
    expect(keptBack({ entry: "server.ts", sources })).toEqual([
      "models/User2.ts",
      "models/base.ts",
      "models/user.ts",
    ]);
  });

  it("false at a directory holds for all that is listed in it, nested too, and for nothing else there", () => {
    const sources = [
      {
        directory: "models",
        standby: false as const,
        sources: [
          "user.ts",
          { file: "base.ts", needs: ["../a.ts"] },
          { directory: "../routes", sources: ["[id].ts"] },
        ],
      },
      "a.ts",
      "models/User2.ts",
    ];
    expect(keptBack({ entry: "server.ts", sources })).toEqual([
      "models/user.ts",
      "models/base.ts",
      "routes/[id].ts",
    ]);
  });

  it("false isn't taken back by another entry, before or after", () => {
    const sources = [
      { file: "b.ts", standby: false as const },
      "*.ts",
      { file: "a.ts", standby: false as const },
      { file: "a.ts", needs: ["b.ts"] },
    ];
    expect(keptBack({ entry: "a.ts", sources })).toEqual(["b.ts", "a.ts"]);
  });

  it("is no matter of needs", () => {
    const sources = [
      { file: "a.ts", standby: false as const },
      { file: "b.ts", needs: ["a.ts"] },
    ];
    expect(keptBack({ entry: "b.ts", sources })).toEqual(["a.ts"]);
  });
});

describe("reload", () => {
  it("false holds as `standby: false` does, and apart from it", () => {
    const sources = [
      { file: "b.ts", standby: false as const },
      {
        directory: "models",
        reload: false as const,
        sources: ["user.ts", { directory: "../routes", sources: ["[id].ts"] }],
      },
      "models/*.ts",
      { file: "a.ts", reload: false as const },
      "a.ts",
    ];
    const resolved = resolve(files, { entry: "server.ts", sources }).sources;
    const off = (name: "standby" | "reload"): string[] =>
      resolved
        .filter((source) => !source[name])
        .map((source) => source.path.slice(ROOT.length + 1));
    expect(off("reload")).toEqual(["models/user.ts", "routes/[id].ts", "a.ts"]);
    expect(off("standby")).toEqual(["b.ts"]);
  });
});

describe("what is wrong is named with its place and the way out", () => {
  const nested = (name: string): ProjectConfig => ({
    entry: "server.ts",
    sources: ["a.ts", "b.ts", { directory: "models", sources: [name] }],
  });

  it.each<[string, ProjectConfig, string]>([
    [
      "a missing file",
      nested("usr.ts"),
      'ERR_PREFORK_SOURCE_MISSING prefork.config.ts: sources[2].sources[0] "usr.ts" doesn\'t exist in models. ' +
        'Did you mean "user.ts"? Correct the path, or make the file.',
    ],
    [
      "another extension",
      { entry: "server.js" },
      'ERR_PREFORK_SOURCE_MISSING prefork.config.ts: entry "server.js" doesn\'t exist. Did you mean "server.ts"? Correct the path, or make the file.',
    ],
    [
      "a missing directory on the way",
      { entry: "modls/user.ts" },
      'Did you mean "models/user.ts"?',
    ],
    [
      "a missing directory",
      { entry: "a.ts", sources: [{ directory: "model", sources: [] }] },
      'sources[0].directory "model" doesn\'t exist. Did you mean "models"?',
    ],
    [
      "a directory as file",
      { entry: "a.ts", sources: ["models"] },
      'sources[0] "models" is a directory. Write "models/**/*.ts", or { directory: "models", sources: [...] }.',
    ],
    [
      "a file as directory",
      { entry: "a.ts", sources: [{ directory: "b.ts", sources: [] }] },
      'is a file. Write { file: "b.ts" } instead.',
    ],
    [
      "a glob without matches",
      { entry: "a.ts", sources: [{ file: "views/*.html" }] },
      'ERR_PREFORK_SOURCE_MISSING prefork.config.ts: sources[0].file "views/*.html" matches no file',
    ],
    [
      "a need with a typo",
      {
        entry: "a.ts",
        sources: ["schema.sql", { file: "a.ts", needs: ["shcema.sql"] }],
      },
      'ERR_PREFORK_NEEDS_UNKNOWN prefork.config.ts: sources[1].needs[0] "shcema.sql" names no listed source. ' +
        'Did you mean "schema.sql"? Correct it, or add it to sources.',
    ],
    [
      "a need that isn't listed",
      { entry: "a.ts", sources: [{ file: "a.ts", needs: ["b.ts"] }] },
      'sources[0].needs[0] "b.ts" is a file, but not one of the listed sources. Add it to sources.',
    ],
    [
      "an unknown key of changes",
      { entry: "a.ts", changes: { "c.ts": ["a.ts"] } },
      'ERR_PREFORK_NEEDS_UNKNOWN prefork.config.ts: changes "c.ts" names no listed source.',
    ],
    [
      "an unknown value of changes",
      { entry: "a.ts", changes: { "a.ts": ["zzzzzz.ts"] } },
      'changes["a.ts"][0] "zzzzzz.ts" names no listed source. Correct it',
    ],
    [
      "a circle through both ways of writing",
      {
        entry: "server.ts",
        sources: ["a.ts", { file: "b.ts", needs: ["a.ts"] }],
        changes: { "b.ts": ["server.ts"], "server.ts": ["a.ts"] },
      },
      "ERR_PREFORK_NEEDS_CYCLE prefork.config.ts: sources need each other in a circle: a.ts -> server.ts -> b.ts -> a.ts " +
        '(changes["server.ts"][0], changes["b.ts"][0], sources[1].needs[0]). Remove one',
    ],
    [
      "a source that needs itself",
      { entry: "a.ts", sources: [{ file: "a.ts", needs: ["./a.ts"] }] },
      "ERR_PREFORK_NEEDS_CYCLE prefork.config.ts: a.ts needs itself (sources[0].needs[0]). Remove that.",
    ],
  ])("%s", (_what, config, text) => {
    expect(failure(files, config)).toContain(text);
  });
});

describe("for any manifest", () => {
  const names = ["a", "b", "c", "d/e", "d/f", "g"].map((name) => `${name}.ts`);
  const name = fc.constantFrom(...names);
  const some = fc.subarray(names);
  const entry = fc.oneof(
    name,
    fc.constantFrom("*.ts", "d/*.ts"),
    fc.record({ file: name, needs: some }, { requiredKeys: ["file"] }),
  );
  const config = fc.record({
    entry: name,
    sources: fc.array(entry, { maxLength: 8 }),
    changes: fc.dictionary(name, some, { maxKeys: 3 }),
  });

  it("sources are listed once, needs are sources, listed once, without a circle; else there is an error with a code", () => {
    let resolved = 0;
    fc.assert(
      fc.property(config, (any) => {
        let result: ResolvedSources;
        try {
          result = resolve(names, any);
        } catch (error) {
          expect(error).toBeInstanceOf(PreforkError);
          expect(error).toHaveProperty(
            "code",
            expect.stringMatching(/ERR_PREFORK_(NEEDS|SOURCE)_/),
          );
          return;
        }
        resolved += 1;
        const paths = result.sources.map((source) => source.path);
        expect(new Set(paths).size).toBe(paths.length);
        expect(paths).toContain(result.entry);
        for (const { path, needs } of result.sources) {
          expect(new Set(needs).size).toBe(needs.length);
          expect(needs).not.toContain(path);
          for (const needed of needs) expect(paths).toContain(needed);
        }
        // No circle: taking away, again and again, what needs nothing that is left takes away all.
        const left = new Map(
          result.sources.map(({ path, needs }) => [path, needs]),
        );
        for (let before = -1; left.size !== before;) {
          before = left.size;
          for (const [path, needs] of left)
            if (!needs.some((needed) => left.has(needed))) left.delete(path);
        }
        expect(left.size).toBe(0);
      }),
      { numRuns: 500 },
    );
    expect(resolved).toBeGreaterThan(20);
  });

  it("plain paths keep the order of their first appearance", () => {
    fc.assert(
      fc.property(fc.array(name), name, (sources, first) => {
        const { sources: found } = resolve(names, { entry: first, sources });
        const expected = [...new Set([...sources, first])];
        expect(found.map((source) => source.path)).toEqual(
          expected.map((each) => `${ROOT}/${each}`),
        );
      }),
    );
  });

  it("`changes` says the same as `needs`", () => {
    const edges = fc.array(fc.tuple(name, name), { maxLength: 6 });
    const asSet = (found: ResolvedSources): unknown =>
      found.sources.map(({ path, needs }) => [path, [...needs].sort()]);
    fc.assert(
      fc.property(edges, (pairs) => {
        // Only from later to earlier: without a circle.
        const acyclic = pairs.filter(
          ([from, to]) => names.indexOf(from) > names.indexOf(to),
        );
        const byNeeds = resolve(names, {
          entry: "g.ts",
          sources: names.map((file) => ({
            file,
            needs: acyclic
              .filter(([from]) => from === file)
              .map(([, to]) => to),
          })),
        });
        const byChanges = resolve(names, {
          entry: "g.ts",
          sources: names,
          changes: Object.fromEntries(
            names.map((file) => [
              file,
              acyclic.filter(([, to]) => to === file).map(([from]) => from),
            ]),
          ),
        });
        expect(asSet(byChanges)).toEqual(asSet(byNeeds));
      }),
    );
  });
});

describe("findCycle", () => {
  it("finds a circle exactly where there is one, and what it finds is one", () => {
    const graph = fc
      .uniqueArray(fc.tuple(fc.nat(6), fc.nat(6)), {
        selector: ([from, to]) => `${from}-${to}`,
        maxLength: 12,
      })
      .map((edges) => {
        const map = new Map<string, Map<string, string>>();
        for (let node = 0; node <= 6; node++) map.set(String(node), new Map());
        for (const [from, to] of edges)
          map.get(String(from))?.set(String(to), `${from}>${to}`);
        return map;
      });
    fc.assert(
      fc.property(graph, (map) => {
        const cycle = findCycle(map);
        if (cycle === undefined) {
          const left = new Map(map);
          for (let before = -1; left.size !== before;) {
            before = left.size;
            for (const [node, needs] of left)
              if (![...needs.keys()].some((each) => left.has(each)))
                left.delete(node);
          }
          expect(left.size).toBe(0);
          return;
        }
        const { sources, fields } = cycle;
        expect(sources.at(-1)).toBe(sources[0]);
        expect(fields).toEqual(
          sources.slice(1).map((to, index) => `${sources[index] ?? ""}>${to}`),
        );
        for (const [index, to] of sources.slice(1).entries())
          expect(map.get(sources[index] ?? "")?.has(to)).toBe(true);
      }),
    );
  });

  it("takes a chain of 100,000", () => {
    const chain = new Map<string, Map<string, string>>();
    for (let node = 0; node < 100_000; node++)
      chain.set(String(node), new Map([[String(node + 1), ""]]));
    expect(findCycle(chain)).toBeUndefined();
  });
});
