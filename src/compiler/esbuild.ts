/**
 * The one owner of esbuild's service process: it is loaded and started by the first transform (a start
 * with a warm cache needs none) and stopped when the last compiler of this process is closed.
 */
import type * as Esbuild from "esbuild";
import type {
  TransformFailure,
  TransformOptions,
  TransformResult,
} from "esbuild";

let users = 0;
let loaded: Promise<typeof Esbuild> | undefined;

/** Counts a compiler in; the function returned counts it out again. */
export function useEsbuild(): () => Promise<void> {
  users++;
  let released = false;
  return async () => {
    if (released) return;
    released = true;
    users--;
    if (users > 0 || loaded === undefined) return;
    const esbuild = await loaded.catch(() => undefined);
    // Another compiler may have been made meanwhile.
    if (users > 0) return;
    loaded = undefined;
    await esbuild?.stop();
  };
}

/** Runs `esbuild.transform`. */
export async function transformWithEsbuild(
  text: string,
  options: TransformOptions,
): Promise<TransformResult> {
  loaded ??= import("esbuild");
  const esbuild = await loaded;
  return await esbuild.transform(text, options);
}

/** Starts the service, so that the first save after a warm start doesn't wait for it. */
export async function warmUpEsbuild(): Promise<void> {
  try {
    await transformWithEsbuild("", { loader: "ts", format: "esm" });
  } catch {
    // Stopped while starting, or not installed properly: a transform will say so.
  }
}

/** Whether an error is esbuild's report on the input. */
export function isTransformFailure(error: unknown): error is TransformFailure {
  return (
    error instanceof Error && "errors" in error && Array.isArray(error.errors)
  );
}
