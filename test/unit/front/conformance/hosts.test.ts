/** Which Host names are answered: DESIGN's rule, and what other dev servers got wrong about it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  faultOfHostName,
  isAllowedName,
  isLoopbackName,
  nameOf,
} from "../../../../src/front/host-rule.js";
import type { AllowedHosts } from "../../../../src/front/types.js";
import { World, ask } from "../helpers.js";
import { head, hop, refused, relayed, relayedLast, run } from "./row.js";
import type { Row } from "./row.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const ok = relayed("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const REBINDING = "DNS rebinding (CVE-2025-24010, CVE-2018-14732)";

/** A name that is answered. */
const answers = (
  host: string,
  guards: string,
  allowedHosts: AllowedHosts = [],
): Row => ({
  name: `Host: ${host} is answered, allowed: ${JSON.stringify(allowedHosts)}`,
  guards,
  options: { allowedHosts },
  send: [head("GET / HTTP/1.1", `Host: ${host}`)],
  forwards: head(
    "GET / HTTP/1.1",
    `Host: ${host}`,
    ...hop(host),
    "Connection: keep-alive",
  ),
  gets: ok,
});

/** One that isn't. */
const refuses = (
  host: string,
  guards: string,
  allowedHosts: AllowedHosts = [],
  status = 403,
): Row => ({
  name: `Host: ${host} is refused, allowed: ${JSON.stringify(allowedHosts)}`,
  guards,
  options: { allowedHosts },
  send: [head("GET / HTTP/1.1", `Host: ${host}`)],
  forwards: undefined,
  gets: refused(status),
  closes: true,
});

const upgrade = (host: string): string =>
  head(
    "GET /socket HTTP/1.1",
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Origin: http://evil.example",
  );

const rows: readonly Row[] = [
  answers("localhost", "DESIGN 5"),
  answers("localhost:3000", "a port is no part of the name"),
  answers("localhost:", "3986 3.2.3: an empty port"),
  answers("LOCALHOST:3000", "names have no case"),
  answers("localhost.", "a dot at the end is the root's"),
  answers("shop.localhost:3000", "RFC 6761 6.3: never asked of DNS"),
  answers("127.0.0.1:3000", "an address can't be rebound"),
  answers("192.168.1.7:3000", "an address can't be rebound"),
  answers("[::1]:3000", "brackets"),
  answers("[FE80::1]", "brackets"),
  answers("app.test:3000", "--allowed-host", ["app.test"]),
  answers("App.Test.", "case, and the root's dot", ["aPP.test."]),
  answers("a.b.app.test", "a dot in front: subdomains", [".app.test"]),
  answers("app.test", "a dot in front: the name itself", [".app.test"]),
  answers("evil.example", "true: the app's own affair", true),

  refuses("evil.example", REBINDING),
  refuses("evil.example:3000", REBINDING),
  refuses("EVIL.example", REBINDING),
  refuses("localhost.evil.example", "checks of how a name begins"),
  refuses("127.0.0.1.evil.example", "addresses found within a name"),
  refuses("127.0.0.1.nip.io", "names that lead to this machine by design"),
  refuses("evillocalhost", "checks of how a name ends, without its dot"),
  refuses("localhost..", "one dot is the root's"),
  refuses(".localhost.evil", "a dot in front is for the list"),
  refuses("127.1", "an address that browsers would have written out"),
  refuses("0x7f.0.0.1", "an address that browsers would have written out"),
  refuses("2130706433", "an address that browsers would have written out"),
  refuses("%6c%6fcalhost", "names that are decoded twice"),
  refuses("app.test", "only what is allowed", ["shop.test"]),
  refuses("a.app.test", "subdomains only behind a dot", ["app.test"]),
  refuses("evilapp.test", "a boundary of labels (CVE-2021-22881)", [
    ".app.test",
  ]),
  refuses("app.test.evil.example", "how a name begins", [".app.test"]),
  refuses("app.testx", "patterns whose dots match anything", ["app.test"]),
  refuses("appxtest", "patterns whose dots match anything", ["app.test"]),
  refuses(
    "evil.example/.app.test",
    "CVE-2021-44528: what isn't a host, but ends like one that is allowed",
    [".app.test"],
    400,
  ),
  refuses("evil.example#.app.test", "CVE-2021-44528", [".app.test"], 400),
  refuses("x@localhost", "user information", [], 400),
  refuses("localhost, evil.example", "lists", [], 400),
  refuses("[::1].evil.example", "brackets that end early", [], 400),

  {
    name: "the target's host counts, and only as it is in Host",
    guards: "RFC 9112 3.2.2; checks that look at one of the two",
    options: { allowedHosts: [] },
    send: [head("GET http://evil.example/ HTTP/1.1", "Host: localhost")],
    forwards: undefined,
    gets: refused(400),
    closes: true,
  },
  {
    name: "an absolute target for a stranger's name is refused",
    guards: REBINDING,
    options: { allowedHosts: [] },
    send: [head("GET http://evil.example/ HTTP/1.1", "Host: evil.example")],
    forwards: undefined,
    gets: refused(403),
    closes: true,
  },
  {
    name: "HTTP/1.0 with an absolute target and no Host: the target's name counts",
    guards: REBINDING,
    options: { allowedHosts: [] },
    send: [head("GET http://evil.example/ HTTP/1.0")],
    forwards: undefined,
    gets: refused(403),
    closes: true,
  },
  {
    name: "HTTP/1.0 without any host is answered",
    guards:
      "RFC 9112 3.2: only HTTP/1.1 must have one, and no browser speaks 1.0",
    options: { allowedHosts: [] },
    send: [head("GET / HTTP/1.0")],
    forwards: /^GET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/,
    gets: relayedLast("HTTP/1.1 200 OK", "Content-Length: 2") + "ok",
    closes: true,
  },
  {
    name: "X-Forwarded-Host allows nothing",
    guards: "CVE-2021-44528: checks of a field that any page can send",
    options: { allowedHosts: [] },
    send: [
      head(
        "GET / HTTP/1.1",
        "Host: evil.example",
        "X-Forwarded-Host: localhost",
        "Forwarded: host=localhost",
      ),
    ],
    forwards: undefined,
    gets: refused(403),
    closes: true,
  },
  {
    name: "a WebSocket for a stranger's name is refused",
    guards: "CVE-2018-14732, CVE-2025-24010: upgrades that nobody looked at",
    options: { allowedHosts: [] },
    send: [upgrade("evil.example")],
    forwards: undefined,
    gets: refused(403),
    closes: true,
  },
  {
    name: "… also one that is served as plain HTTP",
    guards: "upgrades that take another way through the proxy",
    options: { allowedHosts: [] },
    send: [
      head(
        "GET / HTTP/1.1",
        "Host: evil.example",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
      ),
    ],
    forwards: undefined,
    gets: refused(403),
    closes: true,
  },
  {
    name: "a preflight is refused, without any permission for other origins",
    guards: "CVE-2025-24010, GHSA-67mh-4wv8-2f99: CORS fields for everybody",
    options: { allowedHosts: [] },
    send: [
      head(
        "OPTIONS / HTTP/1.1",
        "Host: evil.example",
        "Origin: http://evil.example",
        "Access-Control-Request-Method: POST",
      ),
    ],
    forwards: undefined,
    gets: /^HTTP\/1\.1 403 (?:(?!access-control)[^])*$/i,
    closes: true,
  },
  {
    name: "each request of a connection is looked at",
    guards: "checks of the first request alone",
    options: { allowedHosts: [] },
    send: [
      head("GET /1 HTTP/1.1", "Host: localhost"),
      { sees: "ok" },
      head("GET /2 HTTP/1.1", "Host: evil.example"),
    ],
    forwards: /^GET \/1 (?:(?!GET)[^])*$/,
    gets: /ok(?=HTTP\/1\.1 403 )/,
    closes: true,
  },
];

