import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { systemErrorCode } from "../errors.js";

let count = 0;

/** Whether a name is that of a file whose writer was killed before the rename. */
export function isTemporary(name: string): boolean {
  return name.endsWith(".tmp");
}

/** Writes a file under a temporary name and renames it, so that a reader sees all of it or nothing. Makes its directory. */
export function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}-${count++}.tmp`;
  try {
    writeFileSync(temporary, text);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, text);
  }
  renameSync(temporary, path);
}
