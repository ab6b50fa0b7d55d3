/**
 * The body of an answer of the front's own, as a page, as JSON or as text: pure. All that comes from the user's code or
 * its output is hostile until it's escaped; frames of code come ready from the master, and no file is read here.
 */
import { STATUS_CODES } from "node:http";
import { stripVTControlCharacters } from "node:util";

import type { AnswerForm } from "./accept.js";
import { page, placeOf } from "./own-page.js";
import type { ShownStatement } from "./own-page.js";
import type { Outage } from "./types.js";

/** A branch switch may break hundreds of files: the first ones tell enough. */
const MOST_DIAGNOSTICS = 20;
const LONGEST_LINE = 2_000;

/** What is to be said. */
export interface OwnStatement {
  readonly status: number;
  /** Ends without a newline. */
  readonly text: string;
  readonly outage?: Outage;
}

export interface OwnBody {
  readonly type: string;
  readonly text: string;
}

/**
 * The body and its media type.
 *
 * @param token - for a page that asks the front's own endpoints
 */
export function bodyOf(
  own: OwnStatement,
  form: AnswerForm,
  token?: string,
): OwnBody {
  const shown = shownOf(own);
  switch (form) {
    case "html":
      return { type: "text/html; charset=utf-8", text: page(shown, token) };
    case "json":
      return { type: "application/json", text: json(shown) };
    case "text":
      return { type: "text/plain; charset=utf-8", text: plain(shown) };
  }
}

function shownOf({ status, text, outage }: OwnStatement): ShownStatement {
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

function plain({ text, diagnostics, more, lastWords }: ShownStatement): string {
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
function json({
  status,
  text,
  diagnostics,
  lastWords,
}: ShownStatement): string {
  const title = STATUS_CODES[status];
  const value = { title, status, detail: text, diagnostics, lastWords };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
