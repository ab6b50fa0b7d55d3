/**
 * What a user does first: packs the package, installs the tarball with Express
 * into an empty folder, runs `npx prefork-dev src/server.ts`, asks it, saves, and stops it.
 */
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "prefork-install-"));
const app = path.join(scratch, "app");

function npm(cwd, ...args) {
  return execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const version = (text) => `export const version: string = "${text}";\n`;

async function ask(url, expected) {
  const text = await (await fetch(url)).text();
  if (text !== expected) throw new Error(`expected ${expected}, got ${text}`);
  console.log(`${url}: ${text}`);
}

try {
  const [{ filename }] = JSON.parse(
    npm(
      root,
      "pack",
      "--json",
      "--ignore-scripts",
      "--pack-destination",
      scratch,
    ),
  );
  fs.mkdirSync(path.join(app, "src"), { recursive: true });
  fs.writeFileSync(path.join(app, "package.json"), `{ "type": "module" }\n`);
  fs.writeFileSync(path.join(app, "src/version.ts"), version("one"));
  fs.writeFileSync(
    path.join(app, "src/server.ts"),
    `import express from "express";
import { version } from "./version.js";
const app = express();
app.get("/", (_request, response) => response.send(version));
app.listen(3000);
`,
  );
  npm(
    app,
    "install",
    "--no-audit",
    "--no-fund",
    path.join(scratch, filename),
    "express@5",
  );

  const child = spawn(
    "npx",
    ["prefork-dev", "src/server.ts", "--port", "0", "--json"],
    {
      cwd: app,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    },
  );
  const deadline = setTimeout(() => {
    console.error("install: nothing happened within 60 s");
    process.kill(-child.pid, "SIGKILL");
    process.exitCode = 1;
  }, 60_000);
  let url;
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, outcome, ...fields } = JSON.parse(line);
    if (event === "listening") url = fields.url;
    if (event === "watching") {
      await ask(url, "one");
      fs.writeFileSync(path.join(app, "src/version.ts"), version("two"));
    }
    if (event === "reload" && outcome === "done" && fields.generation === 2) {
      await ask(url, "two");
      process.kill(-child.pid, "SIGTERM");
    }
    if (event === "stopped") console.log("stopped");
  }
  clearTimeout(deadline);
  if (url === undefined) throw new Error("it never listened");
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
