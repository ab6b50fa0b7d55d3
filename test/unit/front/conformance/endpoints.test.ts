/** The front's own endpoints: who may ask, and that nothing else is taken from the app. Each refusal is one that another dev server lacked. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { endpointOf } from "../../../../src/front/endpoints.js";
import type { FrontOptions } from "../../../../src/front/types.js";
import { RawClient, World, ask } from "../helpers.js";
import type { Reply } from "../helpers.js";

let world: World;
let isOpen: boolean;
let reloads: number;
beforeEach(() => {
  world = new World();
  isOpen = true;
  reloads = 0;
});
afterEach(() => world.end());

const options: Partial<FrontOptions> = {
  allowedHosts: ["app.test"],
  endpoints: {
    isOpen: () => isOpen,
    status: () => ({ generation: 7 }),
    reload: () => {
      reloads++;
      return Promise.resolve({ outcome: "done" });
    },
  },
};

const HTML = { accept: "text/html" };

/** A front whose app names the path that it was asked for, with the token of its page. */
async function open(): Promise<{
  url: string;
  port: number;
  token: string;
  asking: (path: string, headers?: object, method?: string) => Promise<Reply>;
}> {
  const made = await world.front({ ...options, holdTimeoutMs: 1 });
  const page = await ask(made.url, { headers: HTML });
  const [, token = ""] = /data-token="([^"]*)"/.exec(page.text) ?? [];
  expect(token).toMatch(/^[\w-]{32}$/);
  const app = await world.process((request, response) =>
    response.end(`app ${request.method ?? ""} ${request.url ?? ""}`),
  );
  made.front.admit(app.target);
  return {
    ...{ url: made.url, port: made.port, token },
    asking: (path, headers = {}, method = "GET") =>
      ask(`${made.url}${path}`, {
        ...{ method, headers: { ...headers } },
      }),
  };
}

const OWN = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": expect.stringMatching(
    /^default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'/,
  ) as string,
};

