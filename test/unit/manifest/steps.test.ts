/** Steps (`run`) as a manifest has them: shape, what they make as sources, what isn't there yet, what can't be. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import { fileListing } from "../../../src/manifest/listing.js";
import { resolveSources } from "../../../src/manifest/resolve.js";
import type { ResolvedSources } from "../../../src/manifest/resolve.js";
import type { SourceEntry } from "../../../src/manifest/types.js";
import { parseConfig } from "../../../src/manifest/validate.js";

/** What an attempt fails with. */
function failureOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof PreforkError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "no failure";
}

const shapeFailure = (run: unknown): string =>
  failureOf(() =>
    parseConfig({ entry: "a.ts", sources: [{ file: "b", run }] }, "m"),
  );

describe("the shape of a step", () => {
  it("is a command or a function, with what it makes", () => {
    const fn = (): void => undefined;
    const sources = [
      { file: "a.sql", run: { command: "gen", makes: ["a.ts"] } },
      { file: "b.sql", run: { command: ["gen", ""], makes: ["b.ts"] } },
      {
        file: "*.txt",
        run: { fn, reads: ["gen.ts"], makes: ["c.ts"], timeoutMs: 0 },
      },
    ];
    expect(parseConfig({ entry: "a.ts", sources }, "m")).toStrictEqual({
      entry: "a.ts",
      sources,
    });
  });

  it.each([
    ["gen", 'sources[0].run is "gen". It must be a step, like {'],
    [{ makes: ["a"] }, "sources[0].run has neither command nor fn."],
    [
      { command: "gen", fn: () => undefined, makes: ["a"] },
      "sources[0].run has both command and fn.",
    ],
    [
      { command: "gen", reads: "a", makes: ["a"] },
      'sources[0].run.reads is "a".',
    ],
    [{ command: "gen" }, "sources[0].run.makes is undefined."],
    [{ command: "gen", makes: [] }, "sources[0].run.makes is []."],
    [{ command: "gen", makes: [""] }, 'sources[0].run.makes[0] is "".'],
    [{ command: " ", makes: ["a"] }, 'sources[0].run.command is " ".'],
    [{ command: [], makes: ["a"] }, "sources[0].run.command is []."],
    [{ command: [""], makes: ["a"] }, 'sources[0].run.command[0] is "".'],
    [{ command: ["a", 1], makes: ["a"] }, "sources[0].run.command[1] is 1."],
    [
      { fn: "gen", makes: ["a"] },
      'sources[0].run.fn is "gen". It must be a function, so the manifest must be code; in JSON give it a command.',
    ],
    [
      { command: "gen", makes: ["a"], timeoutMs: -1 },
      "sources[0].run.timeoutMs is -1.",
    ],
    [
      { comand: "gen", makes: ["a"] },
      'sources[0].run has an unknown key "comand" ("gen"). Did you mean "command"? It can have: command, fn, reads, makes, timeoutMs.',
    ],
  ])("%j: %s", (run, message) => {
    expect(shapeFailure(run)).toContain(`ERR_PREFORK_MANIFEST m: ${message}`);
  });

  it("is nothing for a directory", () => {
    const run = { command: "gen", makes: ["a"] };
    const sources = [{ directory: "b", sources: [], run }];
    expect(
      failureOf(() => parseConfig({ entry: "a.ts", sources }, "m")),
    ).toContain("m: sources[0].run can't stand at a directory.");
  });
});

/** A directory with these files, and a manifest's list resolved in it. */
class Folder {
  readonly root: string;

  constructor(...files: string[]) {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "pfd-run-"));
    onTestFinished(() => fs.rmSync(base, { recursive: true, force: true }));
    this.root = fs.realpathSync(base);
    this.write("server.ts", "prefork.config.ts", ...files);
  }

  write(...files: string[]): void {
    for (const file of files) {
      const at = path.join(this.root, file);
      fs.mkdirSync(path.dirname(at), { recursive: true });
      fs.writeFileSync(at, "");
    }
  }

  resolve(...sources: SourceEntry[]): ResolvedSources {
    const { root } = this;
    return resolveSources(
      { entry: "server.ts", sources },
      { name: "m", path: path.join(root, "prefork.config.ts"), root },
      fileListing,
    );
  }

  failure(...sources: SourceEntry[]): string {
    return failureOf(() => this.resolve(...sources));
  }

  /** The sources, each as `path` or `path < what it needs`. */
  lines(...sources: SourceEntry[]): string[] {
    const short = (file: string): string => path.relative(this.root, file);
    return this.resolve(...sources).sources.map(({ path: file, needs }) =>
      [short(file), ...needs.map(short)].join(" < "),
    );
  }
}

const command = (...makes: string[]): { command: string; makes: string[] } => ({
  command: "gen",
  makes,
});

