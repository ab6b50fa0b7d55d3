import { link } from "./link.js";
import type { LinkTarget } from "./link.js";
import type { OutputStore } from "./output-store.js";
import type { RecordStore } from "./record-store.js";
import { Slices } from "./slices.js";
import type { SourceFile } from "./source-file.js";
import type { SourceReader } from "./source-reader.js";
import type { BuiltSource } from "./types.js";

/** A source with the output that its identity gives it. */
export function builtSource(
  file: SourceFile,
  identity: string,
  outputs: OutputStore,
): BuiltSource {
  const format = file.summary?.format;
  const output =
    format === undefined
      ? undefined
      : outputs.pathOf(file.path, identity, format);
  const { before, during } = file.evaluation;
  const isWorkerSpecific = file.summary?.isWorkerSpecific ?? false;
  return {
    path: file.path,
    identity,
    output,
    before,
    during,
    isWorkerSpecific,
  };
}

/**
 * Links and writes the outputs that aren't there yet.
 *
 * @param built - what the sources, and all that they import, became
 */
export async function writeOutputs(
  files: Iterable<SourceFile>,
  built: (path: string) => BuiltSource | undefined,
  reader: SourceReader,
  records: RecordStore,
  outputs: OutputStore,
): Promise<void> {
  const slices = new Slices();
  for (const file of files) {
    const output = built(file.path)?.output;
    if (output === undefined || outputs.has(output)) continue;
    const code = await records.codeOf(file.key, () => reader.inputOf(file));
    const targets = file.resolutions.map((resolution) =>
      targetOf(resolution, built),
    );
    const mapUrl = outputs.mapUrl(output, file.key);
    outputs.write(output, link(code, file.path, targets, mapUrl));
    await slices.pause();
  }
}

function targetOf(
  resolution: SourceFile["resolutions"][number],
  built: (path: string) => BuiltSource | undefined,
): LinkTarget | undefined {
  if (resolution.kind !== "source" && resolution.kind !== "package") {
    return undefined;
  }
  const { path, suffix } = resolution;
  const isJson = path.endsWith(".json");
  if (resolution.kind === "package") {
    return { path, suffix, isOutput: false, isJson };
  }
  const output = built(path)?.output;
  if (output === undefined) return undefined;
  return { path: output, suffix, isOutput: true, isJson };
}
