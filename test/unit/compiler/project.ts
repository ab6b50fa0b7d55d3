import { execFile } from "node:child_process";
import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { onTestFinished, vi } from "vitest";
import { createCompiler } from "../../../src/compiler/compiler.js";
import type {
  Build,
  BuildResult,
  Compiler,
  CompilerOptions,
} from "../../../src/compiler/types.js";
import type { ResolvedProject } from "../../../src/manifest/types.js";

// These compile with esbuild and start Node: deadlines are for hangs, not for busy machines.
vi.setConfig({ testTimeout: 60_000 });

const execute = promisify(execFile);

/** Stands in for the worker: what architecture.md says the three symbols do, without a master to ask. */
const PRELOAD = `
globalThis[Symbol.for("prefork-dev.import")] = (specifier, from) => {
  globalThis.asked = [...(globalThis.asked ?? []), [String(specifier), from]];
  return globalThis.answers?.[specifier] ?? specifier;
};
globalThis[Symbol.for("prefork-dev.resolve")] = (from) => (specifier) => specifier + " from " + from;
globalThis[Symbol.for("prefork-dev.require")] = (require, module, from, literals) =>
  Object.assign((specifier) => require(literals[specifier] ?? specifier), require, { literals });
`;

/** A project in a temporary directory that is removed after the test. */
export interface TestProject {
  readonly root: string;
  path(name: string): string;
  write(files: Readonly<Record<string, string>>): void;
  /** Makes a compiler that is closed after the test. Default entry: `src/main.ts`. */
  compiler(
    options?: Partial<Resolve> & Partial<CompilerOptions>,
  ): Promise<Compiler>;
  resolved(options?: Partial<Resolve>): ResolvedProject;
  /** Runs a compiled file with plain Node; gives what it printed, parsed as JSON. */
  run(output: string, answers?: Record<string, string>): Promise<unknown>;
}

interface Resolve {
  readonly entry: string;
  /** Names with what they need. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
}

export async function testProject(
  files: Readonly<Record<string, string>>,
  name = "app",
): Promise<TestProject> {
  const base = realpathSync(await mkdtemp(join(tmpdir(), "prefork-compiler-")));
  onTestFinished(() => {
    rmSync(base, { recursive: true, force: true });
  });
  const root = join(base, name);
  const path = (file: string): string => join(root, file);
  const resolved: TestProject["resolved"] = ({
    entry = "src/main.ts",
    sources = {},
  } = {}) => ({
    name: "test",
    root,
    manifest: undefined,
    isOneOfList: false,
    globs: [],
    listsSources: false,
    entry: path(entry),
    sources: Object.entries(sources).map(([source, needs]) => ({
      path: path(source),
      needs: needs.map(path),
      standby: true,
      reload: true,
    })),
    preload: [],
    mixins: [],
    server: {},
    steps: [],
    definedBy: [],
  });
  const write: TestProject["write"] = (contents) => {
    for (const [file, content] of Object.entries(contents)) {
      mkdirSync(dirname(path(file)), { recursive: true });
      writeFileSync(path(file), content);
    }
  };
  write(files);
  const preload = join(base, "preload.mjs");
  writeFileSync(preload, PRELOAD);
  return {
    root,
    path,
    write,
    resolved,
    compiler: async (options = {}) => {
      const { entry, sources, ...rest } = options;
      const project = resolved({
        ...(entry !== undefined && { entry }),
        ...(sources !== undefined && { sources }),
      });
      const compiler = await createCompiler({ project, ...rest });
      onTestFinished(async () => {
        await compiler.close();
      });
      return compiler;
    },
    run: async (output, answers = {}) => {
      const start = join(base, "start.mjs");
      writeFileSync(
        start,
        `globalThis.answers = ${JSON.stringify(answers)};\nawait import(${JSON.stringify(pathToFileURL(output).href)});`,
      );
      const args = [
        "--enable-source-maps",
        "--import",
        pathToFileURL(preload).href,
        start,
      ];
      const { stdout } = await execute(process.execPath, args, { cwd: root });
      return JSON.parse(stdout) as unknown;
    },
  };
}

/** The build, or a failure that shows what was wrong. */
export function built(result: BuildResult): Build {
  if (result.kind === "failed") {
    throw new Error(
      result.diagnostics
        .map(
          ({ message, file, line }) => `${file ?? ""}:${line ?? 0} ${message}`,
        )
        .join("\n"),
    );
  }
  return result.build;
}

/** The closure of a build that must have changed something, by names relative to the root. */
export function closureOf(project: TestProject, result: BuildResult): string[] {
  if (result.kind !== "built") throw new Error(`The build is ${result.kind}.`);
  return result.closure.map((path) => path.slice(project.root.length + 1));
}

/** Changes as the watcher would report them. */
export function changed(
  project: TestProject,
  ...names: readonly string[]
): { readonly paths: ReadonlySet<string> } {
  return { paths: new Set(names.map((name) => project.path(name))) };
}