describe("what steps make", () => {
  it("are sources behind what is read, there or not, without an edge", () => {
    const folder = new Folder("a.sql", "b.sql", "z.ts", "gen/b.ts");
    const run = command("gen/a.ts", "gen/b.ts");
    expect(folder.lines({ file: "*.sql", run }, "z.ts")).toEqual([
      ...["a.sql", "b.sql", "gen/a.ts", "gen/b.ts", "z.ts", "server.ts"],
    ]);
  });

  it("stand where they're listed anyway, by path or glob", () => {
    const folder = new Folder("a.sql", "z.ts", "gen/b.ts");
    const run = command("gen/a.ts", "gen/b.ts");
    expect(
      folder.lines({ file: "a.sql", run }, "z.ts", "gen/a.ts", "gen/*.ts"),
    ).toEqual(["a.sql", "z.ts", "gen/a.ts", "gen/b.ts", "server.ts"]);
  });

  it("may be listed by name although a glob says that they're made, there or not", () => {
    const folder = new Folder("a.sql", "gen/b.ts", "gen/own.sql", "z.ts");
    const sources = [
      { file: "a.sql", run: command("gen/*.ts") },
      "gen/a.ts",
      { directory: "gen", sources: [{ file: "c.ts", needs: ["b.ts"] }] },
      { file: "z.ts", needs: ["gen/a.ts"] },
    ];
    const lines = [
      ...["a.sql", "gen/b.ts", "gen/a.ts", "gen/c.ts < gen/b.ts"],
      ...["z.ts < gen/a.ts", "server.ts"],
    ];
    expect(folder.lines(...sources)).toEqual(lines);
    // What is listed must be there afterwards, whatever else the glob matches; and the step stays the same one.
    const before = folder.resolve(...sources).steps;
    expect(before[0]?.outputs.map((file) => path.basename(file))).toEqual([
      ...["a.ts", "c.ts"],
    ]);
    folder.write("gen/a.ts", "gen/c.ts");
    expect(folder.resolve(...sources).steps).toEqual(before);
    expect(folder.lines(...sources)).toEqual(lines);
    expect(folder.failure(...sources, "gen/d.txt")).toContain("gen/d.txt");
  });

  it("what a step reads isn't what it makes, although its glob matches that and it's listed", () => {
    const folder = new Folder("gen/own.ts");
    const run = command("gen/*.ts");
    const [step] = folder.resolve({ file: "gen/own.ts", run }).steps;
    expect(step?.outputs).toEqual([]);
  });

  it("are relative to the directory of the entry", () => {
    const folder = new Folder("db/a.sql");
    const entry = { file: "a.sql", run: command("../gen/a.ts", "b.ts") };
    const sources = [{ directory: "db", sources: [entry] }];
    expect(folder.lines(...sources)).toEqual([
      ...["db/a.sql", "gen/a.ts", "db/b.ts", "server.ts"],
    ]);
    const [step] = folder.resolve(...sources).steps;
    expect(step).toMatchObject({
      field: "sources[0].sources[0].run",
      inputs: [path.join(folder.root, "db/a.sql")],
      task: { kind: "command", command: "gen" },
      timeoutMs: 60_000,
    });
  });

  it("can be needed before they're there, by path and by glob", () => {
    const folder = new Folder("a.sql", "z.ts");
    const sources: SourceEntry[] = [
      { file: "a.sql", run: command("gen/a.ts") },
      { file: "z.ts", needs: ["gen/a.ts", "gen/*.ts"] },
      "gen/**/*.ts",
      { directory: "gen", sources: ["*.ts"] },
    ];
    const before = ["a.sql", "gen/a.ts", "z.ts < gen/a.ts", "server.ts"];
    expect(folder.lines(...sources)).toEqual(before);
    folder.write("gen/a.ts", "gen/other.ts");
    expect(folder.lines(...sources)).toEqual([
      ...["a.sql", "z.ts < gen/a.ts < gen/other.ts", "gen/a.ts"],
      ...["gen/other.ts", "server.ts"],
    ]);
  });

  it("may be globs, whose matches are sources", () => {
    const folder = new Folder("a.sql");
    const sources: SourceEntry[] = [
      { file: "a.sql", run: command("gen/*.ts") },
      { file: "server.ts", needs: ["gen/a.ts"] },
    ];
    expect(folder.lines(...sources)).toEqual(["a.sql", "server.ts"]);
    folder.write("gen/b.ts", "gen/a.ts");
    expect(folder.lines(...sources)).toEqual([
      ...["a.sql", "gen/a.ts", "gen/b.ts", "server.ts < gen/a.ts"],
    ]);
  });

  it("aren't what the step reads, if a glob matches them", () => {
    const folder = new Folder("p/a.json", "p/all.json");
    const [step] = folder.resolve({
      file: "p/*.json",
      run: command("p/all.json"),
    }).steps;
    expect(step?.inputs).toEqual([path.join(folder.root, "p/a.json")]);
  });

  it("are of no concern to what else is read: that's no source, but must be there", () => {
    const folder = new Folder("a.sql", "tools/gen.mjs", "tools/b.mjs");
    const entry = (...reads: string[]): SourceEntry => ({
      file: "a.sql",
      run: { ...command("a.ts"), reads },
    });
    const { sources, steps } = folder.resolve(
      entry("tools/gen.mjs", "tools/*.mjs"),
    );
    const short = (file: string): string => path.relative(folder.root, file);
    expect(sources.map((source) => short(source.path))).toEqual([
      ...["a.sql", "a.ts", "server.ts"],
    ]);
    expect(steps[0]?.sources.map(short)).toEqual(["a.sql"]);
    expect(steps[0]?.inputs.map(short)).toEqual([
      ...["a.sql", "tools/gen.mjs", "tools/b.mjs"],
    ]);
    expect(folder.failure(entry("tool/gen.mjs"))).toContain(
      'ERR_PREFORK_SOURCE_MISSING m: sources[0].run.reads[0] "tool/gen.mjs" doesn\'t exist. Did you mean "tools/gen.mjs"?',
    );
  });

  it("have the switches of the directories around the entry, not its own", () => {
    const folder = new Folder("d/a.sql", "b.sql");
    const { sources } = folder.resolve(
      {
        directory: "d",
        standby: false,
        sources: [{ file: "a.sql", run: command("a.ts") }],
      },
      { file: "b.sql", reload: false, run: command("b.ts") },
    );
    const switches = sources.map(({ path: file, standby, reload }) => [
      path.relative(folder.root, file),
      standby,
      reload,
    ]);
    expect(switches).toEqual([
      ["d/a.sql", false, true],
      ["d/a.ts", false, true],
      ["b.sql", true, false],
      ["b.ts", true, true],
      ["server.ts", true, true],
    ]);
  });

  it("excuse nothing else that is missing", () => {
    const folder = new Folder("a.sql");
    const entry = { file: "a.sql", run: command("gen/a.ts") };
    expect(folder.failure(entry, "src/*.ts")).toContain(
      'ERR_PREFORK_SOURCE_MISSING m: sources[1] "src/*.ts" matches no file',
    );
    expect(folder.failure(entry, "gen/b.ts")).toContain(
      'sources[1] "gen/b.ts" doesn\'t exist.',
    );
    expect(folder.failure({ ...entry, needs: ["b.sql"] })).toContain(
      "ERR_PREFORK_NEEDS_UNKNOWN",
    );
    folder.write("gen/a.ts");
    expect(folder.failure(entry, "gen/*.json")).toContain("matches no file");
  });
});

