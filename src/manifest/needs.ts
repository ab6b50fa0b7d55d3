/** The edges between sources that a manifest declares. Pure: no files. */

/** Which sources each source needs, with the place in the manifest that says so. In load order. */
export type NeedsGraph = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A circle of needs. */
export interface NeedsCycle {
  /** The sources; the last is the first again. */
  readonly sources: readonly string[];
  /** Where each step is written. */
  readonly fields: readonly string[];
}

/** The first circle among needs, in load order; `undefined` when there is none. */
export function findCycle(graph: NeedsGraph): NeedsCycle | undefined {
  const done = new Set<string>();
  // A walk of its own stack: a chain of needs may be longer than the engine's.
  for (const start of graph.keys()) {
    if (done.has(start) || graph.get(start)?.size === 0) continue;
    const trail = [{ source: start, field: "", rest: needsOf(graph, start) }];
    const onTrail = new Map([[start, 0]]);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = top.rest.next();
      if (next.done === true) {
        trail.pop();
        onTrail.delete(top.source);
        done.add(top.source);
        continue;
      }
      const [source, field] = next.value;
      const from = onTrail.get(source);
      if (from !== undefined) {
        const steps = trail.slice(from);
        return {
          sources: [...steps.map((step) => step.source), source],
          fields: [...steps.slice(1).map((step) => step.field), field],
        };
      }
      if (done.has(source)) continue;
      onTrail.set(source, trail.length);
      trail.push({ source, field, rest: needsOf(graph, source) });
    }
  }
  return undefined;
}

function needsOf(
  graph: NeedsGraph,
  source: string,
): IterableIterator<[string, string]> {
  return (graph.get(source) ?? new Map<string, string>()).entries();
}
