/**
 * What computed specifiers mean in a worker's process, see `runtime/resolution.ts`: the master is asked over the synchronous
 * channel, since `require` must answer at once.
 */
import process from "node:process";
import type { BeginMessage } from "../ipc/messages.js";
import { defineResolution } from "../runtime/resolution.js";
import { askForFile, giveUp } from "./sync-channel.js";

/** Makes this process the program's: `require`, `import()` and `process.argv` are as if Node had been started with the entry. */
export function installResolution({
  entry,
  isModule,
  args,
}: BeginMessage): void {
  let mainModule: NodeJS.Module | undefined;
  defineResolution({
    ask: askForFile,
    mainOf: (_native, module, from) => {
      if (from === entry) mainModule = module;
      const always = { configurable: true, enumerable: true };
      // Evaluated ahead: in a cold boot, a CommonJS entry would be there already.
      return mainModule === undefined && !isModule
        ? {
            ...always,
            get: () => mainModule ?? giveUp("reads require.main", from),
          }
        : { ...always, writable: true, value: mainModule };
    },
  });
  process.argv = [process.execPath, entry, ...args];
}