describe("hosts", () => {
  it.each(rows.map((row) => [`${row.name} (${row.guards})`, row] as const))(
    "%s",
    async (_name, row) => {
      await run(world, row);
    },
  );

  it.each([
    ["text/html", /^text\/html/, /<h1>prefork-dev refused/],
    ["application/json", /^application\/json/, /"status": 403/],
    [undefined, /^text\/plain/, /^prefork-dev refused/],
  ])(
    "whoever asks for %s is told which flag allows the name, and it's never kept",
    async (accept, type, body) => {
      const { url } = await world.simple((_, response) => response.end(), {
        allowedHosts: [],
      });
      const headers = { host: "shop.example:1", ...(accept && { accept }) };
      const answer = await ask(url, { headers });
      expect(answer.status).toBe(403);
      expect(answer.headers["content-type"]).toMatch(type);
      expect(answer.headers).toMatchObject({
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": expect.stringContaining(
          "default-src 'none'",
        ) as string,
      });
      expect(answer.text).toMatch(body);
      expect(answer.text).toContain("--allowed-host shop.example");
      expect(answer.text).toContain("allowedHosts");
    },
  );

  it("a name that would do something in a shell isn't offered for copying", () => {
    const url = "/";
    const rawHeaders = ["Host", "x;$(reboot)&'y'"];
    const { text = "" } = faultOfHostName({ url, rawHeaders }, []) ?? {};
    expect(text).toContain("--allowed-host <name>");
    expect(text.match(/reboot/g)).toHaveLength(1);
  });

  it("the list is read for each request: what the manifest allows takes effect at once", async () => {
    const allowedHosts: string[] = [];
    const { url } = await world.simple((_, response) => response.end(), {
      allowedHosts,
    });
    const status = async (): Promise<number> =>
      (await ask(url, { headers: { host: "app.test" } })).status;
    expect(await status()).toBe(403);
    allowedHosts.push("app.test");
    expect(await status()).toBe(200);
  });

  it.each([
    ["localhost", true],
    ["a.localhost", true],
    ["127.8.9.1", true],
    ["::1", true],
    ["192.168.1.7", false],
    ["::2", false],
    ["127.evil", false],
    ["app.test", false],
  ])("%s is this machine: %s", (name, is) => {
    expect(isLoopbackName(name)).toBe(is);
  });

  it("an IPv6 address may be allowed with its brackets", () => {
    expect(isAllowedName(nameOf("[FD00::1]:80"), ["[fd00::1]"])).toBe(true);
  });
});
