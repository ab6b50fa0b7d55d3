import type { Diagnostic } from "../diagnostic.js";
import type { Configuration } from "./configuration.js";
import { shownPath } from "./diagnostics.js";
import { loaderOfImported } from "./kinds.js";
import type { RecordStore } from "./record-store.js";
import type { SourceFile } from "./source-file.js";
import type { SourceReader } from "./source-reader.js";
import { unresolvedDiagnostic } from "./unresolved.js";

/** What is wrong with sources: code, imports, and the tsconfig files that they are compiled with. */
export async function problemsOf(
  root: string,
  files: Iterable<SourceFile>,
  configuration: Configuration,
  reader: SourceReader,
  records: RecordStore,
): Promise<Diagnostic[]> {
  const problems: Diagnostic[] = [...configuration.tsconfigs.problems()];
  // Sources are compiled at the same time: the order in which they were done would be another one each time.
  const faulty = [...files]
    .filter((file) => file.problems.length > 0 || file.unresolved.length > 0)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const file of faulty) {
    if (file.problems.length > 0) problems.push(...file.problems);
    for (const index of file.unresolved) {
      const code = await records.codeOf(file.key, () => reader.inputOf(file));
      const map = records.pathOf(file.key);
      problems.push(unresolvedDiagnostic(root, file, index, code, map));
    }
  }
  return problems;
}

/** What is wrong with what the project lists. */
export function rootProblems(
  root: string,
  entry: string,
  missing: readonly string[],
  manifest: string | undefined,
): Diagnostic[] {
  const problems: Diagnostic[] = missing.map((path) =>
    path === entry
      ? {
          message: `The entry ${shownPath(root, path)} doesn't exist.`,
          file: manifest ?? path,
        }
      : {
          message: `${shownPath(root, path)} is listed as a source, but doesn't exist. Create it, or take it off the list.`,
          file: manifest ?? path,
        },
  );
  if (loaderOfImported(entry) === undefined) {
    const message = `The entry ${shownPath(root, entry)} can't be run: it is no JavaScript or TypeScript.`;
    problems.push({ message, file: entry });
  }
  return problems;
}
