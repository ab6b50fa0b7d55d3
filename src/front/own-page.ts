/** A page of the front's own: pure. `own-body.ts`, which calls this, has made what is shown fit to be seen; here it's escaped. */
import { createHash } from "node:crypto";

import type { Diagnostic } from "../diagnostic.js";
import { STRICT_POLICY } from "./own-policy.js";
import { PAGE_SCRIPT } from "./page-script.js";

export type ShownDiagnostic = Omit<Diagnostic, "stack">;

/** What is told, without anything that only a terminal understands. */
export interface ShownStatement {
  readonly status: number;
  readonly text: string;
  readonly diagnostics: readonly ShownDiagnostic[];
  readonly more: number;
  readonly lastWords: readonly string[];
}

/** Where the code is that a diagnostic is about. */
export function placeOf({ file, line, column }: ShownDiagnostic): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}" +
  "h1{font-size:1.1rem}pre{overflow:auto;padding:1rem;background:#8881;border-radius:.3rem;font-size:.85rem}small{opacity:.7}";

/** By the hash of its text, an element may act or show; nothing else in the page can. */
function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The `Content-Security-Policy` of a page. */
export const pagePolicy: string = `${STRICT_POLICY}; style-src ${hashOf(STYLE)}`;

/** … of one that has the script, which asks the front's own endpoints. */
export const livePagePolicy: string = `${pagePolicy}; script-src ${hashOf(PAGE_SCRIPT)}; connect-src 'self'`;

/** For clients without script. */
const NO_SCRIPT_REFRESH =
  '<noscript><meta http-equiv="refresh" content="1"></noscript>';

/**
 * The page. Everything that is shown stands between tags, none of it within one.
 *
 * @param token - lets its script ask for a reload. Without one there is no script
 */
export function page(
  { status, text, diagnostics, more, lastWords }: ShownStatement,
  token: string | undefined,
): string {
  const isLive = token !== undefined;
  const problems = diagnostics.map(
    (diagnostic) =>
      `<p><b>${escape(diagnostic.message)}</b><br><small>${escape(placeOf(diagnostic))}</small></p>` +
      (diagnostic.frame === undefined
        ? ""
        : `<pre>${escape(diagnostic.frame)}</pre>`),
  );
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${status} · prefork-dev</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style>${isLive ? NO_SCRIPT_REFRESH : ""}</head><body>`,
    `<h1>${escape(text)}</h1>`,
    ...problems,
    ...(more > 0 ? [`<p>… and ${more} more</p>`] : []),
    ...(lastWords.length > 0
      ? [`<p>Its last words:</p><pre>${escape(lastWords.join("\n"))}</pre>`]
      : []),
    ...(status === 503
      ? ["<p><small>This page tries again by itself.</small></p>"]
      : []),
    ...(isLive
      ? [
          `<p><button data-token="${escape(token)}">Reload the code</button></p><script>${PAGE_SCRIPT}</script>`,
        ]
      : []),
    "</body></html>\n",
  ].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
