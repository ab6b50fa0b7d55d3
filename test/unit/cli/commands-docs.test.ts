/** docs/commands.md against the code: every flag of each sub-command, with what it does, and every kind of finding. */
import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import {
  isProjectCommand,
  makeProjectCommand,
  projectCommands,
} from "../../../src/cli/project-command-line.js";

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

/** Each section's text by its heading. */
const sections = new Map(
  read("docs/commands.md")
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end), section.slice(end)] as const;
    }),
);

/** The rows of a section's tables: the code in the first cell, and the second cell. */
function rowsOf(section: string): (readonly [string, string])[] {
  return [...section.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(
    ([, code = "", text = ""]) => [code, text] as const,
  );
}

const streams = { stdout: new Writable(), stderr: new Writable() };
const names = Object.keys(projectCommands).filter(isProjectCommand);

describe("docs/commands.md", () => {
  it("has a section for each sub-command, and README a row", () => {
    expect([...sections.keys()]).toEqual(names);
    const readme = read("README.md");
    for (const name of names) {
      expect(readme).toContain(`| \`prefork-dev ${name}`);
    }
  });

  it.each(names)("has all of %s", (name) => {
    const command = makeProjectCommand(name, streams);
    const section = sections.get(name) ?? "";
    const flags = rowsOf(section).filter(([code]) => code.startsWith("-"));
    expect(flags.map(([code]) => code)).toEqual(
      command.options.map((option) => option.flags),
    );
    for (const option of command.options) {
      const text = flags.find(([code]) => code === option.flags)?.[1] ?? "";
      expect(text.startsWith(option.description)).toBe(true);
      for (const choice of option.argChoices ?? [])
        expect(text).toContain(`\`${choice}\``);
    }
    const [argument] = command.registeredArguments;
    expect(section).toContain(
      `    prefork-dev ${name} [${argument?.name() ?? ""}]\n`,
    );
  });

  it("has each kind of finding", () => {
    const path = "src/inspect/types.ts";
    const source = ts.createSourceFile(
      path,
      read(path),
      ts.ScriptTarget.ES2023,
    );
    const type = source.statements.find(
      (each) =>
        ts.isTypeAliasDeclaration(each) && each.name.text === "FindingKind",
    );
    const kinds = [
      ...(type?.getText(source).matchAll(/"([a-z-]+)"/g) ?? []),
    ].map(([, kind]) => kind);
    const rows = rowsOf(sections.get("check") ?? "").map(([code]) => code);
    expect(kinds.length).toBeGreaterThan(5);
    expect(new Set(rows.filter((code) => !code.startsWith("-")))).toEqual(
      new Set(kinds),
    );
  });
});
