/**
 * What runs in a forked process: says hello, is told which program it is,
 * loads it, and listens on the worker's port and for the front.
 *
 * It is started by `pool/` with an IPC channel, and imports nothing of the
 * master. The order below matters: everything that has to stand before the
 * app's first line is installed before the app is loaded.
 */
import process from "node:process";
import { onMasterMessage, sendToMaster } from "../ipc/channel.js";
import { Adoption } from "./adoption.js";
import { reportFaults } from "./faults.js";
import { runProgram } from "./program.js";
import { installResolution } from "./resolution.js";
import { installStackMapping } from "./stack.js";
import type { SharedHandle } from "./shared-handle.js";

/** Enough connections to wait while a process is being replaced; the kernel caps it (net.core.somaxconn). */
const BACKLOG = 511;

const adoption = new Adoption();
installStackMapping();
reportFaults();

// A master that vanished, by SIGKILL too, closes the channel. Then there is
// nobody to serve: exit at once, whatever timers and sockets the app has open.
process.on("disconnect", () => {
  adoption.removeSocketFile();
  process.exit(1);
});

onMasterMessage((message, handle) => {
  switch (message.type) {
    case "arm": {
      // Into listening state and closed in one tick, so nothing is accepted:
      // from now on the kernel queues connections (the master's copy keeps the
      // socket open) and the process that is ready first serves them.
      const shared = handle as SharedHandle;
      shared.listen(BACKLOG);
      shared.close();
      return;
    }
    case "program": {
      const shared = handle as SharedHandle;
      installResolution(message);
      adoption.install(message, shared);
      // From here on the process lives as long as the app keeps it alive, as under plain Node.
      process.channel?.unref();
      void runProgram(message, adoption);
      return;
    }
    case "drain":
      adoption.drain(message.lingerMs, () => sendToMaster({ type: "drained" }));
      return;
    case "finish":
      adoption.finish(() => sendToMaster({ type: "finished" }));
      return;
    case "bound":
      adoption.bound(message, handle as SharedHandle | undefined);
      return;
  }
});
process.channel?.ref();
sendToMaster({ type: "hello" });
