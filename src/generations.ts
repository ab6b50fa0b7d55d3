/** Numbers builds as generations, makes the programs that processes run, and remembers what is still in use. */

import { BuildAhead } from "./ahead.js";
import type { Build, Compiler } from "./compiler/types.js";
import { envFilePath, processEnvironment, readEnvFile } from "./environment.js";
import type { Environment } from "./environment.js";
import type { ResolvedProject } from "./manifest/types.js";
import type { Program } from "./pool/types.js";
import { resolveAnswer } from "./resolve-answer.js";
import type { ResolvedServerOptions } from "./server-options.js";

/** Outputs that no living generation holds are deleted after this many generations. */
const PRUNE_EVERY = 50;

/** What a project says about standbys. */
interface Marks {
  readonly project: ResolvedProject;
  /** The sources that none may evaluate ahead. */
  readonly marked: ReadonlySet<string>;
  /** The packages that they may evaluate before their turn. */
  readonly preload: ReadonlySet<string>;
}

export class Generations {
  /** Absolute path of the env file that each generation reads; it may not exist. */
  readonly envFile: string | undefined;
  readonly #options: ResolvedServerOptions;
  readonly #parent: NodeJS.ProcessEnv;
  readonly #builds = new Map<number, Build>();
  #last = 0;
  #prunedAt = 0;
  #ahead: BuildAhead | undefined;
  #marks: Marks | undefined;

  /** @param parent - the environment that every generation starts from */
  constructor(options: ResolvedServerOptions, parent: NodeJS.ProcessEnv) {
    this.#options = options;
    this.#parent = { ...parent };
    this.envFile = envFilePath(options.envFile, options.cwd);
  }

  /**
   * The environment of a generation that is made now.
   *
   * @param port - the public port
   * @throws PreforkError `ERR_PREFORK_ENV_FILE`
   */
  async environment(port: number): Promise<Environment> {
    const required = this.#options.envFile !== undefined;
    const file =
      this.envFile === undefined
        ? {}
        : await readEnvFile(this.envFile, required);
    return processEnvironment(this.#parent, file, this.#options.env, port);
  }

  /**
   * Makes the next generation of a build.
   *
   * @param closure - the sources that are different from the last good build
   * @param port - the public port
   * @param project - what it says about standbys
   * @throws PreforkError `ERR_PREFORK_ENV_FILE`
   */
  async next(
    build: Build,
    closure: readonly string[],
    compiler: Compiler,
    port: number,
    project: ResolvedProject,
  ): Promise<Program> {
    // If the env file can't be read, a build is left out, and the next closure isn't the difference to this.
    const previous = this.#ahead;
    this.#ahead = undefined;
    const env = await this.environment(port);
    const generation = ++this.#last;
    this.#builds.set(generation, build);
    const { marked, preload } = this.#marksOf(project);
    this.#ahead = new BuildAhead(
      { build, closure, compiler, env, marked, preload },
      previous,
    );
    return {
      generation,
      output: build.output,
      entry: build.entry,
      mixins: project.mixins.flatMap((source) => {
        const output = build.sources.get(source)?.output;
        return output === undefined ? [] : [{ source, output }];
      }),
      env,
      codeCache: compiler.codeCache,
      ahead: this.#ahead,
      resolve: async (request) =>
        resolveAnswer(await compiler.resolveAtRuntime(build, request)),
    };
  }

  /** Made once for each project: a save isn't to cost what the list's length is. */
  #marksOf(project: ResolvedProject): Marks {
    if (this.#marks?.project === project) return this.#marks;
    const marked = project.sources.filter(({ standby }) => !standby);
    this.#marks = {
      project,
      marked: new Set(marked.map(({ path }) => path)),
      preload: new Set(project.preload),
    };
    return this.#marks;
  }

  /** A generation has taken over: forgets those that no process runs, and now and then deletes their outputs. */
  async settled(
    generation: number,
    live: ReadonlySet<number>,
    compiler: Compiler,
  ): Promise<void> {
    for (const known of this.#builds.keys()) {
      if (known < generation && !live.has(known)) this.#builds.delete(known);
    }
    // Not every generation comes to this: in a row of saves, most are superseded.
    if (generation - this.#prunedAt < PRUNE_EVERY) return;
    this.#prunedAt = generation;
    await compiler.prune([...this.#builds.values()]);
  }
}
