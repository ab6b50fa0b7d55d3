/** The end of what a program wrote, to show: whole lines, without colours. */
import { stripVTControlCharacters } from "node:util";

const KEPT_CHARACTERS = 64 * 1_024;
const SHOWN_LINES = 20;
const SHOWN_CHARACTERS = 4_000;

/** See this file's header. */
export class OutputTail {
  #text = "";

  add(text: string): void {
    const all = this.#text + text;
    // Not each time: a program that writes much would have its text copied over and over.
    this.#text =
      all.length > 2 * KEPT_CHARACTERS ? all.slice(-KEPT_CHARACTERS) : all;
  }

  /** The last lines, at most 20 of them and 4,000 characters; "" if it wrote none. */
  text(): string {
    const all = stripVTControlCharacters(this.#text.slice(-KEPT_CHARACTERS));
    const lines = all.replaceAll("\r\n", "\n").trimEnd().split("\n");
    const last = lines.slice(-SHOWN_LINES).join("\n");
    return last.length > SHOWN_CHARACTERS
      ? `…${last.slice(-SHOWN_CHARACTERS)}`
      : last;
  }
}
