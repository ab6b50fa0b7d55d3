/**
 * Checks what would be published: packs the package, reads the tarball with
 * publint and are-the-types-wrong, and looks for files that must (not) be in it.
 * The package has to be built; `npm pack` runs no scripts here.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const scratch = mkdtempSync(path.join(os.tmpdir(), "prefork-pack-"));
const problems = [];

try {
  const [packed] = JSON.parse(
    npm("pack", "--json", "--ignore-scripts", "--pack-destination", scratch),
  );
  const tarball = path.join(scratch, packed.filename);
  const files = packed.files.map((file) => file.path);
  checkFiles(files);
  await checkWithPublint(tarball);
  checkTypes(tarball);
  console.log(
    `${packed.filename}: ${files.length} files, ${Math.round(packed.unpackedSize / 1024)} KiB unpacked`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

for (const problem of problems) console.error(`package: ${problem}`);
if (problems.length > 0) process.exitCode = 1;

function checkFiles(files) {
  const required = [
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "bin/prefork-dev.js",
    "dist/index.js",
    "dist/index.d.ts",
    "dist/worker/main.js",
    "dist/prefork.config.schema.json",
  ];
  for (const file of required) {
    if (!files.includes(file)) problems.push(`${file} is missing`);
  }
  for (const file of files) {
    const isExpected =
      required.includes(file) || /^dist\/.+\.(?:js|d\.ts)$/.test(file);
    if (!isExpected) problems.push(`${file} should not be published`);
  }
}

async function checkWithPublint(tarball) {
  const manifest = JSON.parse(
    readFileSync(path.join(root, "package.json"), "utf8"),
  );
  const bytes = readFileSync(tarball);
  const { messages } = await publint({
    pack: { tarball: new Uint8Array(bytes).buffer },
    strict: true,
  });
  for (const message of messages) {
    const text = formatMessage(message, manifest) ?? message.code;
    // A suggestion is shown; it is no reason to fail.
    if (message.type === "suggestion") console.log(`publint: ${text}`);
    else problems.push(`publint: ${text}`);
  }
}

/** The package is ES modules only: `require` of it is not what is promised. */
function checkTypes(tarball) {
  const attw = fileURLToPath(
    new URL(
      "dist/index.js",
      import.meta.resolve("@arethetypeswrong/cli/package.json"),
    ),
  );
  try {
    execFileSync(
      process.execPath,
      [attw, tarball, "--profile", "esm-only", "--format", "ascii"],
      { cwd: root, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" },
    );
  } catch (error) {
    problems.push(`are-the-types-wrong:\n${error.stdout ?? error.message}`);
  }
}

function npm(...args) {
  return execFileSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
  });
}
