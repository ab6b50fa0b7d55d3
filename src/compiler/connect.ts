/** Resolves a source's imports, and so finds its edges to others. */
import { evaluationOf } from "./evaluation.js";
import type { Asked } from "./evaluation.js";
import { hashOf } from "./hashes.js";
import type { Resolution, Resolver } from "./resolve.js";
import type { Reference, RuntimeEdge, SourceFile } from "./source-file.js";
import { isFatal } from "./unresolved.js";

/** What else a source depends on. */
export interface OtherEdges {
  /** Declared in the project. */
  readonly needs: readonly string[];
  /** What processes asked for on its behalf, in the order asked. */
  readonly runtime: readonly RuntimeEdge[];
}

/** Sets all that follows from what a source's specifiers mean now: its resolutions, references and node. */
export function connect(
  file: SourceFile,
  resolver: Resolver,
  { needs, runtime }: OtherEdges,
): void {
  const imports = file.summary?.imports ?? [];
  file.resolutions = imports.map(({ specifier, kind }) =>
    resolver.resolve(file.path, specifier, kind),
  );
  // Source dependencies count by their identities, but also by which specifier means which of them.
  const meanings = file.resolutions.map((resolution, index) => {
    const path = "path" in resolution ? resolution.path : "";
    return `${imports[index]?.specifier ?? ""}\0${resolution.kind}\0${path}`;
  });
  const part = [file.key, String(file.touches), ...meanings].join("\n");
  file.unresolved = imports.flatMap((request, index) => {
    const resolution = file.resolutions[index];
    return resolution && isFatal(request, resolution) ? [index] : [];
  });
  const asked = askedFor(resolver, runtime);
  file.references = [
    ...sourcesOf(file.resolutions),
    ...needs.map(listed),
    ...sourcesOf(asked.map(({ resolution }) => resolution)),
  ];
  file.evaluation = evaluationOf(file, asked);
  const dependencies = file.references.map(({ path }) => path);
  file.node = { path: file.path, part: hashOf(part), dependencies };
}

/** What processes asked for, as it resolves now. */
export function askedFor(
  resolver: Resolver,
  edges: readonly RuntimeEdge[],
): Asked[] {
  return edges.map(({ from, specifier, kind }) => ({
    kind,
    resolution: resolver.resolve(from, specifier, kind),
  }));
}

/** A listed source as a place to crawl from: code if its name says so. */
export function listed(path: string): Reference {
  return { path, isImported: false };
}

/** Whether two states of a source lead to the same sources. */
export function haveSameEdges(a: SourceFile, b: SourceFile): boolean {
  return (
    a.isCode === b.isCode &&
    a.references.length === b.references.length &&
    a.references.every(({ path, isImported }, index) => {
      const other = b.references[index];
      return path === other?.path && isImported === other.isImported;
    })
  );
}

function sourcesOf(resolutions: readonly Resolution[]): Reference[] {
  return resolutions.flatMap((resolution) =>
    resolution.kind === "source"
      ? [{ path: resolution.path, isImported: true }]
      : [],
  );
}
