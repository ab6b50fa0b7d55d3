/**
 * Loading against Common Lisp's ASDF, which the original took for its model: the same sources, edits and failures give the same
 * loads in the same order. ASDF knows no cycles, so there are none here, and `plan.test.ts` has those.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { edit, plainTemplates, sourceAt, stepLists, World } from "./world.js";
import type { Step, Template } from "./world.js";

const CASES = 150;
const DRIVER = fileURLToPath(new URL("asdf.lisp", import.meta.url));

const hasAsdf =
  spawnSync("sbcl", ["--non-interactive", "--eval", "(require :asdf)"])
    .status === 0;

interface Case {
  readonly template: Template;
  readonly steps: readonly Step[];
}

const nameOf = (file: string): string => path.basename(file);

/** What is loaded at each step: names, the one that fails with an exclamation mark. Contents are new each time, as times are for ASDF. */
async function ours({ template, steps }: Case): Promise<string[]> {
  const world = new World(template.sources, template.listed);
  let contents = 0;
  const lines: string[] = [];
  for (const step of steps) {
    edit(world, step, () => String(++contents));
    const failing =
      step.failing === undefined ? undefined : sourceAt(world, step.failing);
    const { loaded, evaluated } = await world.load({ failing });
    const names = evaluated.map(nameOf);
    const last = names.pop();
    if (last !== undefined)
      names.push(loaded === undefined ? `!${last}` : last);
    lines.push(names.join(" "));
  }
  return lines;
}

function list(items: readonly string[]): string {
  return `(${items.join(" ")})`;
}

/** A case as the driver reads it. */
function lisp({ template, steps }: Case, directory: string): string {
  const names = [...template.sources.keys()];
  const named = (index: number): string =>
    JSON.stringify(names[index % names.length]);
  const components = template.listed.map((name) => {
    const edges = template.sources.get(name)?.edges ?? [];
    const dependencies = new Set(edges.map(({ to }) => JSON.stringify(to)));
    return list([JSON.stringify(name), list([...dependencies])]);
  });
  const rows = steps.map(({ edits, failing }) =>
    list([
      list(edits.map(({ source }) => named(source))),
      failing === undefined ? "nil" : named(failing),
    ]),
  );
  return list([JSON.stringify(`${directory}/`), list(components), list(rows)]);
}

test.skipIf(!hasAsdf)(
  // Skipped where sbcl with its ASDF isn't installed: `apt-get install sbcl`, which has ASDF.
  "loads what ASDF loads, in ASDF's order, also after failures",
  { timeout: 120_000 },
  async () => {
    const base = mkdtempSync(path.join(os.tmpdir(), "prefork-asdf-"));
    onTestFinished(() => rmSync(base, { recursive: true, force: true }));
    const cases = fc
      .sample(fc.tuple(plainTemplates, stepLists), { numRuns: CASES })
      .map(([template, steps]): Case => ({
        template,
        // ASDF's components have the dependencies that they were defined with.
        steps: steps.map((step) => ({
          ...step,
          edits: step.edits.map((each) => ({ ...each, rewire: undefined })),
        })),
      }));
    const input = cases.map((each, index) => {
      const directory = path.join(base, String(index));
      mkdirSync(directory);
      return lisp(each, directory);
    });
    const { status, stdout, stderr } = spawnSync("sbcl", ["--script", DRIVER], {
      input: input.join("\n"),
      encoding: "utf8",
      timeout: 100_000,
      env: {
        ...process.env,
        // ASDF may write below it.
        ...{ XDG_CACHE_HOME: base, HOME: base },
        // The one that comes with sbcl: a newer one that is installed beside it would be compiled first, which takes 15 s.
        CL_SOURCE_REGISTRY:
          "(:source-registry :ignore-inherited-configuration)",
      },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const theirs = stdout.split("\n").slice(0, -1);
    const expected = (await Promise.all(cases.map(ours))).flat();
    expect(expected.length).toBeGreaterThan(CASES);
    let line = 0;
    for (const [index, { steps }] of cases.entries()) {
      for (const step of steps.keys()) {
        const what = `step ${step} of ${input[index] ?? ""}`;
        expect(`${what}: ${expected[line] ?? ""}`).toBe(
          `${what}: ${theirs[line] ?? ""}`,
        );
        line++;
      }
    }
    expect(theirs.length).toBe(expected.length);
  },
);
