import { dirname } from "node:path";
import type { Diagnostic } from "../diagnostic.js";
import { messageOf } from "../errors.js";
import type { Configuration } from "./configuration.js";
import { SourceFault } from "./diagnostics.js";
import { NO_EVALUATION } from "./evaluation.js";
import { hashOf } from "./hashes.js";
import { loaderOfImported } from "./kinds.js";
import { RecordStore } from "./record-store.js";
import { ChangedMeanwhile, readAgain, readSource } from "./source-file.js";
import type { SourceContent, SourceFile } from "./source-file.js";
import type { TransformInput } from "./transform.js";

const NO_CONTENT: SourceContent = { data: Buffer.alloc(0), mtimeMs: 0 };
const NO_NODE = { path: "", part: "", dependencies: [] };

/** Reads single sources and has their records made. */
export class SourceReader {
  readonly #configuration: Configuration;
  readonly #records: RecordStore;

  constructor(configuration: Configuration, records: RecordStore) {
    this.#configuration = configuration;
    this.#records = records;
  }

  /**
   * Reads a source; its imports are not resolved yet.
   *
   * @param before - the source as it was last read
   * @returns `undefined` when there is no such file
   */
  async read(
    path: string,
    isCode: boolean,
    before: SourceFile | undefined,
  ): Promise<SourceFile | undefined> {
    let content: SourceContent | undefined;
    try {
      content =
        before?.isEmpty === false ? await readAgain(path) : readSource(path);
    } catch (error) {
      const message = `Can't be read: ${messageOf(error)}`;
      return newFile(path, isCode, "", NO_CONTENT, 0, [
        { message, file: path },
      ]);
    }
    if (content === undefined) return undefined;
    const contentHash = hashOf(content.data);
    const isSame = before?.contentHash === contentHash;
    const wasTouched = isSame && before.mtimeMs !== content.mtimeMs;
    const touches = isSame ? before.touches + (wasTouched ? 1 : 0) : 0;
    const file = newFile(path, isCode, contentHash, content, touches, []);
    if (isCode) await this.#compile(file, content.data);
    return file;
  }

  /** Starts making the record that a changed source will need. Never throws. */
  prepare(path: string): void {
    try {
      const content = readSource(path);
      // Empty: most likely a write under way.
      if (content === undefined || content.data.length === 0) return;
      const input = this.#input(path, content.data);
      const key = RecordStore.keyOf(input, hashOf(content.data));
      // The build will ask for the same record, and gets its fault.
      this.#records.codeOf(key, () => input).catch(ignore);
    } catch {
      // The build will meet it again, and report it.
    }
  }

  /**
   * What a source's record is made from, with its text read again: for a record that went missing.
   *
   * @throws ChangedMeanwhile when that is not the text it was
   */
  inputOf({ path, contentHash }: SourceFile): TransformInput {
    const content = readSource(path);
    if (content === undefined || hashOf(content.data) !== contentHash) {
      throw new ChangedMeanwhile(path);
    }
    return this.#input(path, content.data);
  }

  #input(path: string, data: Buffer): TransformInput {
    const directory = dirname(path);
    return {
      path,
      text: data.toString(),
      loader: loaderOfImported(path) ?? "js",
      packageType: this.#configuration.packages.of(directory).type,
      tsconfigRaw: this.#configuration.tsconfigs.of(directory).raw,
    };
  }

  async #compile(file: SourceFile, data: Buffer): Promise<void> {
    const input = this.#input(file.path, data);
    file.key = RecordStore.keyOf(input, file.contentHash);
    try {
      file.summary = await this.#records.summaryOf(file.key, () => input);
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      file.problems = error.diagnostics;
    }
  }
}

function newFile(
  path: string,
  isCode: boolean,
  contentHash: string,
  { data, mtimeMs }: SourceContent,
  touches: number,
  problems: readonly Diagnostic[],
): SourceFile {
  return {
    ...{ path, isCode, contentHash, mtimeMs, touches, problems },
    isEmpty: data.length === 0,
    key: contentHash,
    summary: undefined,
    resolutions: [],
    resolvedAt: -1,
    unresolved: [],
    references: [],
    evaluation: NO_EVALUATION,
    node: NO_NODE,
  };
}

function ignore(): void {
  // Said by the name.
}
