/** docs/server.md against the code: calls, events, kinds of process events. */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";
import { DevServer } from "../../src/dev-server.js";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/server.md");

/** The names of an interface's members. */
function membersOf(path: string, name: string): string[] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2023);
  const found = source.statements.find(
    (each) => ts.isInterfaceDeclaration(each) && each.name.text === name,
  );
  if (found === undefined || !ts.isInterfaceDeclaration(found))
    throw new Error(`no interface ${name} in ${path}`);
  return found.members.flatMap(({ name: member }) =>
    member !== undefined && ts.isIdentifier(member) ? [member.text] : [],
  );
}

/** The first column's code of every table row. */
const rows = [...page.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code),
);

test("every public call of a server is in the table of calls, and nothing else", () => {
  const calls = Object.getOwnPropertyNames(DevServer.prototype).filter(
    (name) => !["constructor", "project", "url", "workers"].includes(name),
  );
  const documented = rows.flatMap((code) => {
    const [, name] = /^([a-zA-Z]+)\(/.exec(code) ?? [];
    return name === undefined ? [] : [name];
  });
  expect(new Set(documented)).toEqual(new Set(calls));
});

test("every event is in the table of events", () => {
  const events = membersOf("src/server-events.ts", "ServerEvents");
  expect(events.length).toBeGreaterThan(5);
  expect(events.filter((event) => !rows.includes(event))).toEqual([]);
});

test("every kind of process event is named", () => {
  const text = read("src/master/types.ts");
  const events = text.slice(text.indexOf("export type ProcessEvent"));
  const kinds = [...events.matchAll(/readonly kind: "([a-z-]+)"/g)];
  expect(kinds.length).toBeGreaterThan(5);
  for (const [, kind = ""] of kinds) expect(page).toContain(`\`${kind}\``);
});
