import type { SourceGraph, SourceNode } from "./types.js";

/** Where the walk stands in one node's dependencies. */
interface Frame {
  readonly node: SourceNode;
  next: number;
}

/** What the walk knows of one node. */
interface Mark {
  readonly index: number;
  low: number;
  onStack: boolean;
}

/**
 * The strongly connected components (Tarjan), each after all components that it depends on.
 *
 * Iterative, since an import chain may be deeper than the call stack.
 *
 * @returns groups of nodes; a group of one is not in a cycle, unless the node depends on itself
 */
export function components(graph: SourceGraph): SourceNode[][] {
  const marks = new Map<SourceNode, Mark>();
  const stack: SourceNode[] = [];
  const found: SourceNode[][] = [];
  const frames: Frame[] = [];

  const enter = (node: SourceNode): void => {
    const index = marks.size;
    marks.set(node, { index, low: index, onStack: true });
    stack.push(node);
    frames.push({ node, next: 0 });
  };

  const leave = (node: SourceNode, mark: Mark): void => {
    if (mark.low !== mark.index) return;
    const group: SourceNode[] = [];
    for (;;) {
      const member = stack.pop();
      if (member === undefined) break;
      const memberMark = marks.get(member);
      if (memberMark !== undefined) memberMark.onStack = false;
      group.push(member);
      if (member === node) break;
    }
    found.push(group);
  };

  for (const root of graph.values()) {
    if (marks.has(root)) continue;
    enter(root);
    for (
      let frame = frames.at(-1);
      frame !== undefined;
      frame = frames.at(-1)
    ) {
      const mark = marks.get(frame.node);
      if (mark === undefined) break;
      const path = frame.node.dependencies[frame.next];
      if (path === undefined) {
        frames.pop();
        leave(frame.node, mark);
        const parent = frames.at(-1);
        const parentMark =
          parent === undefined ? undefined : marks.get(parent.node);
        if (parentMark !== undefined) {
          parentMark.low = Math.min(parentMark.low, mark.low);
        }
        continue;
      }
      frame.next++;
      const dependency = graph.get(path);
      if (dependency === undefined) continue;
      const seen = marks.get(dependency);
      if (seen === undefined) enter(dependency);
      else if (seen.onStack) mark.low = Math.min(mark.low, seen.index);
    }
  }
  return found;
}

/**
 * The import cycles: the members of each group of sources that (transitively)
 * depend on each other, or the one source that depends on itself.
 *
 * @returns members sorted by path, cycles sorted by their first member
 */
export function importCycles(graph: SourceGraph): string[][] {
  const cycles: string[][] = [];
  for (const group of components(graph)) {
    const [first] = group;
    if (first === undefined) continue;
    if (group.length > 1 || first.dependencies.includes(first.path)) {
      cycles.push(group.map((node) => node.path).sort());
    }
  }
  return cycles.sort((a, b) => compareStrings(a[0] ?? "", b[0] ?? ""));
}

function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