describe("the tool's own endpoints", () => {
  it("answer this origin: never kept, never of use to another one", async () => {
    const { url, asking } = await open();
    for (const headers of [
      {},
      { origin: url },
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
      { host: "LOCALHOST:9", origin: "http://localhost:9" },
      { host: "localhost:80", origin: "http://localhost" },
      { host: "app.test", origin: "http://app.test" },
    ]) {
      const {
        status,
        headers: got,
        text,
      } = await asking("/__prefork/status?x=1", headers);
      expect([headers, status]).toEqual([headers, 200]);
      expect(JSON.parse(text)).toEqual({ generation: 7 });
      expect(got).toMatchObject({
        ...OWN,
        "cross-origin-resource-policy": "same-origin",
      });
      const cors = Object.keys(got).filter((name) => /^access-c/.test(name));
      expect(cors).toEqual([]);
      expect(got["x-prefork-worker"]).toBeUndefined();
    }
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    [
      "CVE-2025-24010: a page of any site",
      { origin: "http://evil.example", "sec-fetch-site": "cross-site" },
    ],
    ["a browser that sends no Sec-Fetch-Site", { origin: "http://evil.test" }],
    [
      "CVE-2025-30360: an origin that is an address",
      { origin: "http://192.0.2.1" },
    ],
    ["another port of this host", { origin: "http://127.0.0.1:1" }],
    ["another scheme", { host: "localhost", origin: "https://localhost" }],
    ["an origin that begins alike", { host: "a", origin: "http://a.evil" }],
    ["files and sandboxed frames", { origin: "null" }],
    ["an empty origin", { origin: "" }],
    [
      "CVE-2025-30359: a script element of another site, which sends no Origin",
      { "sec-fetch-site": "cross-site", "sec-fetch-dest": "script" },
    ],
    ["a page of a sibling domain", { "sec-fetch-site": "same-site" }],
    ["DNS rebinding", { host: "evil.example" }],
    ["the network: an address isn't this machine", { host: "192.168.1.7" }],
  ])("don't answer %s", async (_name, headers) => {
    const { asking, token } = await open();
    for (const path of ["/__prefork/status", "/__prefork/events"]) {
      const answer = await asking(path, headers);
      expect(answer.status).toBe(403);
      expect(answer.headers).toMatchObject(OWN);
      expect(answer.text).not.toContain("generation");
    }
    const known = { ...headers, "x-prefork-token": token };
    const { status } = await asking("/__prefork/reload", known, "POST");
    expect(status).toBe(403);
    expect(reloads).toBe(0);
  });

  it("act for those who know the token of this run, and say that they are of this origin", async () => {
    const { asking, token, url } = await open();
    const other = "A".repeat(token.length);
    for (const wrong of [{}, { "x-prefork-token": other }]) {
      const refused = await asking("/__prefork/reload", wrong, "POST");
      expect(refused.status).toBe(403);
      expect(refused.text).toContain("prefork-dev reload");
    }
    const known = { "x-prefork-token": token, origin: url };
    const typed = { ...known, "sec-fetch-site": "none" };
    expect((await asking("/__prefork/reload", typed, "POST")).status).toBe(403);
    expect(reloads).toBe(0);
    const { text } = await asking("/__prefork/reload", known, "POST");
    expect(JSON.parse(text)).toEqual({ outcome: "done" });
    expect(reloads).toBe(1);
    const again = (await open()).token;
    expect(again).not.toBe(token);
  });

  it.each([
    ["GET", "/__prefork/reload", "POST"],
    ["POST", "/__prefork/status", "GET"],
    ["OPTIONS", "/__prefork/status", "GET"],
    ["HEAD", "/__prefork/events", "GET"],
  ])("%s %s: only %s", async (method, path, allow) => {
    const { asking } = await open();
    const { status, headers } = await asking(path, {}, method);
    expect(status).toBe(405);
    expect(headers["allow"]).toBe(allow);
    expect(reloads).toBe(0);
  });

  it.each([
    "/__prefork",
    "/__prefork/",
    "/__prefork/status/",
    "/__prefork/status.json",
    "/__prefork/Status",
    "/__prefork/%73tatus",
    "/__prefork/../__prefork/status",
    "//__prefork/status",
    "/x?/__prefork/status",
    "/__prefork/open-in-editor?file=/etc/passwd",
    "/__prefork/../../etc/passwd",
    "/@fs/etc/passwd",
  ])("%s is the app's", async (path) => {
    const { port } = await open();
    expect(endpointOf({ method: "GET", url: path })).toBeUndefined();
    const client = await RawClient.connect(port);
    client.send(
      `GET ${path} HTTP/1.1`,
      ...["Host: localhost", "Connection: close", "", ""],
    );
    expect(await client.closed()).toContain(`app GET ${path}`);
  });

  it("aren't there without development: their paths are the app's, also for strangers", async () => {
    const { asking } = await open();
    isOpen = false;
    for (const path of ["status", "events", "reload"]) {
      const headers = { origin: "http://evil.example" };
      const { text } = await asking(`/__prefork/${path}`, headers);
      expect(text).toBe(`app GET /__prefork/${path}`);
    }
    const { url } = await world.front({ ...options, holdTimeoutMs: 1 });
    const page = await ask(url, { headers: HTML });
    expect(page.text).not.toContain("script");
    expect(page.headers["refresh"]).toBe("1");
  });

  it("are in turn with what comes before them, and are no upgrades", async () => {
    const { port } = await open();
    const client = await RawClient.connect(port);
    client.send(...["GET /first HTTP/1.1", "Host: localhost", "", ""]);
    client.send(
      ...["GET http://localhost/__prefork/status HTTP/1.1", "Host: localhost"],
      ...["Connection: Upgrade", "Upgrade: websocket", "", ""],
    );
    const text = await client.sees('{"generation":7}');
    expect(text).toMatch(/app GET \/first[^]*HTTP\/1\.1 200 OK[^]*generation/);
    client.socket.destroy();
  });

  it("take no body", async () => {
    const { port, token } = await open();
    const client = await RawClient.connect(port);
    client.send(
      ...["POST /__prefork/reload HTTP/1.1", "Host: localhost"],
      ...[`X-Prefork-Token: ${token}`, "Content-Length: 5", "", ""],
    );
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 /);
    expect(reloads).toBe(0);
  });

  it("events: how it is now, and each change; they end when the front closes", async () => {
    const { front, port } = await world.front({ ...options });
    const client = await RawClient.connect(port);
    client.send(
      ...["GET /__prefork/events HTTP/1.1", "Host: localhost", "", ""],
    );
    await client.sees('data: {"ready":false}');
    const app = await world.process((_, response) => response.end());
    front.admit(app.target);
    await client.sees('data: {"ready":true}');
    front.remove(app.target.id);
    await client.until(() => client.text.split('"ready":false').length === 3);
    await front.close({ deadlineMs: 20_000 });
    expect(await client.closed()).toMatch(/\r\n0\r\n\r\n$/);
  });

  it("their page may run its own script and style, by their hashes, and nothing else", async () => {
    const { url } = await world.front({ ...options, holdTimeoutMs: 1 });
    const { headers, text } = await ask(url, { headers: HTML });
    const hash = (tag: string): string => {
      const [, inner = ""] =
        new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text) ?? [];
      expect(inner).not.toBe("");
      return createHash("sha256").update(inner).digest("base64");
    };
    expect(headers["content-security-policy"]).toBe(
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
        `style-src 'sha256-${hash("style")}'; script-src 'sha256-${hash("script")}'; connect-src 'self'`,
    );
    expect(headers["refresh"]).toBe("10");
    expect(text).toContain('<noscript><meta http-equiv="refresh" content="1">');
    // Elsewhere the endpoints wouldn't answer it.
    const lan = { ...HTML, host: "192.168.1.7" };
    const far = await ask(url, { headers: lan });
    expect(far.text).not.toMatch(/script|data-token/);
  });
});
