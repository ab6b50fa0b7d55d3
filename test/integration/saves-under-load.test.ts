/** DESIGN, promises 1 to 3: saves under load lose no request and show no old code, broken code never takes the site down. */
import { expect, test } from "vitest";
import { copyFixture } from "./helpers/app.js";
import { libraryRunner } from "./helpers/library.js";
import { startLoad } from "./helpers/load.js";
import type { Answer, LoadTarget } from "./helpers/load.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import { staleAnswers } from "./helpers/stale.js";

const SAVES = 100;

function targetsOf({ port, workerPorts }: Session): LoadTarget[] {
  return [
    { name: "front", port },
    ...workerPorts.map((workerPort, index) => ({
      name: `worker ${index}`,
      port: workerPort,
    })),
  ];
}

test(
  `${SAVES} saves under load: no request lost, through the front and on the workers' own ports; no stale answer`,
  { timeout: 600_000 },
  async () => {
    const session = await startSession(copyFixture("express-app"));
    const { app, cli } = session;
    const answers: Answer[] = [];
    const load = startLoad({
      targets: targetsOf(session),
      keepAlive: 2,
      freshPerSecond: 15,
      pauseMs: 15,
      postEvery: 6,
      onAnswer: (answer) => {
        if (answer.target === "front") answers.push(answer);
      },
    });
    for (let save = 1; save <= SAVES; save++) {
      const from = cli.lines.length;
      app.write("src/version.ts", versionModule(`v${save}`));
      await reloaded(cli, "done", from);
      expect((await get(session.port, "/version")).text).toBe(`v${save}`);
    }
    const report = await load.stop();
    expect(report.lost).toEqual([]);
    for (const { name } of targetsOf(session)) {
      expect(report.requestsByTarget[name]).toBeGreaterThan(SAVES);
    }
    expect(report.posts).toBeGreaterThan(SAVES);
    expect(report.connectionsReused).toBeGreaterThan(SAVES);
    expect(staleAnswers(answers)).toEqual([]);
    // By what the code says, too: versions never go back.
    const seen = answers.filter(({ text }) => text !== "");
    expect(new Set(seen.map(({ text }) => text)).size).toBeGreaterThan(
      SAVES / 2,
    );
  },
);

test(
  "20 saves that break the code in turn, under load: the last good code serves on, the mended code is live after each",
  { timeout: 600_000 },
  async () => {
    const breakages: Record<string, string> = {
      syntax: `export const version: string = "v" "w";\n`,
      "missing import": `import { nothing } from "./nowhere.js";\nexport const version: string = String(nothing);\n`,
      throw: `throw new Error("broken on purpose");\nexport const version: string = "";\n`,
      exit: `process.exit(3);\nexport const version: string = "";\n`,
      "never ready": `await new Promise((resolve) => setTimeout(resolve, 3_600_000));\nexport const version: string = "";\n`,
    };
    // The boot timeout is an option of the library.
    const app = copyFixture("express-app");
    app.write(
      "run.mjs",
      libraryRunner(`{ workers: 2, port: 0, bootTimeoutMs: 2_000 }`),
    );
    const session = await startSession(app, { script: app.path("run.mjs") });
    const { cli, port } = session;
    const load = startLoad({
      targets: targetsOf(session),
      keepAlive: 2,
      freshPerSecond: 15,
      pauseMs: 15,
      postEvery: 6,
    });
    let good = "v0";
    for (let round = 0; round < 4; round++) {
      for (const [kind, code] of Object.entries(breakages)) {
        let from = cli.lines.length;
        app.write("src/version.ts", code);
        const failed = await reloaded(cli, "failed", from);
        expect(failed["diagnostics"], kind).toHaveLength(1);
        expect((await get(port, "/version")).text, kind).toBe(good);
        from = cli.lines.length;
        good = `mended ${kind} ${round}`;
        app.write("src/version.ts", versionModule(good));
        await reloaded(cli, "done", from);
        expect((await get(port, "/version")).text).toBe(good);
      }
    }
    const report = await load.stop();
    expect(report.lost).toEqual([]);
    expect(report.requests).toBeGreaterThan(500);
  },
);
