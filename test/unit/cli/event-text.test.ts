/** What `--verbose` says of steps. */
import { expect, test } from "vitest";
import { stepText } from "../../../src/cli/event-text.js";
import type { StepEvent } from "../../../src/steps/types.js";

const name = { step: "sources[0].run", command: "node gen.mjs" };
const text = (event: StepEvent): string =>
  stepText(event, (path) => path.replace("/app/", ""));

test("a step that starts is told with what it starts for", () => {
  const started = (...changed: string[]): string =>
    text({ ...name, kind: "started", changed });
  expect(started("/app/a.sql")).toBe("step `node gen.mjs` started for a.sql");
  expect(started("/app/a.sql", "/app/b.sql", "/app/c.sql")).toBe(
    "step `node gen.mjs` started for a.sql +2",
  );
  expect(started()).toBe("step `node gen.mjs` started");
});

test("one that is done is told with what it made and what it wrote", () => {
  const done = { ...name, kind: "done", ms: 1_400 } as const;
  expect(
    text({ ...done, made: ["/app/a.ts", "/b.ts"], output: "2 types" }),
  ).toBe("step `node gen.mjs` made a.ts, /b.ts in 1.4 s\n2 types");
  expect(text({ ...done, made: [], output: "" })).toBe(
    "step `node gen.mjs` made nothing new in 1.4 s",
  );
});

test("how it ended else", () => {
  const ms = 12;
  expect(text({ ...name, kind: "failed", message: "no", ms })).toBe(
    "step `node gen.mjs` failed after 12 ms",
  );
  expect(text({ ...name, kind: "cancelled", ms })).toBe(
    "step `node gen.mjs` cancelled after 12 ms",
  );
});
