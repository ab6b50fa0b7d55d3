/**
 * The graph: identities, closures, load order and cycles of sources, and what can be evaluated before a save.
 *
 * Pure functions over plain values: no files, no clock, no state. It doesn't know how a dependency was
 * found (`compiler/source-tree.ts` does) nor what is done about a changed identity (`master/`).
 * Called by the compiler.
 */
export { closureOf } from "./closure.js";
export { importCycles } from "./components.js";
export { changedIdentities, identities } from "./identities.js";
export type { IdentifiedGraph } from "./identities.js";
export { loadOrder } from "./load-order.js";
export { evaluationOrder } from "./evaluation-order.js";
export { misfit } from "./misfit.js";
export { planAhead } from "./plan-ahead.js";
export type { AheadPlan } from "./plan-ahead.js";
export { GraphStructure } from "./structure.js";
export type { EvaluationGraph, EvaluationNode, SourceNode } from "./types.js";
