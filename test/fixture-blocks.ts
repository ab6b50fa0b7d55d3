/**
 * The blocks of code in a page of `docs/` that show a file of `fixtures/`: each stands below a line that links to the file.
 * A test compares them with the files, so that what is read is what is run.
 */

/** A block that says which file it shows. */
export interface FixtureBlock {
  /** Relative to the repository. */
  readonly file: string;
  readonly text: string;
}

const CAPTIONED =
  /^\[`(?<file>fixtures\/[^`]+)`\]\(\.\.\/(?<link>[^)]+)\)[^\n]*\n\n```\w*\n(?<text>.*?)^```$/gms;

/** Finds them, in the page's order. A link to another file than it names is an error. */
export function fixtureBlocks(page: string): FixtureBlock[] {
  return [...page.matchAll(CAPTIONED)].map(({ groups = {} }) => {
    const { file = "", link, text = "" } = groups;
    if (link !== file) throw new Error(`${file} links to ${String(link)}`);
    return { file, text };
  });
}
