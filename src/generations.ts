/** Numbers builds as generations, makes the programs that processes run, and remembers what is still in use. */

import type { Build, Compiler } from "./compiler/types.js";
import { envFilePath, processEnvironment, readEnvFile } from "./environment.js";
import type { ResolveAnswer, ResolveRequest } from "./ipc/messages.js";
import type { Program } from "./pool/types.js";
import type { ResolvedServerOptions } from "./server-options.js";

/** Outputs that no living generation holds are deleted after this many generations. */
const PRUNE_EVERY = 50;

export class Generations {
  /** Absolute path of the env file that each generation reads; it may not exist. */
  readonly envFile: string | undefined;
  readonly #options: ResolvedServerOptions;
  readonly #parent: NodeJS.ProcessEnv;
  readonly #builds = new Map<number, Build>();
  #last = 0;

  /** @param parent - the environment that every generation starts from */
  constructor(options: ResolvedServerOptions, parent: NodeJS.ProcessEnv) {
    this.#options = options;
    this.#parent = { ...parent };
    this.envFile = envFilePath(options.envFile, options.cwd);
  }

  /**
   * Makes the next generation of a build.
   *
   * @param port - the public port
   * @throws PreforkError `ERR_PREFORK_ENV_FILE`
   */
  async next(build: Build, compiler: Compiler, port: number): Promise<Program> {
    const required = this.#options.envFile !== undefined;
    const file =
      this.envFile === undefined
        ? {}
        : await readEnvFile(this.envFile, required);
    const generation = ++this.#last;
    this.#builds.set(generation, build);
    return {
      generation,
      output: build.output,
      entry: build.entry,
      env: processEnvironment(this.#parent, file, this.#options.env, port),
      resolve: (request) => resolveFor(compiler, build, request),
    };
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
    if (generation % PRUNE_EVERY === 0)
      await compiler.prune([...this.#builds.values()]);
  }
}

async function resolveFor(
  compiler: Compiler,
  build: Build,
  request: ResolveRequest,
): Promise<ResolveAnswer> {
  const answer = await compiler.resolveAtRuntime(build, request);
  if (answer.kind !== "failed") return answer;
  return {
    kind: "failed",
    message: answer.diagnostics.map(({ message }) => message).join("\n"),
  };
}
