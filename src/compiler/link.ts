import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { LinkableCode } from "./record.js";

/** What a specifier becomes. */
export interface LinkTarget {
  /** Absolute path of the file to load instead. */
  readonly path: string;
  /** Query and fragment of the specifier. */
  readonly suffix: string;
  /** Compiled by us; else a package's file. */
  readonly isOutput: boolean;
  /** JSON, whose compiled file must be imported without attributes, and a package's with. */
  readonly isJson: boolean;
}

/**
 * The text of a compiled file: prologue, code with its imports rewritten, link to the source map.
 *
 * @param path - absolute path of the original
 * @param targets - by index of `imports`; `undefined` leaves a specifier as it is
 * @param mapUrl - of the record, relative to the compiled file
 */
export function link(
  linkable: LinkableCode,
  path: string,
  targets: readonly (LinkTarget | undefined)[],
  mapUrl: string,
): string {
  const prologue =
    linkable.format === "esm"
      ? modulePrologue(linkable, path)
      : commonjsPrologue(linkable, path, targets);
  const code = rewrite(linkable, targets);
  return `${prologue}\n${code}${code.endsWith("\n") ? "" : "\n"}//# sourceMappingURL=${mapUrl}\n`;
}

function rewrite(
  { code, places }: LinkableCode,
  targets: readonly (LinkTarget | undefined)[],
): string {
  let text = "";
  let position = 0;
  for (const place of places) {
    const target = targets[place.request];
    if (target === undefined) continue;
    text += code.slice(position, place.start);
    position = place.end;
    if (place.form === "reexport") {
      text += JSON.stringify(target.path);
      continue;
    }
    const url = pathToFileURL(target.path).href + target.suffix;
    text += JSON.stringify(url);
    if (!target.isJson) continue;
    if (target.isOutput) {
      position = place.attributesEnd;
    } else if (place.attributesEnd === place.end) {
      text +=
        place.form === "static"
          ? ` with { type: "json" }`
          : `, { with: { type: "json" } }`;
    }
  }
  return text + code.slice(position);
}

function modulePrologue({ meta }: LinkableCode, path: string): string {
  const original = JSON.stringify(path);
  const statements: string[] = [];
  if (meta.includes("location")) {
    statements.push(
      `import.meta.url=${JSON.stringify(pathToFileURL(path).href)};`,
      `import.meta.dirname=${JSON.stringify(dirname(path))};`,
      `import.meta.filename=${original};`,
    );
  }
  if (meta.includes("main")) {
    statements.push(`import.meta.main=process.argv[1]===${original};`);
  }
  if (meta.includes("resolve")) {
    statements.push(
      `import.meta.resolve=globalThis[Symbol.for("prefork-dev.resolve")](${original});`,
    );
  }
  return statements.join("");
}

function commonjsPrologue(
  { imports, places, requires, strict }: LinkableCode,
  path: string,
  targets: readonly (LinkTarget | undefined)[],
): string {
  const literals: Record<string, string> = {};
  imports.forEach(({ kind, specifier }, index) => {
    const target = targets[index];
    if (kind !== "require" || !target?.isOutput) return;
    literals[specifier] = target.path;
  });
  for (const { form, request } of places) {
    const target = targets[request];
    // Node's scan for named exports needs a re-export's real path in the text, so the code asks for it by that.
    if (form === "reexport" && target?.isOutput) {
      literals[target.path] = target.path;
    }
  }
  const directive = strict ? `"use strict";` : "";
  if (!requires) return directive;
  const original = JSON.stringify(path);
  return (
    `${directive}require=globalThis[Symbol.for("prefork-dev.require")](require,module,${original},${JSON.stringify(literals)});` +
    `__filename=${original};__dirname=${JSON.stringify(dirname(path))};`
  );
}
