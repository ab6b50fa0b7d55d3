/** Makes the steps of a project: gives them the cache directory, globs and whoever tells of them. Part of the composition root. */
import { createHash } from "node:crypto";
import path from "node:path";
import { writeAtomically } from "./compiler/atomic-write.js";
import type { Compiler } from "./compiler/types.js";
import { targetOf } from "./manifest/choose.js";
import { fileListing } from "./manifest/listing.js";
import type { ResolvedProject } from "./manifest/types.js";
import { Steps } from "./steps/steps.js";
import type { StepsOptions } from "./steps/steps.js";

/** @param compiler - its cache directory is used */
export function openSteps(
  project: ResolvedProject,
  compiler: Pick<Compiler, "directory">,
  listeners: Pick<StepsOptions, "onGroup" | "onEvent">,
): Steps {
  // Several projects may share the directory.
  const target = createHash("sha256").update(targetOf(project)).digest("hex");
  return new Steps({
    recordFile: path.join(
      compiler.directory,
      `steps-${target.slice(0, 16)}.json`,
    ),
    write: writeAtomically,
    glob: (pattern, directory) => fileListing.glob(pattern, directory),
    ...listeners,
  });
}
