/** A project without files: its sources are edited, planned and loaded by the real code, and evaluated by writing that down. */
import fc from "fast-check";
import { fileURLToPath } from "node:url";
import type {
  Build,
  BuildResult,
  Compiler,
} from "../../../src/compiler/types.js";
import { identities, loadOrder } from "../../../src/graph/index.js";
import type { SourceNode } from "../../../src/graph/index.js";
import type { LoadedSource } from "../../../src/loader/types.js";
import type { ResolvedProject } from "../../../src/manifest/types.js";
import { ProjectLoading } from "../../../src/project-loading.js";

/** How a source depends on another: it's evaluated before its code, when its code asks for it, or only the manifest says so. */
type EdgeKind = "import" | "lazy" | "needs";

interface Edge {
  readonly to: string;
  readonly kind: EdgeKind;
}

interface Source {
  readonly content: string;
  readonly edges: readonly Edge[];
}

/** What one load came to. */
interface Loaded {
  /** What it returned; `undefined` when it failed. */
  readonly loaded: readonly LoadedSource[] | undefined;
  /** What it said before each. */
  readonly said: readonly LoadedSource[];
  /** The files that were imported, as sources, in order; the last failed if `loaded` is `undefined`. */
  readonly evaluated: readonly string[];
}

let worldsMade = 0;

export class World {
  readonly root = `/worlds/${worldsMade++}`;
  readonly sources: Map<string, Source>;
  readonly listed: readonly string[];
  readonly #loading: ProjectLoading;
  readonly #touches = new Map<string, number>();
  readonly #lastContents = new Map<string, string>();
  #graph: ReadonlyMap<string, SourceNode> = new Map();
  #evaluated: string[] = [];
  #failing: string | undefined;

  constructor(sources: ReadonlyMap<string, Source>, listed: readonly string[]) {
    const inRoot = (name: string): string => `${this.root}/${name}`;
    this.sources = new Map(
      Array.from(sources, ([name, { content, edges }]) => [
        inRoot(name),
        {
          content,
          edges: edges.map(({ to, kind }) => ({ to: inRoot(to), kind })),
        },
      ]),
    );
    this.listed = listed.map(inRoot);
    this.#loading = new ProjectLoading(
      this.#compiler(),
      this.root,
      async (url) => {
        const [, path = ""] =
          /^(.+)\.[0-9a-f]{16}\.mjs$/.exec(fileURLToPath(url)) ?? [];
        this.#evaluated.push(path);
        if (path === this.#failing) throw new Error("asked to fail");
        return await Promise.resolve({ path });
      },
    );
  }

  async load(
    options: { failing?: string | undefined; force?: boolean } = {},
  ): Promise<Loaded> {
    const said: LoadedSource[] = [];
    this.#evaluated = [];
    this.#failing = options.failing;
    const project: ResolvedProject = {
      name: "world",
      root: this.root,
      manifest: undefined,
      entry: this.listed[0] ?? "",
      sources: this.listed.map((path) => ({
        path,
        needs: [],
        standby: true,
        reload: true,
      })),
      preload: [],
      mixins: [],
      steps: [],
      definedBy: [],
      server: {},
      isOneOfList: false,
      globs: [],
      listsSources: false,
    };
    const loaded = await this.#loading
      .load(project, options.force ?? false, (source) => said.push(source))
      .catch((error: unknown) => {
        if (String(error).includes("asked to fail")) return undefined;
        throw error;
      });
    return { loaded, said, evaluated: this.#evaluated };
  }

  /** What a build of now is, as far as loading looks at it. */
  #build(): Build {
    for (const [path, { content }] of this.sources) {
      if (this.#lastContents.get(path) !== content) this.#touches.delete(path);
      this.#lastContents.set(path, content);
    }
    const graph = new Map<string, SourceNode>();
    const wanted = new Set(this.listed);
    for (const path of wanted) {
      const { content = "", edges = [] } = this.sources.get(path) ?? {};
      const dependencies = edges.map(({ to }) => to);
      const imports = edges.filter(({ kind }) => kind !== "needs");
      const part = JSON.stringify([
        content,
        imports.map(({ to }) => to),
        this.#touches.get(path) ?? 0,
      ]);
      graph.set(path, { path, part, dependencies });
      for (const to of dependencies) wanted.add(to);
    }
    this.#graph = graph;
    const found = identities(graph);
    const sources = new Map(
      loadOrder(graph, this.listed).map((path) => {
        const identity = found.get(path) ?? "";
        const edges = this.sources.get(path)?.edges ?? [];
        const before = edges.flatMap(({ to, kind }) =>
          kind === "import" ? [to] : [],
        );
        const source = {
          ...{ path, identity, before, during: [] },
          output: `${path}.${identity}.mjs`,
          isWorkerSpecific: false,
        };
        return [path, source];
      }),
    );
    return { entry: "", sources, unread: new Set(), output: "", packages: "" };
  }

  #compiler(): Compiler {
    let touches = 0;
    const parts: Pick<Compiler, "build" | "graphOf" | "renew"> = {
      build: async () => {
        const build = this.#build();
        const times = { compileMs: 0, linkMs: 0 };
        const result: BuildResult = {
          kind: "built",
          ...{ build, closure: [], ...times },
        };
        return await Promise.resolve(result);
      },
      graphOf: () => this.#graph,
      renew: (paths) => {
        for (const path of paths) this.#touches.set(path, ++touches);
      },
    };
    return parts as Compiler;
  }
}

