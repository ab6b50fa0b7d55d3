/** docs/front-balancing.md against the code: the defaults of its options. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { resolveServerOptions } from "../../src/server-options.js";

const page = readFileSync(
  new URL("../../docs/front-balancing.md", import.meta.url),
  "utf8",
);

test("the defaults are those that are filled in", async () => {
  const { deadlines, ...options } = await resolveServerOptions({});
  const known: Readonly<Record<string, unknown>> = { ...options, ...deadlines };
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)];
  expect(rows).toHaveLength(7);
  for (const [, name = "", value] of rows)
    expect([name, String(known[name])]).toEqual([name, value]);
});
