/** Whether a process is there. A leaf: both ends of the run directory ask, and pid files. */
import process from "node:process";
import { systemErrorCode } from "./errors.js";

/** Also another user's process is one. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}
