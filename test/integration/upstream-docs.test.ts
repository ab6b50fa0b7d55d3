/** The configurations in docs/external-fronts.md are taken by real nginx and HAProxy. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { haproxyConfig } from "../../src/upstream/haproxy-config.js";
import { nginxConfig } from "../../src/upstream/nginx-config.js";
import { temporaryPaths } from "./helpers/nginx.js";
import { findProgram, freePort, isMissing } from "./helpers/programs.js";

const page = readFileSync(
  new URL("../../docs/external-fronts.md", import.meta.url),
  "utf8",
);

/** The one block of code in this language. */
function block(language: string): string {
  const found = [
    ...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms")),
  ];
  expect(found, `blocks in ${language}`).toHaveLength(1);
  return found[0]?.[1] ?? "";
}

function replaced(text: string, from: string, to: string): string {
  expect(text).toContain(from);
  return text.replaceAll(from, to);
}

function makeDirectory(): (name: string) => string {
  const directory = mkdtempSync(path.join(tmpdir(), "pfd-docs-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return (name) => path.join(directory, name);
}

const servers = [0, 1].map((worker) => ({
  worker,
  host: "127.0.0.1",
  port: 3000 + worker,
}));
const asWritten = {
  upstream: "app",
  settings: [],
  parameters: "max_fails=0",
};

/** Runs a program to its end; what it said, when it failed. */
function faultOf(program: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(
    findProgram(program) ?? program,
    args,
    { encoding: "utf8", timeout: 30_000 },
  );
  return status === 0
    ? undefined
    : `exit ${String(status)}: ${stdout}${stderr}`;
}

test("the included file is shown as it's written", () => {
  expect(block("nginx-include")).toBe(nginxConfig(servers, asWritten));
});

test("the tables list the options that there are", () => {
  const sources = ["nginx", "haproxy", "file"].map((name) =>
    readFileSync(
      new URL(`../../src/upstream/${name}.ts`, import.meta.url),
      "utf8",
    ),
  );
  const [, ...sections] = page.split(/^## (?=nginx$|HAProxy$|Envoy)/m);
  expect(sections).toHaveLength(3);
  for (const [index, section] of sections.entries()) {
    const documented = [...section.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)]
      .flatMap(([, names = ""]) => names.split(", "))
      .map((name) => name.replaceAll("`", ""));
    const body = /interface \w+UpstreamOptions \{(.*?)^\}/ms.exec(
      sources[index] ?? "",
    )?.[1];
    const options = [...(body ?? "").matchAll(/^ {2}readonly (\w+)\??:/gm)].map(
      ([, name]) => name,
    );
    expect(documented.sort()).toEqual(options.sort());
  }
});

describe.skipIf(isMissing("nginx"))("nginx", () => {
  test.each([{ given: servers }, { given: [] }])(
    "takes its configuration",
    async ({ given }) => {
      const at = makeDirectory();
      const port = await freePort();
      writeFileSync(at("app.conf"), nginxConfig(given, asWritten));
      const from = [
        ["/etc/nginx/prefork-app.conf", at("app.conf")],
        ["/run/nginx.pid", at("nginx.pid")],
        ["listen 8080", `listen 127.0.0.1:${port}`],
        ["http {", `http {\n${temporaryPaths(at(""))}\naccess_log off;`],
      ] as const;
      let text = block("nginx");
      for (const [what, by] of from) text = replaced(text, what, by);
      writeFileSync(at("nginx.conf"), text);
      const log = ["-g", `error_log ${at("error.log")};`];
      expect(
        faultOf("nginx", ["-t", "-q", "-c", at("nginx.conf"), ...log]),
      ).toBe(undefined);
    },
  );
});

describe.skipIf(isMissing("haproxy"))("HAProxy", () => {
  const adapted = (
    language: string,
    at: (name: string) => string,
    port: number,
  ): string => {
    const text = replaced(
      block(language),
      "/run/haproxy/prefork.sock",
      at("s"),
    );
    return replaced(text, "bind :8080", `bind 127.0.0.1:${port}`);
  };

  test("takes its configuration, and warns of nothing", async () => {
    const at = makeDirectory();
    writeFileSync(at("haproxy.cfg"), adapted("haproxy", at, await freePort()));
    // -dW: a warning is an error.
    expect(faultOf("haproxy", ["-c", "-dW", "-f", at("haproxy.cfg")])).toBe(
      undefined,
    );
  });

  test.each([{ given: servers }, { given: [] }])(
    "takes the configuration with a file of ours",
    async ({ given }) => {
      const at = makeDirectory();
      writeFileSync(
        at("haproxy.cfg"),
        adapted("haproxy-main", at, await freePort()),
      );
      const settings = /^ {2}settings: (\[.*\]),$/m.exec(page)?.[1] ?? "";
      writeFileSync(
        at("app.cfg"),
        haproxyConfig(given, {
          backend: "app",
          settings: JSON.parse(settings) as string[],
          parameters: "",
        }),
      );
      const files = ["-f", at("haproxy.cfg"), "-f", at("app.cfg")];
      expect(faultOf("haproxy", ["-c", "-dW", ...files])).toBe(undefined);
    },
  );
});
