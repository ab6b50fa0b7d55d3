/** The real server behind a real nginx and a real HAProxy: scaling and rolls under load lose nothing. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { copyFixture, repository } from "./helpers/app.js";
import { makeHaproxy } from "./helpers/haproxy.js";
import { caller, CONTROLLABLE, libraryRunner } from "./helpers/library.js";
import { startLoad } from "./helpers/load.js";
import { makeNginx } from "./helpers/nginx.js";
import { isMissing } from "./helpers/programs.js";
import { lostBeyondReloads } from "./helpers/scale-under-load.js";
import {
  get,
  reloaded,
  startSession,
  versionModule,
} from "./helpers/session.js";

const ROLLS = 10;

interface ExternalFront {
  readonly port: number;
  /** Source text that makes the `Upstream`. */
  readonly upstream: string;
  readonly start: () => Promise<void>;
}

async function nginxFront(): Promise<ExternalFront> {
  // No second try at another server: a request to a port that is closed is one that is lost.
  const { port, options, start } = await makeNginx({
    location: "proxy_next_upstream off;",
  });
  writeFileSync(options.file, "upstream app { server 127.0.0.1:1; }\n");
  return { port, start, upstream: `nginxUpstream(${JSON.stringify(options)})` };
}

async function haproxyFront(): Promise<ExternalFront> {
  const { port, options, start } = await makeHaproxy();
  const upstream = `haproxyUpstream(${JSON.stringify(options)})`;
  return { port, start, upstream };
}

/** A program that can be called. */
function runner({ upstream }: ExternalFront): string {
  const library = JSON.stringify(path.join(repository, "dist/index.js"));
  return [
    `import { haproxyUpstream, nginxUpstream } from ${library};`,
    libraryRunner(
      `{ front: false, port: 0, workers: 2, upstreams: [${upstream}] }`,
    ),
    CONTROLLABLE,
  ].join("\n");
}

for (const { name, make } of [
  { name: "nginx", make: nginxFront },
  { name: "haproxy", make: haproxyFront },
]) {
  const title = `${name}: 2 -> 6 -> 1 and ${ROLLS} rolls under load`;
  test.skipIf(isMissing(name))(title, { timeout: 240_000 }, async () => {
    const front = await make();
    await front.start();
    const app = copyFixture("express-app");
    app.write("run.mjs", runner(front));
    const { cli } = await startSession(app, { script: app.path("run.mjs") });
    const call = await caller(cli);
    const inStep = async (workers: number): Promise<void> => {
      await vi.waitFor(
        async () => {
          const { value } = await call("return server.status().upstreams");
          expect(value).toMatchObject([
            { state: "in-step", servers: { length: workers } },
          ]);
        },
        { timeout: 20_000, interval: 50 },
      );
    };
    await inStep(2);
    const seen = new Set<string>();
    const load = startLoad({
      targets: [{ name, port: front.port }],
      keepAlive: 3,
      freshPerSecond: 30,
      onAnswer: ({ text }) => seen.add(text),
    });
    expect((await call("return await server.scale(6)")).value).toEqual({
      kind: "done",
      workers: 6,
    });
    await inStep(6);
    for (let roll = 1; roll <= ROLLS; roll++) {
      const from = cli.lines.length;
      app.write("src/version.ts", versionModule(`v${roll}`));
      await reloaded(cli, "done", from);
      if (roll !== ROLLS / 2) continue;
      expect((await call("return await server.scale(1)")).value).toEqual({
        kind: "done",
        workers: 1,
      });
      await inStep(1);
    }
    expect((await get(front.port, "/version")).text).toBe(`v${ROLLS}`);
    const report = await load.stop();
    const lost = name === "nginx" ? lostBeyondReloads(report) : report.lost;
    expect(lost).toEqual([]);
    expect(report.requests).toBeGreaterThan(100);
    expect(seen.size).toBeGreaterThan(ROLLS / 2);
    const warnings = cli.lines.filter(({ event }) => event === "warning");
    expect(warnings).toEqual([]);
  });
}
