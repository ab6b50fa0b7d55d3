/**
 * A program can't tell that a part of it was evaluated ahead. Random programs as real projects: after each save one
 * worker's process was a standby, the other's booted cold, and what they noticed must be the same to the last entry.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeApp } from "./helpers/app.js";
import type { Cli } from "./helpers/cli.js";
import {
  SHARED_FILES,
  writeEntry,
  writeModule,
  writeProgram,
} from "./helpers/program-text.js";
import type { Entry } from "./helpers/program-text.js";
import {
  LEFTOVERS,
  programsAndSaves,
  saved,
  sourcesOf,
} from "./helpers/random-program.js";
import type { ProgramKind } from "./helpers/random-program.js";
import { startSession } from "./helpers/session.js";
import type { Session } from "./helpers/session.js";
import type { LogLine } from "./helpers/log.js";
import { askBoth } from "./helpers/twin.js";
import { linesOf, standbyEvent } from "./helpers/standbys.js";

interface Case extends ProgramKind {
  readonly entry: Entry;
  readonly runs: number;
}

const all = {
  isAsync: false,
  leftovers: LEFTOVERS,
  packages: ["p0", "p1", "p2"],
};

/** Nothing that a top-level await would let happen too early: such a process is given up (see the last case). */
const calm = {
  ...all,
  leftovers: ["immediate", "timeout"] as const,
  packages: ["p0", "p1"],
};

const esmEntry: Entry = { file: "src/server.mts", format: "esm", waits: false };
const cjsEntry: Entry = {
  file: "src/server.cts",
  format: "transpiled",
  waits: false,
};
const asyncEntry: Entry = { ...esmEntry, waits: true };

const CASES: Readonly<Record<string, Case>> = {
  "ES modules": { ...all, entry: esmEntry, formats: ["esm"], runs: 4 },
  "CommonJS made of import syntax": {
    ...{ ...all, entry: cjsEntry, runs: 2 },
    formats: ["transpiled"],
  },
  "CommonJS by hand": {
    ...{ ...all, entry: cjsEntry, runs: 4 },
    formats: ["handwritten"],
  },
  "all formats mixed": {
    ...{ ...all, entry: esmEntry, runs: 4 },
    formats: ["esm", "transpiled", "handwritten"],
  },
  "a top-level await in the entry": {
    ...{ ...calm, entry: asyncEntry, runs: 2 },
    formats: ["esm"],
  },
  "a top-level await anywhere": {
    ...{ ...calm, entry: esmEntry, runs: 3 },
    ...{ formats: ["esm"], isAsync: true },
  },
  "a top-level await anywhere, and promises left for later": {
    ...{ ...all, entry: asyncEntry, runs: 2 },
    ...{ formats: ["esm"], isAsync: true },
  },
};

const SAVES = 5;
const SEED = 20_251_122;

/** What a save led to, and whether a standby took part. */
async function check(session: Session, from: number): Promise<Seen> {
  const { cli } = session;
  const { outcome, diagnostics } = await ended(cli, from);
  if (outcome === "done") {
    const [first, second] = await askBoth(session);
    expect(JSON.parse(first), noticed(cli, from)).toEqual(JSON.parse(second));
    const ready = linesOf(cli, "process", "ready", from);
    return {
      outcome,
      standbys: ready.filter((line) => line["isStandby"] === true).length,
    };
  }
  // A cold boot fails in the same way.
  const next = cli.lines.length;
  cli.signal("SIGHUP");
  const cold = await ended(cli, next);
  expect(messages(cold["diagnostics"])).toEqual(messages(diagnostics));
  return { outcome: "failed", standbys: 0 };
}

/** What a save came to. */
function ended(cli: Cli, from: number): Promise<LogLine> {
  return cli.waitFor(
    "the reload",
    ({ event, outcome }) =>
      event === "reload" && (outcome === "done" || outcome === "failed"),
    { from },
  );
}

/** Which process was what, for the error. */
function noticed(cli: Cli, from: number): string {
  return JSON.stringify(
    cli.lines
      .slice(from)
      .filter(({ event }) => event === "standby" || event === "process"),
  );
}

interface Seen {
  readonly outcome: "done" | "failed";
  readonly standbys: number;
}

function messages(diagnostics: unknown): string[] {
  return (diagnostics as { message: string }[]).map(({ message }) => message);
}

describe("what was evaluated ahead can't be told from a cold boot", () => {
  test.each(Object.entries(CASES))(
    "%s",
    { timeout: 120_000 },
    async (_, { entry, runs, ...kind }) => {
      const app = makeApp({
        ...SHARED_FILES,
        [entry.file]: `import http from "node:http";\nhttp.createServer().listen(3000);\n`,
      });
      const session = await startSession(app, {
        target: entry.file,
        workers: 2,
        args: ["--standby", "1"],
      });
      const { cli } = session;
      await standbyEvent(cli, "ready");
      let run = 0;
      const seen: Seen[] = [];
      let evaluated = 0;
      await fc.assert(
        fc.asyncProperty(
          programsAndSaves(kind, SAVES),
          async ({ program, saves }) => {
            const directory = `src/run${++run}`;
            writeProgram(app, directory, program);
            let from = cli.lines.length;
            writeEntry(app, entry, directory, program);
            const first = await check(session, from);
            seen.push(first);
            if (first.outcome === "failed") return;
            let current = program;
            for (const [index, save] of saves.entries()) {
              if (!sourcesOf(current).has(save.index)) continue;
              current = saved(current, save);
              const ready = await standbyEvent(cli, "ready", from);
              evaluated += ready["evaluated"] as number;
              from = cli.lines.length;
              writeModule(app, directory, current, save.index, index + 1);
              const next = await check(session, from);
              seen.push(next);
              if (next.outcome === "failed") return;
            }
          },
        ),
        { seed: SEED, numRuns: runs, endOnFailure: true },
      );
      const done = seen.filter(({ outcome }) => outcome === "done").length;
      const standbys = seen.filter((each) => each.standbys > 0).length;
      expect(done).toBeGreaterThan(seen.length / 2);
      // The first save of a file is a surprise, and a program's first ones are.
      expect(standbys).toBeGreaterThan(
        kind.leftovers === LEFTOVERS && entry.waits ? 0 : done / 3,
      );
      expect(evaluated).toBeGreaterThan(seen.length);
    },
  );
});
