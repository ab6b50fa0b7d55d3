/**
 * The sources that a project will have once their files are there: what the globs of its manifest match, and doesn't exist yet.
 * Part of the composition root: the watcher asks it where to look, `definition.ts` whether a file that appeared is one.
 */
import { realPath } from "./compiler/project-sources.js";
import { searchGlobs } from "./manifest/search.js";
import type { ResolvedProject, SourceGlob } from "./manifest/types.js";
import type { Expected } from "./watcher/types.js";

/** See this file's header. */
export class ExpectedSources {
  #globs: readonly SourceGlob[] = [];
  #project: ResolvedProject | undefined;
  #listed: ReadonlySet<string> = new Set();
  #current: Expected | undefined;

  /**
   * The manifest was read.
   *
   * @param globs - further ones, of a manifest that is broken for want of a file
   */
  follow(project: ResolvedProject, globs: readonly SourceGlob[] = []): void {
    if (project !== this.#project)
      this.#listed = new Set(project.sources.map(({ path }) => path));
    this.#project = project;
    const all = [...project.globs, ...globs];
    if (JSON.stringify(all) === JSON.stringify(this.#globs)) return;
    this.#globs = all;
    this.#current =
      all.length === 0 ? undefined : { find: (...args) => this.#find(...args) };
  }

  /** For the watcher; the same object as long as the globs are the same. */
  get current(): Expected | undefined {
    return this.#current;
  }

  /** The sources that the manifest has listed. The same object as long as the manifest wasn't read again. */
  get listed(): ReadonlySet<string> {
    return this.#listed;
  }

  /** Does a glob match this file, which no manifest has listed yet? It exists. */
  has(file: string): boolean {
    if (this.#listed.has(file)) return false;
    return this.#find(file, () => true).includes(file);
  }

  #find(
    at: string | undefined,
    enter: (directory: string) => boolean,
  ): readonly string[] {
    if (this.#globs.length === 0) return [];
    const found = searchGlobs(this.#globs, at, enter, (file) =>
      this.#listed.has(file),
    );
    return [...found].filter((file) => !this.#isListed(file));
  }

  #isListed(file: string): boolean {
    if (this.#listed.has(file)) return true;
    const real = realPath(file);
    // A glob never means the manifest.
    return this.#listed.has(real) || real === this.#project?.manifest;
  }
}
