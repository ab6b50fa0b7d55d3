/** The JSON Schema against the validator: every key known to one is known to the other, and they agree on examples. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { serverFields } from "../../../src/manifest/server-fields.js";
import type { ServerField } from "../../../src/manifest/server-fields.js";
import { runKeys } from "../../../src/manifest/check-run.js";
import {
  directoryKeys,
  fileKeys,
  parseConfig,
  parseConfigs,
  projectKeys,
} from "../../../src/manifest/validate.js";
import { isValid } from "./json-schema.js";

const url = new URL(
  "../../../src/manifest/prefork.config.schema.json",
  import.meta.url,
);

interface Definition {
  readonly properties: Readonly<
    Record<string, Readonly<Record<string, unknown>>>
  >;
}

const schema = JSON.parse(readFileSync(url, "utf8")) as {
  readonly definitions: Readonly<Record<string, Definition>>;
} & Readonly<Record<string, unknown>>;

function propertiesOf(name: string): Definition["properties"] {
  const definition = schema.definitions[name];
  if (definition === undefined) throw new Error(`no definition of ${name}`);
  return definition.properties;
}

/** What the validator says of it. */
function isAccepted(value: unknown): boolean {
  try {
    if (Array.isArray(value)) parseConfigs(value, "m");
    else parseConfig(value, "m");
    return true;
  } catch {
    return false;
  }
}

/** Values for each kind of field, good and bad. */
function trials(field: ServerField): unknown[] {
  const usual = [
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    "",
    " ",
    "a/b",
    [],
    ["x"],
    [1],
    {},
  ];
  const more = [{ A: "b" }, { A: 1 }, "fresh", "available", "stale"];
  const edges =
    field.kind === "integer"
      ? [field.least, field.least - 1, field.most, field.most + 1]
      : [];
  const choices = field.kind === "choice" ? field.values : [];
  return [...usual, ...more, ...edges, ...choices];
}

describe("the schema and the validator", () => {
  it.each([
    ["project", projectKeys],
    ["file", fileKeys],
    ["directory", directoryKeys],
    // A function can't stand in JSON.
    ["run", runKeys.filter((key) => key !== "fn")],
    ["server", Object.keys(serverFields)],
  ])("know the same keys of a %s", (name, keys) => {
    expect(new Set(Object.keys(propertiesOf(name)))).toEqual(new Set(keys));
  });

  it("describe each key", () => {
    for (const name of ["project", "file", "directory", "run", "server"]) {
      for (const [key, property] of Object.entries(propertiesOf(name)))
        expect(property["description"], `${name}.${key}`).toMatch(/\w+.*\.$/);
    }
  });

  it.each(Object.entries(serverFields))(
    "agree on the values of server.%s",
    (name, field) => {
      for (const value of trials(field)) {
        const config = { entry: "a.ts", server: { [name]: value } };
        expect(
          [name, value, isValid(config, schema)],
          "the schema as the validator",
        ).toEqual([name, value, isAccepted(config)]);
      }
      // Neither refuses, nor takes, everything.
      const accepted = trials(field).filter((value) =>
        isAccepted({ entry: "a.ts", server: { [name]: value } }),
      );
      expect(accepted.length).toBeGreaterThan(0);
      expect(accepted.length).toBeLessThan(trials(field).length);
    },
  );

  const good: unknown[] = [
    { entry: "a.ts" },
    { $schema: "./schema.json", entry: "a.ts", name: "n" },
    { entry: "a.ts", sources: ["b.ts", { file: "c.ts" }] },
    {
      entry: "a.ts",
      sources: [
        { file: "c.ts", needs: ["d"], standby: false, reload: false },
        { directory: "e", sources: [{ directory: "f", sources: [] }] },
      ],
    },
    { entry: "a.ts", sources: [{ file: "c.ts", standby: true, reload: true }] },
    {
      entry: "a.ts",
      sources: [
        { file: "c.sql", run: { command: "gen", makes: ["d.ts"] } },
        {
          file: "e",
          run: { command: ["gen", ""], makes: ["*.ts"], timeoutMs: 0 },
        },
      ],
    },
    { entry: "a.ts", changes: { "a.ts": ["b.ts"] }, mixins: ["m.ts"] },
    { entry: "a.ts", preload: ["express", "@fastify/cors"], server: {} },
    [{ name: "a", entry: "a.ts" }],
    [
      { name: "a", entry: "a.ts" },
      { name: "b", entry: "b.ts", server: { workers: 2 } },
    ],
  ];
  const bad: unknown[] = [
    {},
    null,
    "a.ts",
    [],
    [{ entry: "a.ts" }],
    [{ name: "a", entry: "a.ts" }, 7],
    { entry: "" },
    { entry: "a.ts", nme: "x" },
    { entry: "a.ts", sources: "b.ts" },
    { entry: "a.ts", sources: [{}] },
    { entry: "a.ts", sources: [{ file: "a", directory: "b" }] },
    { entry: "a.ts", sources: [{ file: "a", sources: [] }] },
    { entry: "a.ts", sources: [{ directory: "b" }] },
    { entry: "a.ts", sources: [{ file: "a", reload: null }] },
    { entry: "a.ts", sources: [{ file: "a", needs: "b" }] },
    { entry: "a.ts", sources: [{ file: "a", needs: [""] }] },
    { entry: "a.ts", sources: [{ file: "a", run: "gen" }] },
    { entry: "a.ts", sources: [{ file: "a", run: { command: "gen" } }] },
    { entry: "a.ts", sources: [{ file: "a", run: { makes: ["b"] } }] },
    ...[
      { command: "", makes: ["b"] },
      { command: [], makes: ["b"] },
      { command: ["gen", 1], makes: ["b"] },
      { command: "gen", makes: [] },
      { command: "gen", makes: "b" },
      { command: "gen", makes: ["b"], timeoutMs: -1 },
      { command: "gen", makes: ["b"], timeoutMs: 0.5 },
      { command: "gen", makes: ["b"], cwd: "." },
    ].map((run) => ({ entry: "a.ts", sources: [{ file: "a", run }] })),
    {
      entry: "a.ts",
      sources: [
        {
          directory: "d",
          sources: [],
          run: { command: "gen", makes: ["b"] },
        },
      ],
    },
    { entry: "a.ts", changes: { a: "b" } },
    { entry: "a.ts", preload: ["./db"] },
    { entry: "a.ts", preload: ["node_modules"] },
    { entry: "a.ts", mixins: ["m"] },
    { entry: "a.ts", server: [] },
    { entry: "a.ts", server: { prot: 1 } },
  ];

  it.each(good.map((value) => [value]))("both take %j", (value) => {
    expect([isValid(value, schema), isAccepted(value)]).toEqual([true, true]);
  });

  it.each(bad.map((value) => [value]))("both refuse %j", (value) => {
    expect([isValid(value, schema), isAccepted(value)]).toEqual([false, false]);
  });
});
