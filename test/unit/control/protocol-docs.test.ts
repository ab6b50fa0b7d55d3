import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { routeName, routes } from "../../../src/control/routes.js";
import { errorCodes } from "../../../src/errors.js";

const page = readFileSync(
  new URL("../../../docs/control-protocol.md", import.meta.url),
  "utf8",
);

/** The requests in the first column of a table. */
function requestsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `((?:GET|POST|\w+) \/[^`]*)` \|/gm)].map(
    ([, request = ""]) => request,
  );
}

describe("docs/control-protocol.md", () => {
  it("lists exactly the routes, in the same order", () => {
    expect(requestsOf(page)).toEqual(routes.map(routeName));
  });

  it("names no code that doesn't exist", () => {
    const named = page.match(/ERR_PREFORK_\w+/g) ?? [];
    expect(named.filter((code) => !(code in errorCodes))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });

  it("is read row by row", () => {
    const text = "| request |\n|---|\n| `GET /a` | x |\n| `PUT /b` | y |\n";
    expect(requestsOf(text)).toEqual(["GET /a", "PUT /b"]);
  });
});
