/** What the front says itself: in the client's language, and harmless whatever the app wrote. */
import type http from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { formFor } from "../../../src/front/accept.js";
import { bodyOf } from "../../../src/front/own-body.js";
import type { Outage } from "../../../src/front/types.js";
import { World, ask } from "./helpers.js";

const CHROMIUM =
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

describe("formFor", () => {
  it.each([
    [undefined, "text"],
    ["", "text"],
    ["*/*", "text"],
    [CHROMIUM, "html"],
    ["application/json, text/plain, */*", "json"],
    ["APPLICATION/JSON", "json"],
    ["application/vnd.api+json", "json"],
    ["application/problem+json;q=0.5", "json"],
    ["text/plain, text/html", "text"],
    ["text/html;q=0.4, application/json;q=0.5", "json"],
    ["text/html;q=0, */*", "text"],
    ["text/html;level=1;q=0.7, application/json; q=0.2", "html"],
    ["text/html;q=many", "html"],
    [",;=,;q=1", "text"],
    ["image/png", "text"],
  ])("%j: %s", (accept, form) => {
    expect(formFor(accept)).toBe(form);
  });
});

const HOSTILE = `</pre><script>alert("x")</script><img src=x onerror='y'>&amp;\u0000\u001b[31mred\u001b[0m\u001b]8;;http://evil\u0007\r`;
const outage: Outage = {
  title: `Worker 0 has ended. ${HOSTILE}`,
  diagnostics: [
    {
      message: `Unexpected ${HOSTILE}`,
      file: `/app/${HOSTILE}.ts`,
      line: 3,
      column: 7,
      frame: `> 3 | const a = "${HOSTILE}";\n    |       ^`,
      stack: "not for clients",
    },
  ],
  lastWords: [HOSTILE, "</body>"],
};

describe("hostile text", () => {
  const own = { status: 503, text: outage.title, outage } as const;

  it("is text in a page: no tag, entity or escape of it survives", () => {
    const { text } = bodyOf(own, "html");
    const tags = [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
    const known =
      /^<(?:!doctype html|html lang="en"|\/?head|\/html|meta (?:charset="utf-8"|name="viewport" content="width=device-width")|\/?title|\/?style|\/?body|\/?h1|\/?p|\/?b|br|\/?small|\/?pre)>$/;
    expect(tags.filter((tag) => !known.test(tag))).toEqual([]);
    expect(text).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;");
    expect(text).toContain("onerror=&#39;y&#39;&gt;&amp;amp;");
    expect(text).toContain("red");
  });

  it.each(["html", "json", "text"] as const)(
    "%s: has no control characters, and no stack",
    (form) => {
      const { text } = bodyOf(own, form);
      // eslint-disable-next-line no-control-regex -- that's what they are
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      expect(text).not.toContain("not for clients");
      expect(text).toContain("const a = ");
    },
  );

  it("comes back whole from JSON", () => {
    const { text } = bodyOf(own, "json");
    const value = JSON.parse(text) as {
      diagnostics: { message: string; line: number }[];
      lastWords: string[];
    };
    const [diagnostic] = value.diagnostics;
    expect(diagnostic?.line).toBe(3);
    expect(diagnostic?.message).toContain(`</pre><script>alert("x")</script>`);
    expect(value.lastWords[1]).toBe("</body>");
  });

  it("is bounded", () => {
    const diagnostics = Array.from({ length: 500 }, () => ({ message: "m" }));
    const lastWords = ["w".repeat(1_000_000)];
    for (const form of ["html", "json", "text"] as const) {
      const { text } = bodyOf(
        { ...own, outage: { title: "", diagnostics, lastWords } },
        form,
      );
      expect(text.length).toBeLessThan(20_000);
    }
  });
});

describe("through the front", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.end());

  const asking = async (
    accept: string,
    options: http.RequestOptions = {},
  ): ReturnType<typeof ask> => {
    const { front, url } = await world.front({ holdTimeoutMs: 1 });
    front.setOutage(outage);
    return await ask(url, { headers: { accept }, ...options });
  };

  it("a browser gets a page that tries again, is never cached and can do nothing", async () => {
    const { status, headers, text } = await asking(CHROMIUM);
    expect(status).toBe(503);
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "retry-after": "1",
      refresh: "1",
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'sha256-[\w+/=]+'$/,
      ) as string,
    });
    expect(text).toMatch(/^<!doctype html>/);
    expect(text).toContain("3:7");
  });

  it("a page for what isn't GET doesn't try again: what was sent would be lost", async () => {
    const { headers } = await asking(CHROMIUM, { method: "POST" });
    expect(headers["refresh"]).toBeUndefined();
    expect(headers["content-type"]).toMatch(/html/);
  });

  it("a program gets JSON", async () => {
    const { headers, text } = await asking("application/json");
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["refresh"]).toBeUndefined();
    expect(JSON.parse(text)).toMatchObject({ status: 503 });
  });

  it("a process that is admitted ends the outage", async () => {
    const { front, url } = await world.front({ holdTimeoutMs: 1 });
    front.setOutage(outage);
    const process = await world.process((_request, response) => response.end());
    front.admit(process.target);
    front.remove(process.target.id);
    expect((await ask(url)).text).toMatch(/No worker is ready/);
  });

  it("502 comes in the client's language too", async () => {
    const { url } = await world.simple((request) => request.socket.destroy());
    const headers = { accept: "application/json" };
    const { status, text } = await ask(url, { method: "POST", headers });
    expect(status).toBe(502);
    expect(JSON.parse(text)).toMatchObject({ status: 502 });
  });
});
