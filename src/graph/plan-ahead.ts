/**
 * What a process can evaluate before it is known what changes next.
 *
 * Pure; when to do it, and what is likely to change, is decided elsewhere (`pool/`, the composition root).
 */
import { components } from "./components.js";
import { evaluationOrder, visitInOrder } from "./evaluation-order.js";
import { reaching } from "./reaching.js";
import type { EvaluationGraph } from "./types.js";

/** How far evaluation ahead goes, and how. */
export interface AheadPlan {
  /** Modules to load, in order; each evaluates itself and what is before it. As few as possible: roots of whole subtrees. */
  readonly steps: readonly AheadStep[];
  /** Everything that the steps evaluate, in order. */
  readonly evaluated: readonly string[];
  /**
   * The first left module that could be noticed, where evaluation ahead ends: the entry, at the latest;
   * `undefined` when only inert ones are left.
   */
  readonly stoppedBy: string | undefined;
  /** The sources that are not evaluated ahead (the left ones and those behind the stop), in order. */
  readonly rest: readonly string[];
}

/** One module to load ahead. */
interface AheadStep {
  readonly path: string;
  /** Who imports it first in a cold boot. */
  readonly importer: string;
}

/** What {@link planAhead} must know of modules. */
interface AheadOptions {
  /** Whether it must not be evaluated ahead. Also asked for packages' files, not for the entry. */
  readonly isLeft: (path: string) => boolean;
  /** Whether nobody can notice when it is evaluated. Asked for sources only: packages never are. */
  readonly isInert: (path: string) => boolean;
}

/**
 * Plans what to evaluate ahead: the cold order up to the first left module that could be noticed.
 *
 * What depends on a left module, also by loading it itself, is left too. Therefore an import cycle is either left as a
 * whole or entered where a cold boot enters it. A cycle that is closed by code that loads a module itself is left as
 * well: where it is entered decides what its code meets, and the evaluation order alone wouldn't show a difference.
 */
export function planAhead(
  graph: EvaluationGraph,
  entry: string,
  { isLeft, isInert }: AheadOptions,
): AheadPlan {
  const left = leftOf(graph, (path) => path === entry || isLeft(path));
  const steps: AheadStep[] = [];
  const evaluated: string[] = [];
  const entered = new Set<string>([entry]);
  let stoppedBy: string | undefined;
  // The walk is over left sources only: what isn't left is a step as a whole.
  const frames = [{ path: entry, next: 0 }];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const importer = frame.path;
    const path = graph.get(importer)?.before[frame.next++];
    if (path === undefined) {
      frames.pop();
      if (graph.has(importer) && isInert(importer)) continue;
      stoppedBy = importer;
      break;
    }
    if (entered.has(path)) continue;
    if (left.has(path)) {
      entered.add(path);
      frames.push({ path, next: 0 });
    } else {
      steps.push({ path, importer });
      visitInOrder(graph, path, entered, (done) => evaluated.push(done));
    }
  }
  const isEvaluated = new Set(evaluated);
  const rest = evaluationOrder(graph, entry).filter(
    (path) => graph.has(path) && !isEvaluated.has(path),
  );
  return { steps, evaluated, stoppedBy, rest };
}

function leftOf(
  graph: EvaluationGraph,
  isMeant: (path: string) => boolean,
): Set<string> {
  const left = reaching(graph, isMeant, "before and during");
  const tangled = tangledAmong(graph, left);
  if (tangled.size === 0) return left;
  const isLeft = (path: string): boolean => left.has(path) || tangled.has(path);
  return reaching(graph, isLeft, "before and during");
}

/** The members of cycles that are closed by code that loads a module itself, of those that aren't left. */
function tangledAmong(
  graph: EvaluationGraph,
  left: ReadonlySet<string>,
): Set<string> {
  const others = [...graph.values()].filter(({ path }) => !left.has(path));
  if (others.every(({ during }) => during.length === 0)) return new Set();
  const nodes = others.map(({ path, before, during }) => ({
    path,
    part: "",
    dependencies: [...before, ...during],
  }));
  const tangled = new Set<string>();
  for (const group of components(new Map(nodes.map((n) => [n.path, n])))) {
    const members = new Set(group.map(({ path }) => path));
    const isTangled = group.some(({ path }) =>
      graph.get(path)?.during.some((other) => members.has(other)),
    );
    if (isTangled) for (const path of members) tangled.add(path);
  }
  return tangled;
}
