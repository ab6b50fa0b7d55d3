/** A project's list of sources, for tools that package or document it. Pure. Part of the composition root. */
import path from "node:path";
import { loadOrder } from "./graph/index.js";
import type { SourceNode } from "./graph/index.js";
import type { ResolvedProject, ResolvedSource } from "./manifest/types.js";

/** A listed source. */
export interface ListedSource extends ResolvedSource {
  /** The path from the project's root, with `/`. */
  readonly relativePath: string;
}

/**
 * The listed sources in load order as the list alone tells it: what one needs comes before it, else they stand as they are written.
 * What they import isn't looked at.
 */
export function listedSources({
  root,
  sources,
}: ResolvedProject): ListedSource[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const graph = new Map(
    sources.map(({ path: file, needs }): [string, SourceNode] => [
      file,
      { path: file, part: "", dependencies: needs },
    ]),
  );
  return loadOrder(graph, [...byPath.keys()]).flatMap((file) => {
    const source = byPath.get(file);
    if (source === undefined) return [];
    const relativePath = path.relative(root, file).replaceAll(path.sep, "/");
    return [{ ...source, relativePath }];
  });
}
