import type { BuiltRecords } from "./built-records.js";
import type { Configuration } from "./configuration.js";
import type { OutputStore } from "./output-store.js";
import type { RecordStore } from "./record-store.js";
import type { SourceReader } from "./source-reader.js";
import type { SourceTree } from "./source-tree.js";

/** The parts that building and answering processes share. */
export interface Parts {
  readonly root: string;
  readonly configuration: Configuration;
  readonly reader: SourceReader;
  readonly tree: SourceTree;
  readonly records: RecordStore;
  readonly built: BuiltRecords;
  readonly outputs: OutputStore;
}