const MOST = 8;

function edges(size: number, isAcyclic: boolean): fc.Arbitrary<Edge[][]> {
  const of = (index: number): fc.Arbitrary<Edge[]> =>
    fc.array(
      fc.record({
        to: fc
          .nat({ max: (isAcyclic ? index : size) - 1 })
          .map((other) => `s${other}`),
        kind: fc.constantFrom<EdgeKind>("import", "import", "lazy", "needs"),
      }),
      { maxLength: 3 },
    );
  return fc.tuple(
    ...Array.from({ length: size }, (_, index) =>
      isAcyclic && index === 0 ? fc.constant<Edge[]>([]) : of(index),
    ),
  );
}

/** What a world is made of. */
export interface Template {
  readonly sources: ReadonlyMap<string, Source>;
  readonly listed: readonly string[];
}

/** Random projects: any edges, so cycles and self edges; some sources aren't listed. */
export const templates: fc.Arbitrary<Template> = templatesOf(false);

/** Without cycles, all sources listed. */
export const plainTemplates: fc.Arbitrary<Template> = templatesOf(true);

function templatesOf(isPlain: boolean): fc.Arbitrary<Template> {
  return fc.integer({ min: 1, max: MOST }).chain((size) => {
    const names = Array.from({ length: size }, (_, index) => `s${index}`);
    const minLength = isPlain ? size : 1;
    return fc
      .tuple(edges(size, isPlain), fc.shuffledSubarray(names, { minLength }))
      .map(([all, listed]) => ({
        sources: new Map(
          names.map((name, index): [string, Source] => [
            name,
            { content: "0", edges: all[index] ?? [] },
          ]),
        ),
        listed,
      }));
  });
}

/** What is done before a load. Sources by number, modulo how many there are. */
export interface Step {
  readonly edits: readonly {
    readonly source: number;
    /** Few different ones, so that changes are taken back, too. */
    readonly content: number;
    /** The source that its first edge leads to from now on. */
    readonly rewire: number | undefined;
  }[];
  /** The source that throws. */
  readonly failing: number | undefined;
  readonly force: boolean;
}

const number = fc.nat({ max: MOST });

export const stepLists: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    edits: fc.array(
      fc.record({
        source: number,
        content: fc.nat({ max: 2 }),
        rewire: fc.option(number, { nil: undefined, freq: 3 }),
      }),
      { maxLength: 3 },
    ),
    failing: fc.option(number, { nil: undefined, freq: 1 }),
    force: fc.integer({ min: 0, max: 7 }).map((die) => die === 0),
  }),
  { minLength: 1, maxLength: 6 },
);

/** The source with a number. */
export function sourceAt(world: World, index: number): string {
  const names = [...world.sources.keys()];
  return names[index % names.length] ?? "";
}

/**
 * Does a step's edits.
 *
 * @param contentOf - what a content's number stands for
 */
export function edit(
  world: World,
  step: Step,
  contentOf: (content: number) => string,
): void {
  for (const { source, content, rewire } of step.edits) {
    const path = sourceAt(world, source);
    const before = world.sources.get(path)?.edges ?? [];
    const after: readonly Edge[] =
      rewire === undefined
        ? before
        : [...before.slice(1), { to: sourceAt(world, rewire), kind: "import" }];
    world.sources.set(path, { content: contentOf(content), edges: after });
  }
}
