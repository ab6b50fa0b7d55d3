/**
 * What computed specifiers mean in sources that were loaded into this process: the project that loaded a source last is asked.
 *
 * Node has one global object, so there is one set of the three functions that compiled code calls, for all projects of the process.
 */
import { PreforkError } from "../errors.js";
import type { ResolveAnswer, ResolveRequest } from "../ipc/messages.js";
import {
  defineResolution,
  isResolutionDefined,
} from "../runtime/resolution.js";

/** Says what a specifier means, at once. */
type Ask = (request: ResolveRequest) => ResolveAnswer;

let isOurs = false;
/** By original path. Nothing is taken out: code that was loaded may ask for as long as the process lives. */
const askers = new Map<string, Ask>();
let latest: Ask | undefined;

/**
 * From now on, these sources ask this project.
 *
 * @param paths - original paths
 * @throws PreforkError ERR_PREFORK_LOAD in a process where somebody else answers: a worker's
 */
export function answerFor(paths: Iterable<string>, ask: Ask): void {
  if (!isOurs) {
    if (isResolutionDefined()) {
      throw new PreforkError(
        "ERR_PREFORK_LOAD",
        "load() was called in a worker of prefork-dev, or beside another copy of the package that has loaded a project. " +
          "Call it in a process of its own: a script, a REPL, a test.",
      );
    }
    isOurs = true;
    defineResolution({ ask: askProject, mainOf });
  }
  for (const path of paths) askers.set(path, ask);
  latest = ask;
}

function askProject(request: ResolveRequest): ResolveAnswer {
  // A package that loads sources by path: on whose behalf isn't known.
  const ask = askers.get(request.from) ?? latest;
  const answer = ask?.(request) ?? { kind: "node" };
  if (answer.kind === "failed") throw new Error(answer.message);
  return answer;
}

/** The program is whoever calls `load()`, never a source. */
function mainOf(native: NodeJS.Require): PropertyDescriptor {
  const always = { configurable: true, enumerable: true, writable: true };
  return { ...always, value: native.main };
}
