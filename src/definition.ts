/**
 * The project as its manifest defines it: read again when it may have changed. A manifest that is broken changes nothing.
 * Part of the composition root, made by `running.ts`.
 */
import { existsSync } from "node:fs";
import { withMixins } from "./commands/references.js";
import { ExpectedSources } from "./expected-sources.js";
import type { LiveOptions } from "./live-options.js";
import { filesLookedAt, globsLookedAt } from "./manifest/files-of.js";
import { reloadProject } from "./manifest/load-project.js";
import { isFresh, writtenSince } from "./manifest/read-manifest.js";
import type { ResolvedProject } from "./manifest/types.js";
import type { MergedRequest } from "./reload-queue.js";
import type { Expected } from "./watcher/types.js";

export interface DefinitionOptions {
  /** As `loadProject` gave it. */
  readonly loaded: ResolvedProject;
  /** As it was loaded, with all mixins. */
  readonly project: ResolvedProject;
  /** Those of the server's options, behind the manifest's. */
  readonly mixins: readonly string[];
  readonly live: Pick<LiveOptions, "follow">;
}

/** What a reload has to know of a project that was read again. */
export interface Redefined {
  readonly project: ResolvedProject;
  /** Must processes be replaced, even if no source has changed? */
  readonly isEnvironmentOther: boolean;
  /** The sources that said `reload: false` and don't any more: what was saved meanwhile is to be looked at. */
  readonly released: readonly string[];
  /** Have sources come to the list, or gone from it? Code that reads a directory finds others then, without having changed itself. */
  readonly areSourcesOther: boolean;
}

/** See this file's header. */
export class Definition {
  readonly #options: DefinitionOptions;
  #project: ResolvedProject;
  /** … as its manifest gave it. */
  #loaded: ResolvedProject;
  #isFirst = true;
  /** What the last load looked at before it failed. */
  #lookedAt: readonly string[] = [];
  readonly #expected = new ExpectedSources();

  constructor(options: DefinitionOptions) {
    this.#options = options;
    this.#project = options.project;
    this.#loaded = options.loaded;
    this.#expected.follow(options.project);
  }

  /** The project as it was last loaded. */
  get project(): ResolvedProject {
    return this.#project;
  }

  /** The files whose change, or appearance, means that the manifest must be read again. */
  get files(): readonly string[] {
    return [...this.#project.definedBy, ...this.#lookedAt];
  }

  /** Those of them that were written since they were read. */
  get outdated(): readonly string[] {
    return writtenSince(this.#loaded);
  }

  /** The files that will be sources as soon as they're there. */
  get expected(): Expected | undefined {
    return this.#expected.current;
  }

  /**
   * Reads the manifest again when it may have changed, or may mean something else; the first time only if it wasn't read just now.
   *
   * @returns `undefined`: it wasn't read
   * @throws PreforkError as `loadProject`; the project is what it was then
   */
  async follow({
    forced,
    paths,
  }: Pick<MergedRequest, "forced" | "paths">): Promise<Redefined | undefined> {
    if (this.#project.manifest === undefined) return undefined;
    // The start: the build asks for everything as it is now, and this is it.
    const isStart = this.#isFirst && isFresh(this.#loaded);
    this.#isFirst = false;
    if (isStart) return undefined;
    const isOther = this.files.some((path) => paths.has(path));
    if (!forced && !isOther && !this.#hasOthers(paths)) return undefined;
    const { mixins, live } = this.#options;
    try {
      const loaded = await reloadProject(this.#project);
      const before = this.#project;
      const isEnvironmentOther = await live.follow(
        before.server,
        loaded.server,
      );
      const project = withMixins(loaded, mixins);
      this.#project = project;
      this.#loaded = loaded;
      this.#lookedAt = [];
      const { listed: listedBefore } = this.#expected;
      this.#expected.follow(project);
      const { listed } = this.#expected;
      const areSourcesOther =
        listed.size !== listedBefore.size ||
        [...listed].some((path) => !listedBefore.has(path));
      const still = new Set(unreloaded(project));
      const released = unreloaded(before).filter((path) => !still.has(path));
      return { project, isEnvironmentOther, released, areSourcesOther };
    } catch (error) {
      this.#lookedAt = filesLookedAt(error);
      this.#expected.follow(this.#project, globsLookedAt(error));
      throw error;
    }
  }

  /**
   * Is a listed source gone? A glob doesn't match it any more, and what lists it by name says where. Or is one there that a
   * glob matches?
   */
  #hasOthers(paths: ReadonlySet<string>): boolean {
    const { listed } = this.#expected;
    return [...paths].some((path) =>
      listed.has(path) ? !existsSync(path) : this.#expected.has(path),
    );
  }
}

function unreloaded({ sources }: ResolvedProject): string[] {
  return sources.flatMap(({ path, reload }) => (reload ? [] : [path]));
}
