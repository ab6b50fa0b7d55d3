/**
 * Many saves in a row under load: nothing lost, nothing stale, and nothing grows: processes, files, descriptors, and, if there are
 * enough of them to tell, memory. `PREFORK_SOAK_SAVES=1000` makes it a thousand, which takes ten minutes.
 */
import fs from "node:fs";
import { expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { Cli } from "./helpers/cli.js";
import { libraryRunner } from "./helpers/library.js";
import { startLoad } from "./helpers/load.js";
import type { Answer } from "./helpers/load.js";
import type { LogLine } from "./helpers/log.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { staleAnswers } from "./helpers/stale.js";
import { countStandbys, linesOf, standbyEvent } from "./helpers/standbys.js";

const SAVES = Number(process.env["PREFORK_SOAK_SAVES"] ?? 150);
const ENOUGH_FOR_A_SLOPE = 400;
/** When everything has been used for the first time. */
const WARM = 100;
/** Every how manyth save waits for a standby; in a row that is quicker, none is ready in time. */
const STANDBY_EVERY = 6;
const SAMPLE_EVERY = 10;

/**
 * About 1 KiB is gained per save, by compiled code of V8 among others, and it becomes less. What could leak is larger:
 * a process with its pipes some 20 KiB, a build more.
 */
const MOST_BYTES_PER_SAVE = 2_048;
/** Outputs are deleted once every so many generations; a save writes two outputs and a record. */
const PRUNED_EVERY = 50;
const FILES_PER_SAVE = 3;
const DESCRIPTORS_OF_LOAD = 16;

/** The server, and what its heap holds after a garbage collection: without one, the heap's size is chance. */
const RUNNER = `${libraryRunner(`{ workers: 2, standbys: 2, port: 0 }`)}
import v8 from "node:v8";
import vm from "node:vm";
v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");
process.on("SIGUSR2", () => {
  collect();
  say("memory", process.memoryUsage());
});
`;

/** What must not grow. */
interface Footprint {
  readonly processes: number;
  readonly descriptors: number;
  readonly cacheFiles: number;
  readonly runFiles: number;
}

function filesIn(directory: string): number {
  if (!fs.existsSync(directory)) return 0;
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory()).length;
}

function footprint({ app, cli }: Session): Footprint {
  return {
    processes: cli.alive().length,
    descriptors: fs.readdirSync(`/proc/${cli.pid}/fd`).length,
    cacheFiles: filesIn(app.path("node_modules/.cache")),
    runFiles: filesIn(app.temporary),
  };
}

/** What the heap of the master holds now. */
async function heapBytes(cli: Cli): Promise<number> {
  const from = cli.lines.length;
  cli.signal("SIGUSR2");
  const isMemory = (line: LogLine): boolean => line["event"] === "memory";
  const line = await cli.waitFor("its memory", isMemory, { from });
  return line["heapUsed"] as number;
}

/** Least squares: what `y` gains per `x`. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return above / below;
}

/** Waits until the last save is everywhere, and the standbys are complete. */
async function untilQuiet({ cli }: Session, from: number): Promise<void> {
  await reloaded(cli, "done", from);
  const at = cli.lines.findLastIndex(({ event }) => event === "reload");
  await standbyEvent(cli, "ready", at);
  const draining = (): unknown[] => {
    const gone = new Set(
      linesOf(cli, "process", "stopped").map(({ pid }) => pid),
    );
    return linesOf(cli, "process", "draining").filter(
      ({ pid }) => !gone.has(pid),
    );
  };
  await cli.waitFor(
    "the end of the old processes",
    () => draining().length === 0,
  );
}

test.runIf(process.platform === "linux")(
  `${SAVES} saves in a row under load`,
  { timeout: 900_000 },
  async () => {
    const project = makeApp({
      "run.mjs": RUNNER,
      "src/version.ts": versionModule("v0"),
      "src/fine.ts": `export const fine: string = ["fine"].join();\n`,
      "src/server.ts": `
import http from "node:http";
import { fine } from "./fine.ts";
import { version } from "./version.ts";
http
  .createServer((request, response) => {
    if (request.method === "POST") {
      response.setHeader("content-type", request.headers["content-type"] ?? "");
      return void request.pipe(response);
    }
    response.end(request.url === "/version" ? version : fine);
  })
  .listen(3000);
`,
    });
    const session = await startSession(project, {
      script: project.path("run.mjs"),
    });
    const { app, cli, port } = session;
    await standbyEvent(cli, "ready");
    const answers: Answer[] = [];
    const load = startLoad({
      targets: [{ name: "front", port }],
      keepAlive: 2,
      freshPerSecond: 10,
      pauseMs: 50,
      path: "/version",
      postEvery: 10,
      post: { minBytes: 100, maxBytes: 50_000 },
      onAnswer: (answer) => answers.push(answer),
    });
    const heap: [save: number, bytes: number][] = [];
    let warm: Footprint | undefined;
    let from = 0;
    for (let save = 1; save <= SAVES; save++) {
      from = cli.lines.length;
      app.write("src/version.ts", versionModule(`v${save}`));
      await cli.waitFor(
        `the first process of save ${save}`,
        ({ event, what, worker }) =>
          event === "process" && what === "ready" && worker !== undefined,
        { from },
      );
      expect((await get(port, "/version")).text).toBe(`v${save}`);
      if (save % STANDBY_EVERY === 0) {
        await reloaded(cli, "done", from);
        await standbyEvent(cli, "ready", from);
      }
      if (save % SAMPLE_EVERY === 0) heap.push([save, await heapBytes(cli)]);
      if (save === WARM) {
        await untilQuiet(session, from);
        warm = footprint(session);
      }
    }
    await untilQuiet(session, from);
    const end = footprint(session);
    const { lost, requests } = await load.stop();
    expect(lost).toEqual([]);
    expect(requests).toBeGreaterThan(SAVES);
    expect(staleAnswers(answers)).toEqual([]);
    expect(countStandbys(cli).most).toBeLessThanOrEqual(3);
    expect(linesOf(cli, "process", "activated").length).toBeGreaterThan(
      SAVES / STANDBY_EVERY / 2,
    );

    const late = heap.filter(([save]) => save > SAVES / 2);
    // Before, what V8 compiles is most of what is gained.
    if (SAVES >= ENOUGH_FOR_A_SLOPE)
      expect(slope(late), JSON.stringify(heap)).toBeLessThan(
        MOST_BYTES_PER_SAVE,
      );
    // The master, its guard, the compiler's, two workers and two standbys.
    expect(end.processes).toBeLessThanOrEqual(7);
    // The workers' private endpoints, and what a standby needs for an instant.
    expect(end.runFiles).toBeLessThanOrEqual(3);
    // Connections of the load come and go.
    expect(end.descriptors).toBeLessThanOrEqual(
      (warm?.descriptors ?? 0) + DESCRIPTORS_OF_LOAD,
    );
    expect(end.cacheFiles).toBeLessThanOrEqual(
      (warm?.cacheFiles ?? 0) + PRUNED_EVERY * FILES_PER_SAVE,
    );
  },
);
