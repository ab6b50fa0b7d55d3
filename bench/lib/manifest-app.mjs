/**
 * An app with a large manifest: a tree of modules of fan-out three, a template that one module reads, a server. What the
 * server answers changes with every module and with the template.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

const IN_A_DIRECTORY = 100;
const FAN_OUT = 3;

/** The template that is read. */
export const TEMPLATE = "views/page.html";

export const ENTRY = "src/server.ts";

/** The path of a module: a hundred to a directory. */
export function moduleName(index) {
  return `src/d${Math.floor(index / IN_A_DIRECTORY)}/m${index}.ts`;
}

/** The module without imports that is evaluated last: what is saved is best there, since a standby has evaluated what is before it. */
export function lastLeaf(modules) {
  let index = 0;
  while (index * FAN_OUT + 1 < modules)
    index = Math.min(index * FAN_OUT + FAN_OUT, modules - 1);
  return index;
}

/** A module's text; another `own` gives another answer. */
export function moduleText(index, modules, own = index) {
  const imports = [];
  for (let child = 1; child <= FAN_OUT; child++) {
    const other = index * FAN_OUT + child;
    if (other >= modules) continue;
    const from = path.posix.dirname(moduleName(index));
    const to = path.posix.relative(from, moduleName(other));
    const specifier = (to.startsWith(".") ? to : `./${to}`).replace(
      /ts$/,
      "js",
    );
    imports.push(`import { value as value${child} } from "${specifier}";`);
  }
  // Used, since an import of types alone is none.
  const values = imports.map((_, child) => ` + value${child + 1}`).join("");
  return `${imports.join("\n")}\nexport const value: number = ${own}${values};\n`;
}

/**
 * Writes an app, with a manifest that lists all of it, leaves first.
 *
 * @param options.modules - how many modules the server imports
 * @param options.templates - how many further files are listed, that nobody reads
 */
export function writeApp(directory, { modules, templates = 0 }) {
  const sources = [];
  const write = (name, text) => {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const writeSource = (name, text) => {
    write(name, text);
    sources.push(`    "${name}",\n`);
  };
  for (let index = 0; index < templates; index++) {
    const group = Math.floor(index / IN_A_DIRECTORY);
    writeSource(`views/d${group}/v${index}.html`, `<p>${index}</p>\n`);
  }
  for (let index = modules - 1; index >= 0; index--)
    writeSource(moduleName(index), moduleText(index, modules));
  writeSource(TEMPLATE, "<p>0</p>\n");
  write(
    "src/page.ts",
    `import { readFileSync } from "node:fs";\n\nexport const page: string = readFileSync(new URL("../${TEMPLATE}", import.meta.url), "utf8");\n`,
  );
  sources.push(`    { file: "src/page.ts", needs: ["${TEMPLATE}"] },\n`);
  writeSource(
    ENTRY,
    `import http from "node:http";\nimport { value } from "./d0/m0.js";\nimport { page } from "./page.js";\n\nhttp.createServer((_request, response) => response.end(\`\${value} \${page}\`)).listen(3000);\n`,
  );
  write("package.json", '{ "private": true, "type": "module" }\n');
  write(
    "prefork.config.ts",
    `import { defineProject } from "prefork-dev";\n\nexport default defineProject({\n  entry: "${ENTRY}",\n  sources: [\n${sources.join("")}  ],\n});\n`,
  );
}
