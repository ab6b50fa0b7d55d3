/** What a project's sources lead to, as plain values, see `scanProject`. Types only. */
import type { Diagnostic } from "../diagnostic.js";

/** One way from a source to another that its code shows, or that a process took. */
export interface ScannedImport {
  /** As the code has it; what a process asked for, with `runtime`. */
  readonly specifier: string;
  /** `dynamic`: `import()`; `runtime`: a process of an earlier run asked for it, and no import shows it. */
  readonly kind: "import" | "dynamic" | "require" | "runtime";
  /** Certainly evaluated before the importer's own code. */
  readonly isEager: boolean;
  /** Absolute path of the source that it leads to. */
  readonly path: string;
}

/** A source as it was scanned. */
export interface ScannedSource {
  readonly path: string;
  readonly isCode: boolean;
  /** Those that lead to sources of the project, in the order of evaluation; packages are left out. */
  readonly imports: readonly ScannedImport[];
}

/** What a scan found. */
export interface ScannedProject {
  /** By path: the roots, and all that they lead to. */
  readonly sources: ReadonlyMap<string, ScannedSource>;
  /** What is wrong: code that can't be compiled, imports that lead nowhere. What these would lead to isn't in `sources`. */
  readonly problems: readonly Diagnostic[];
}
