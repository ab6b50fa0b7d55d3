/** docs/front.md against the code: limits and their defaults, statuses. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultLimits, defaultTrust } from "../../src/front/limits.js";
import { resolveServerOptions } from "../../src/server-options.js";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/front.md");

/** The rows of the table below a heading: its cells. */
function table(heading: string): string[][] {
  const [, rest = ""] = page.split(`\n## ${heading}\n`);
  const [section = ""] = rest.split("\n## ");
  return [...section.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = ""]) => row.split(" | "))
    .slice(1);
}

const limits = new Map(
  table("Limits").map(([name = "", value = ""]) => [
    name.replaceAll("`", ""),
    Number(value.replaceAll(",", "")),
  ]),
);

test("every limit is in the table, with its default", async () => {
  const { holdTimeoutMs, freshTimeoutMs, frontLimits } =
    await resolveServerOptions({});
  expect(frontLimits).toEqual(defaultLimits);
  expect(Object.fromEntries(limits)).toEqual({
    ...defaultLimits,
    ...{ holdTimeoutMs, freshTimeoutMs },
  });
});

test("what the options' comments say are the defaults", () => {
  const types = read("src/manifest/server-config.ts");
  for (const [name, value] of limits) {
    const comment = new RegExp(
      `Default ([\\d,]+)[^*]*\\*/\\s+readonly ${name}\\?`,
    );
    expect(comment.exec(types)?.[1]?.replaceAll(",", ""), name).toBe(
      String(value),
    );
  }
});

test("the default of trustProxy is the one that it says", () => {
  expect(page).toContain(`\`${defaultTrust}\` (default)`);
});

test("every status of a refusal is in the table", () => {
  const [, type = ""] =
    /interface Refusal \{\s+readonly status: ([\d |]+);/.exec(
      read("src/front/faults.ts"),
    ) ?? [];
  const statuses = type.split(" | ");
  expect(statuses.length).toBeGreaterThan(5);
  expect(new Set(table("What is refused").map(([status]) => status))).toEqual(
    new Set(statuses),
  );
});
