import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { duration, statusText } from "../../../src/cli/status-text.js";

function textOf(status: unknown): string {
  return stripVTControlCharacters(statusText(status, "/srv/app"));
}

describe("the text of a status", () => {
  it("has a line for each step of the manifest", () => {
    const step = { command: "node gen.mjs", state: "done", ms: 120 };
    const text = textOf({
      steps: [
        { ...step, step: "sources[0].run" },
        { ...step, step: "sources[1].run", state: "due", ms: undefined },
      ],
    });
    expect(text).toContain(
      "step sources[0].run: done, took 120 ms (node gen.mjs)\nstep sources[1].run: due (node gen.mjs)\n",
    );
  });

  it("is a table of the workers under a line about the server and one about its code", () => {
    const worker = {
      index: 0,
      port: 3001,
      pid: 4243,
      generation: 12,
      state: "ready",
      draining: 0,
      restarts: 0,
      uptimeMs: 65_000,
      leases: 2,
      requests: 1204,
      rssBytes: 50_331_648,
      loopDelayMs: 1.4,
      isHung: false,
    };
    const text = textOf({
      name: "shop",
      pid: 4242,
      url: "http://127.0.0.1:3000",
      uptimeMs: 11_220_000,
      generation: 12,
      sources: 213,
      workers: [
        worker,
        { ...worker, index: 10, port: 3011, draining: 1, requests: undefined },
        { index: 11, port: 3012, state: "backoff", restarts: 3 },
        { ...worker, index: 12, isHung: true },
      ],
      standbys: [
        { pid: 1, state: "ready" },
        { pid: 2, state: "ready" },
        { pid: 3, state: "booting" },
      ],
      lastRoll: {
        kind: "done",
        generation: 12,
        compileMs: 3,
        firstMs: 20,
        allMs: 45,
      },
    });
    expect(text).toBe(
      `shop  http://127.0.0.1:3000  pid 4242  up 3 h 7 min
generation 12  213 sources  last reload: done, compiled 3 ms, first worker 20 ms, all 45 ms

  worker  port   pid  state              gen     uptime  leases  requests  memory  loop  restarts
       0  3001  4243  ready               12  1 min 5 s       2      1204  48 MiB  1 ms         0
      10  3011  4243  ready +1 draining   12  1 min 5 s       2         -  48 MiB  1 ms         0
      11  3012     -  backoff              -          -       -         -       -     -         3
      12  3001  4243  hung                12  1 min 5 s       2      1204  48 MiB  1 ms         0

standbys: 2 ready (pids 1, 2), 1 booting (pid 3)
`,
    );
  });

  it("has what the front counted, for each worker and in a line of its own", () => {
    const traffic = {
      ...{ requests: 7, retries: 1, upgrades: 2, bytesIn: 512 },
      ...{ bytesOut: 1_572_864, p50Ms: 3.2, p99Ms: 41 },
    };
    const text = textOf({
      workers: [{ index: 0, traffic }, { index: 1 }],
      front: {
        ...{ requests: 1, refused: 3, held: 2, heldTotal: 12, retries: 1 },
        ...{ holdP50Ms: 3, holdP99Ms: 40, upgrades: 1, ownAnswers: 0 },
        ...{ bytesIn: 20_480, bytesOut: 0 },
      },
    });
    expect(text).toContain(
      `  worker  upgrades  retries     in      out   p50    p99
       0         2        1  512 B  1.5 MiB  3 ms  41 ms
       1         -        -      -        -     -      -

front: 1 request, 2 waiting, 12 had to wait (half 3 ms, 99 % 40 ms), 1 tried again, 1 upgrade, 3 refused, 20 KiB in
`,
    );
  });

  it("leaves out what isn't there", () => {
    expect(textOf({})).toBe("prefork-dev\n\n  no workers\n");
    expect(textOf(null)).toBe(textOf({}));
    expect(textOf({ workers: [{ index: 0, state: "booting" }] })).toBe(
      "prefork-dev\n\n  worker  state\n       0  booting\n",
    );
    expect(textOf({ pid: "4", workers: "none", standbys: [] })).toBe(
      "prefork-dev\n\n  no workers\n\nstandbys: none\n",
    );
  });

  it("names what is loaded and not listed", () => {
    expect(textOf({ undeclared: ["/srv/app/src/a.ts", "/srv/b.ts", 3] })).toBe(
      `prefork-dev

  no workers

not listed in the manifest: src/a.ts, /srv/b.ts ("prefork-dev check" says where to add what)
`,
    );
    expect(textOf({ undeclared: [] })).toBe(textOf({}));
  });

  it("ends with the error that nobody has mended yet", () => {
    const text = textOf({
      lastError: {
        phase: "boot",
        serving: 3,
        diagnostics: [{ message: "boom", file: "/srv/app/a.ts", line: 2 }],
      },
    });
    expect(text).toContain(
      "The new code doesn't start — generation 3 serves on",
    );
    expect(text).toContain("boom");
    expect(text).toContain("a.ts:2");
  });
});

describe("a duration", () => {
  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [12_345, "12 s"],
    [60_000, "1 min"],
    [200_000, "3 min 20 s"],
    [7_500_000, "2 h 5 min"],
    [3 * 86_400_000 + 59_000, "3 d"],
  ])("of %i ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
