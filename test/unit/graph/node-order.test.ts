import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadOrder } from "../../../src/graph/index.js";
import type { SourceNode } from "../../../src/graph/index.js";
import { graphs } from "./arbitrary.js";

const run = promisify(execFile);
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "prefork-order-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

it("is the order in which Node evaluates, on random graphs", async () => {
  const samples = fc.sample(graphs(10), 40);
  await Promise.all(
    samples.map((graph, index) =>
      writeGraph(join(directory, `${index}`), graph),
    ),
  );
  // One process for all graphs: each module writes its name when it is evaluated.
  const main = samples
    .map((_, index) => `log.push([]);await import("./${index}/n0.mjs");`)
    .join("\n");
  await writeFile(
    join(directory, "main.mjs"),
    `globalThis.log=[];\n${main}\nconsole.log(JSON.stringify(log));`,
  );
  const { stdout } = await run(process.execPath, [join(directory, "main.mjs")]);
  expect(JSON.parse(stdout)).toEqual(
    samples.map((graph) => loadOrder(graph, ["n0"])),
  );
});

async function writeGraph(
  folder: string,
  graph: ReadonlyMap<string, SourceNode>,
): Promise<void> {
  await mkdir(folder);
  for (const node of graph.values()) {
    const imports = node.dependencies
      .filter((path) => graph.has(path))
      .map((path) => `import "./${path}.mjs";\n`);
    await writeFile(
      join(folder, `${node.path}.mjs`),
      `${imports.join("")}log.at(-1).push("${node.path}");\n`,
    );
  }
}