describe("what can't be", () => {
  it("a step that makes what it reads", () => {
    const folder = new Folder("a.sql");
    expect(
      folder.failure({ file: "a.sql", run: command("b.ts", "./a.sql") }),
    ).toContain(
      'ERR_PREFORK_MANIFEST m: sources[0].run.makes[1] "./a.sql" is what the step reads',
    );
  });

  it("two steps that make the same: by path, by glob, by the same glob", () => {
    const folder = new Folder("a.sql", "b.sql");
    const two = (one: string, other: string): string =>
      folder.failure(
        { file: "a.sql", run: command(one) },
        { file: "b.sql", run: command(other) },
      );
    const fault = (text: string): string =>
      `ERR_PREFORK_MANIFEST m: sources[1].run.makes[0] "${text}" is made by sources[0].run already.`;
    expect(two("c.ts", "./c.ts")).toContain(fault("./c.ts"));
    expect(two("g/*.ts", "g/*.ts")).toContain(fault("g/*.ts"));
    expect(two("g/*.ts", "g/c.ts")).toBe("no failure");
    folder.write("g/c.ts");
    expect(two("g/*.ts", "g/c.ts")).toContain(fault("g/c.ts"));
  });

  it("steps in a circle", () => {
    const folder = new Folder("a.sql", "b.sql");
    expect(
      folder.failure(
        { file: "a.sql", run: command("b.sql") },
        { file: "b.sql", run: command("a.sql") },
      ),
    ).toContain(
      "ERR_PREFORK_MANIFEST m: steps make each other's sources in a circle: sources[0].run <- sources[1].run <- sources[0].run (a.sql, b.sql).",
    );
  });

  it("a directory that is made", () => {
    const folder = new Folder("a.sql", "gen/a.ts");
    for (const text of ["gen", "other/"])
      expect(folder.failure({ file: "a.sql", run: command(text) })).toContain(
        `m: sources[0].run.makes[0] "${text}" is a directory. Name its files, or write "${text.replace("/", "")}/**/*".`,
      );
  });
});
