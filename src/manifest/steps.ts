/** The steps of a manifest (`run`), resolved, and what can't be: a file that two of them make, one that makes what it reads, a circle. Pure. */
import path from "node:path";
import { PreforkError } from "../errors.js";
import { relativeTo } from "./messages.js";
import { findCycle } from "./needs.js";
import type { WrittenOutput, WrittenOutputs } from "./outputs.js";
import type { ResolvedStep, SourceStep } from "./types.js";

const DEFAULT_TIMEOUT_MS = 60_000;

/** A step as it stands in the list. */
export interface ListedStep {
  /** Like `sources[2].run`. */
  readonly field: string;
  readonly run: SourceStep;
  /** The files of its entry, without what it makes itself. */
  readonly sources: readonly string[];
  /** … and what else it reads. */
  readonly inputs: readonly string[];
}

/** The matches of an entry's glob without those that its own step makes: a glob means the others. */
export function withoutOwn(
  files: readonly string[],
  own: readonly WrittenOutput[] = [],
): readonly string[] {
  const made = new Set(own.flatMap((output) => output.files));
  return files.filter((file) => !made.has(file));
}

function failure(manifest: string, message: string): PreforkError {
  return new PreforkError("ERR_PREFORK_MANIFEST", `${manifest}: ${message}`);
}

/** No file is made by two, or by the one that reads it. */
function checkMakers(
  manifest: string,
  steps: readonly ListedStep[],
  outputs: WrittenOutputs,
): void {
  const makers = new Map<string, string>();
  for (const { field, inputs } of steps) {
    const read = new Set(inputs);
    const own = new Set<string>();
    for (const output of outputs.bySteps.get(field) ?? []) {
      const { written, base, isGlob, files } = output;
      const at = `${written.field} "${written.text}"`;
      const glob = isGlob ? [`${base}\0${written.text}`] : [];
      for (const file of [...files, ...glob]) {
        if (!isGlob && read.has(file))
          throw failure(
            manifest,
            `${at} is what the step reads, so it would make itself due. Have it make another file.`,
          );
        const maker = makers.get(file);
        if (maker !== undefined && !own.has(file))
          throw failure(
            manifest,
            `${at} is made by ${maker} already. Let one step make it.`,
          );
        own.add(file);
        makers.set(file, field);
      }
    }
  }
}

function checkCircles(manifest: string, steps: readonly ResolvedStep[]): void {
  const makers = new Map<string, string>();
  for (const step of steps)
    for (const output of step.outputs) makers.set(output, step.field);
  const graph = new Map(
    steps.map(({ field, inputs }) => {
      const needed = new Map<string, string>();
      for (const input of inputs) {
        const maker = makers.get(input);
        if (maker !== undefined && maker !== field)
          needed.set(maker, path.basename(input));
      }
      return [field, needed];
    }),
  );
  const cycle = findCycle(graph);
  if (cycle === undefined) return;
  throw failure(
    manifest,
    `steps make each other's sources in a circle: ${cycle.sources.join(" <- ")} (${cycle.fields.join(", ")}). Make one of them read what no other makes.`,
  );
}

/**
 * Resolves the steps of a manifest.
 *
 * @param manifest - its name in messages
 * @throws PreforkError ERR_PREFORK_MANIFEST
 */
export function resolveSteps(
  listed: readonly ListedStep[],
  outputs: WrittenOutputs,
  manifest: string,
  root: string,
): readonly ResolvedStep[] {
  checkMakers(manifest, listed, outputs);
  const steps = listed.map((step): ResolvedStep => {
    const { field, run, sources, inputs } = step;
    const own = outputs.bySteps.get(field) ?? [];
    const keys = own.map(({ written, base }) =>
      relativeTo(root, path.resolve(base, written.text)),
    );
    return {
      field,
      key: keys.join("\n"),
      sources,
      inputs,
      outputs: own.flatMap(({ isGlob, files, listed: named }) =>
        isGlob ? named.filter((file) => !inputs.includes(file)) : files,
      ),
      outputGlobs: own.flatMap(({ isGlob, written, base }) =>
        isGlob ? [{ pattern: written.text, directory: base }] : [],
      ),
      task:
        run.command === undefined
          ? { kind: "function", fn: run.fn }
          : { kind: "command", command: run.command },
      timeoutMs: run.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    };
  });
  // Matches of globs are made by somebody, too.
  checkCircles(
    manifest,
    steps.map((step) => ({ ...step, outputs: filesOf(step.field, outputs) })),
  );
  return steps;
}

function filesOf(field: string, outputs: WrittenOutputs): readonly string[] {
  return (outputs.bySteps.get(field) ?? []).flatMap(({ files }) => files);
}

/**
 * The list with what steps make: behind what they read, but where it's listed anyway.
 *
 * @param listed - in load order; is not changed
 * @param make - what is noted of a source that no entry lists
 */
export function withOutputs<Noted>(
  listed: ReadonlyMap<string, Noted>,
  steps: readonly ListedStep[],
  outputs: WrittenOutputs,
  make: () => Noted,
): Map<string, Noted> {
  if (steps.length === 0) return new Map(listed);
  const ranks = new Map(
    Array.from(listed.keys(), (file, rank) => [file, rank]),
  );
  const behind = new Map<number, string[]>();
  for (const { field, sources } of steps) {
    const last = sources.reduce(
      (most, source) => Math.max(most, ranks.get(source) ?? -1),
      -1,
    );
    const files = filesOf(field, outputs).filter((file) => !listed.has(file));
    behind.set(last, [...(behind.get(last) ?? []), ...files]);
  }
  const all = new Map<string, Noted>();
  const addBehind = (rank: number): void => {
    for (const file of behind.get(rank) ?? []) all.set(file, make());
  };
  for (const [file, noted] of listed) {
    all.set(file, noted);
    addBehind(ranks.get(file) ?? -1);
  }
  // Nothing that they read is listed yet.
  addBehind(-1);
  return all;
}
