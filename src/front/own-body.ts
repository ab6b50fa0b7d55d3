/**
 * The body of an answer of the front's own, as a page, as JSON or as text: pure. All that comes from the user's code or
 * its output is hostile until it's escaped; frames of code come ready from the master, and no file is read here.
 */
import { STATUS_CODES } from "node:http";
import { stripVTControlCharacters } from "node:util";

import type { Diagnostic } from "../diagnostic.js";
import type { AnswerForm } from "./accept.js";
import type { OwnAnswer } from "./answers.js";

/** A branch switch may break hundreds of files: the first ones tell enough. */
const MOST_DIAGNOSTICS = 20;
const LONGEST_LINE = 2_000;

export interface OwnBody {
  readonly type: string;
  readonly text: string;
}

/** The body and its media type. */
export function bodyOf(own: OwnAnswer, form: AnswerForm): OwnBody {
  const shown = shownOf(own);
  switch (form) {
    case "html":
      return { type: "text/html; charset=utf-8", text: page(shown) };
    case "json":
      return { type: "application/json", text: json(shown) };
    case "text":
      return { type: "text/plain; charset=utf-8", text: plain(shown) };
  }
}

/** What is told, without anything that only a terminal understands. */
interface Shown {
  readonly status: number;
  readonly text: string;
  readonly diagnostics: readonly ShownDiagnostic[];
  readonly more: number;
  readonly lastWords: readonly string[];
}

type ShownDiagnostic = Omit<Diagnostic, "stack">;

function shownOf({ status, text, outage }: OwnAnswer): Shown {
  const { diagnostics = [], lastWords = [] } = outage ?? {};
  return {
    status,
    text: clean(text),
    diagnostics: diagnostics
      .slice(0, MOST_DIAGNOSTICS)
      .map(({ message, file, line, column, frame }) => ({
        message: clean(message),
        ...(file === undefined ? {} : { file: clean(file) }),
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
        ...(frame === undefined ? {} : { frame: clean(frame) }),
      })),
    more: Math.max(0, diagnostics.length - MOST_DIAGNOSTICS),
    lastWords: lastWords.map((line) => clean(line).slice(0, LONGEST_LINE)),
  };
}

/** Colours and cursor movements go; what else can't be printed is shown to be there. */
function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}

function placeOf({ file, line, column }: ShownDiagnostic): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}

function plain({ text, diagnostics, more, lastWords }: Shown): string {
  const parts = [
    text,
    ...diagnostics.map((diagnostic) =>
      [placeOf(diagnostic), diagnostic.message, diagnostic.frame]
        .filter(Boolean)
        .join("\n"),
    ),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...(lastWords.length > 0
      ? [`Its last words:\n${lastWords.join("\n")}`]
      : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** `title`, `status` and `detail` as in RFC 9457. */
function json({ status, text, diagnostics, lastWords }: Shown): string {
  const title = STATUS_CODES[status];
  const value = { title, status, detail: text, diagnostics, lastWords };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}" +
  "h1{font-size:1.1rem}pre{overflow:auto;padding:1rem;background:#8881;border-radius:.3rem;font-size:.85rem}small{opacity:.7}";

/** Everything stands between tags, none of it within one. */
function page({ status, text, diagnostics, more, lastWords }: Shown): string {
  const problems = diagnostics.map(
    (diagnostic) =>
      `<p><b>${escape(diagnostic.message)}</b><br><small>${escape(placeOf(diagnostic))}</small></p>` +
      (diagnostic.frame === undefined
        ? ""
        : `<pre>${escape(diagnostic.frame)}</pre>`),
  );
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${status} · prefork-dev</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>`,
    `<h1>${escape(text)}</h1>`,
    ...problems,
    ...(more > 0 ? [`<p>… and ${more} more</p>`] : []),
    ...(lastWords.length > 0
      ? [`<p>Its last words:</p><pre>${escape(lastWords.join("\n"))}</pre>`]
      : []),
    ...(status === 503
      ? ["<p><small>This page tries again by itself.</small></p>"]
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
