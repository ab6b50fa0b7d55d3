/** What people are told of deaths: once per state, with what the process said last. */
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { TerminalReporter } from "../../../src/cli/terminal-reporter.js";
import type { ResolvedProject } from "../../../src/manifest/types.js";
import type { ProcessEvent } from "../../../src/master/types.js";

function reporter(): { report: TerminalReporter; errors: () => string } {
  let errors = "";
  const sink = (take: (text: string) => void): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        take(String(chunk));
        done();
      },
    });
  const report = new TerminalReporter({
    version: "0",
    detail: "normal",
    isWatching: true,
    cwd: "/app",
    stdout: sink(() => undefined),
    stderr: sink((text) => (errors += text)),
  });
  return { report, errors: () => errors };
}

const death = (backoffMs: number, pid = 1): ProcessEvent => ({
  kind: "died",
  worker: 2,
  pid,
  port: 3003,
  generation: 1,
  code: 7,
  signal: null,
  diagnostic: undefined,
  lastWords: ["no database", "giving up"],
  backoffMs,
});

test("a first death is a line: what the process wrote stands above it already", () => {
  const { report, errors } = reporter();
  report.process(death(0));
  expect(errors()).toContain("Worker 2 exited with code 7");
  expect(errors()).toContain("replacing it");
  expect(errors()).not.toContain("no database");
});

test("a crash loop is told once, with the last lines of its stderr", () => {
  const { report, errors } = reporter();
  report.process(death(250));
  const told = errors();
  expect(told).toContain("next try in 250 ms");
  expect(told).toContain("no database");
  expect(told).toContain("giving up");
  report.process(death(500, 2));
  report.process(death(1_000, 3));
  expect(errors()).toBe(told);
});

test("sources that the manifest doesn't list are one line, however many they are", () => {
  const { report, errors } = reporter();
  const project = { manifest: "/app/prefork.config.ts" } as ResolvedProject;
  report.undeclared(["/app/src/a.ts"], project);
  expect(errors()).toContain(
    'src/a.ts is loaded, but prefork.config.ts doesn\'t list it. "prefork-dev check" says',
  );
  const many = Array.from({ length: 8 }, (_, index) => `/app/src/${index}.ts`);
  report.undeclared(many, project);
  expect(errors()).toContain(
    "8 sources are loaded that prefork.config.ts doesn't list: src/0.ts, src/1.ts, src/2.ts, src/3.ts, src/4.ts and 3 more.",
  );
  expect(errors().trimEnd().split("\n")).toHaveLength(2);
});
