/**
 * The graph: identities, closures, load order and cycles of sources.
 *
 * Pure functions over plain values: no files, no clock, no state. It doesn't know how a dependency was
 * found (`compiler/source-tree.ts` does) nor what is done about a changed identity (`master/`).
 * Called by the compiler.
 */
export { closureOf } from "./closure.js";
export { importCycles } from "./components.js";
export { identities } from "./identities.js";
export type { IdentifiedGraph } from "./identities.js";
export { loadOrder } from "./load-order.js";
export type { SourceNode } from "./types.js";
