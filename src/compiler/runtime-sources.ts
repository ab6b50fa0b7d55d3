import { identities } from "../graph/index.js";
import type { SourceNode } from "../graph/index.js";
import { limitDiagnostics, shownPath } from "./diagnostics.js";
import { builtSource, writeOutputs } from "./emit.js";
import type { GoodBuild } from "./good-build.js";
import type { Parts } from "./parts.js";
import { problemsOf } from "./problems.js";
import { ChangedMeanwhile } from "./source-file.js";
import type { SourceFile } from "./source-file.js";
import type { BuiltSource, RuntimeAnswer, RuntimeRequest } from "./types.js";

/** What can be said at once. A source that the build doesn't hold is only named. */
type AtOnce =
  | Exclude<RuntimeAnswer, { readonly kind: "failed" }>
  | { readonly kind: "new"; readonly path: string };

/**
 * Answers without compiling anything, see `Compiler.resolveAtOnce`.
 *
 * @param onDiscovered - called when there is more to watch
 */
export function answerAtOnce(
  parts: Parts,
  good: GoodBuild,
  request: RuntimeRequest,
  onDiscovered: () => void,
): RuntimeAnswer {
  const answered = lookUp(parts, good, request, onDiscovered);
  if (answered.kind !== "new") return answered;
  const { path } = answered;
  const message =
    `${shownPath(parts.root, path)} isn't known before ${shownPath(parts.root, request.from)} asks for it (as ${JSON.stringify(request.specifier)}). ` +
    "List it in the manifest's sources, then load again.";
  return { kind: "failed", diagnostics: [{ message, file: request.from }] };
}

/**
 * Answers a process that met a specifier which could not be read from the code.
 *
 * Its answers never leave the process's own build: what the build holds is given in the build's version, and what is
 * new is compiled against that, and stays as it is for all processes of the build.
 *
 * @param onDiscovered - called when there is more to watch
 */
export async function answerAtRuntime(
  parts: Parts,
  good: GoodBuild,
  request: RuntimeRequest,
  onDiscovered: () => void,
): Promise<RuntimeAnswer> {
  const answered = lookUp(parts, good, request, onDiscovered);
  if (answered.kind !== "new") return answered;
  const { path } = answered;
  try {
    const importer = importerOf(good, request);
    return await compileNew(parts, good, importer, path, request);
  } finally {
    onDiscovered();
  }
}

/** Packages that load sources by path (an ORM's entities) do so on the program's behalf. */
function importerOf(good: GoodBuild, { from }: RuntimeRequest): string {
  return good.get(from) === undefined ? good.build.entry : from;
}

function lookUp(
  parts: Parts,
  good: GoodBuild,
  request: RuntimeRequest,
  onDiscovered: () => void,
): AtOnce {
  const { configuration, tree } = parts;
  const { from, specifier, kind } = request;
  const resolution = configuration.resolver.resolve(from, specifier, kind);
  const importer = importerOf(good, request);
  if (resolution.kind === "missing" && resolution.directories.length > 0) {
    // When the file appears, the importer has something to reload for.
    if (tree.addRuntimeEdge(importer, request)) onDiscovered();
  }
  if (resolution.kind !== "source") return { kind: "node" };
  const { path } = resolution;
  const known = good.get(path);
  if (known === undefined) return { kind: "new", path };
  if (connect(parts, good, importer, path, request)) onDiscovered();
  return answer(known);
}

function answer({
  output,
  path: source,
}: BuiltSource): Exclude<RuntimeAnswer, { readonly kind: "failed" }> {
  return output === undefined
    ? { kind: "node" }
    : { kind: "output", path: output, source };
}

/** Remembers the edge, unless it is known anyway. */
function connect(
  { tree }: Parts,
  good: GoodBuild,
  importer: string,
  path: string,
  request: RuntimeRequest,
): boolean {
  if (importer === path) return false;
  const file = tree.files.get(importer);
  if (file !== undefined && isKnown(file, path, request.kind)) return false;
  if (!tree.addRuntimeEdge(importer, request)) return false;
  good.discover(importer, path, [], []);
  return true;
}

/** Whether a source is known to load another; that it may `import()` it doesn't say that it may require it. */
function isKnown(
  { node, evaluation }: SourceFile,
  path: string,
  kind: RuntimeRequest["kind"],
): boolean {
  if (kind === "import") return node.dependencies.includes(path);
  return evaluation.before.includes(path) || evaluation.during.includes(path);
}

async function compileNew(
  parts: Parts,
  good: GoodBuild,
  importer: string,
  path: string,
  request: RuntimeRequest,
): Promise<RuntimeAnswer> {
  const { root, configuration, reader, tree, records, outputs } = parts;
  // The walk stops at what the build holds.
  const reached = new Map<string, SourceFile>();
  for (const [held, file] of tree.files) {
    if (good.get(held) !== undefined) reached.set(held, file);
  }
  const heldPaths = new Set(reached.keys());
  try {
    await tree.crawl([{ path, isImported: true }], reached);
  } catch (error) {
    if (!(error instanceof ChangedMeanwhile)) throw error;
    return {
      kind: "failed",
      diagnostics: [{ message: error.message, file: error.path }],
    };
  } finally {
    // Also when it is broken: mending it must reload the importer.
    tree.addRuntimeEdge(importer, request);
  }
  const files = [...reached.values()].filter(
    (file) => !heldPaths.has(file.path),
  );
  const problems = await problemsOf(
    root,
    files,
    configuration,
    reader,
    records,
  );
  if (problems.length > 0) {
    return { kind: "failed", diagnostics: limitDiagnostics(problems) };
  }
  const found = identitiesAgainst(good, files);
  const built = new Map(
    files.map((file) => [
      file.path,
      builtSource(file, found.get(file.path) ?? "", outputs),
    ]),
  );
  await writeOutputs(
    files,
    (source) => good.get(source) ?? built.get(source),
    reader,
    records,
    outputs,
  );
  for (const file of files) {
    const source = built.get(file.path);
    if (source !== undefined) parts.built.add(source, file);
  }
  const nodes = files.map(({ node }) => node);
  good.discover(importer, path, nodes, built.values());
  const target = built.get(path);
  return target === undefined ? { kind: "node" } : answer(target);
}

/** Identities of new sources that depend on a build's sources as they are in that build. */
function identitiesAgainst(
  good: GoodBuild,
  files: readonly SourceFile[],
): Map<string, string> {
  const graph = new Map<string, SourceNode>();
  for (const { node } of files) {
    graph.set(node.path, node);
    for (const path of node.dependencies) {
      const held = good.get(path);
      if (held === undefined) continue;
      graph.set(path, { path, part: held.identity, dependencies: [] });
    }
  }
  return identities(graph);
}
