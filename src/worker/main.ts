/**
 * What runs in a forked process: says hello, gets its orders (`stand-by.ts`), and once
 * it is activated loads the program and listens on the worker's port and for the front.
 *
 * It is started by `pool/` with an IPC channel, and imports nothing of the
 * master. The order below matters: everything that has to stand before the
 * app's first line is installed before the app is loaded.
 */
import path from "node:path";
import process from "node:process";
import { onMasterMessage, sendToMaster } from "../ipc/channel.js";
import type { BeginMessage, WorkerProgram } from "../ipc/messages.js";
import { Adoption } from "./adoption.js";
import { saveCodeCache, useCodeCache } from "./code-cache.js";
import { culprit } from "./culprit.js";
import { reportFaults } from "./faults.js";
import { silenceRequireWarning } from "./load.js";
import type { ProcessWorker } from "./process-worker.js";
import { servePackages } from "./package-loads.js";
import { runProgram } from "./program.js";
import { installResolution } from "./resolution.js";
import { leaveRunDirectory } from "./run-directory.js";
import { installStackMapping } from "../runtime/stack.js";
import { StandBy } from "./stand-by.js";
import type { Ahead } from "./stand-by.js";
import type { SharedHandle } from "./shared-handle.js";
import { askForFile, giveUp } from "./sync-channel.js";

/** Enough connections to wait while a process is being replaced; the kernel caps it (net.core.somaxconn). */
const BACKLOG = 511;

const adoption = new Adoption();
/** The workers' listening sockets; all but one are given up on activation. */
const sockets = new Map<number, SharedHandle>();
let standBy: StandBy | undefined;
let runDirectory: string | undefined;
let program: WorkerProgram | undefined;
let worker: Promise<ProcessWorker> | undefined;

installStackMapping();
reportFaults();
silenceRequireWarning();

// A master that vanished, by SIGKILL too, closes the channel. Then there is
// nobody to serve: exit at once, whatever timers and sockets the app has open.
process.on("disconnect", () => {
  adoption.removeSocketFile();
  if (runDirectory !== undefined) leaveRunDirectory(runDirectory);
  process.exit(1);
});
process.on("exit", () => {
  if (standBy?.isAhead === true) giveUp("calls process.exit()", culprit());
});

async function begin(message: BeginMessage): Promise<void> {
  runDirectory = message.runDirectory;
  useCodeCache(message.codeCache);
  const process = new StandBy(message, activate);
  await process.prepare();
  adoption.install();
  installResolution(message);
  servePackages({
    ask: askForFile,
    onLoad: () => {
      // On whose behalf isn't known to the master: it couldn't tell when what was loaded so is out of date.
      if (standBy?.isAhead === true)
        giveUp("has a package load sources by their paths", culprit());
    },
    cache: path.dirname(message.codeCache),
  });
  standBy = process;
  process.run();
}

/** The worker's instance with its hooks and commands. A process without mixins that gets no command doesn't load that code. */
async function workerOf(of: WorkerProgram): Promise<ProcessWorker> {
  worker ??= import("./process-worker.js").then(
    ({ ProcessWorker }) => new ProcessWorker(of),
  );
  return await worker;
}

function activate(activated: WorkerProgram, ahead: Ahead | undefined): void {
  program = activated;
  const { worker: index, workerPort, output, mixins } = activated;
  process.env["PREFORK_WORKER"] = String(index);
  process.env["PREFORK_WORKER_PORT"] = String(workerPort);
  const shared = sockets.get(index);
  sockets.delete(index);
  for (const socket of sockets.values()) socket.close();
  sockets.clear();
  if (shared === undefined) throw new Error(`no socket for worker ${index}`);
  // A program that listens in a top-level await isn't evaluated before it does.
  const start =
    mixins && (async (): Promise<void> => (await workerOf(activated)).begin());
  adoption.activate(activated, shared, start);
  // From here on the process lives as long as the app keeps it alive, as under plain Node.
  process.channel?.unref();
  runProgram(output, adoption, ahead, () => void start?.());
}

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
    case "socket":
      sockets.set(message.worker, handle as SharedHandle);
      return;
    case "begin":
      void begin(message);
      return;
    case "command":
      if (program !== undefined)
        void workerOf(program).then((each) => each.answer(message));
      return;
    case "drain":
      if (program?.mixins !== undefined)
        void workerOf(program).then((each) => each.keepUntilStopped());
      adoption.close();
      sendToMaster({ type: "closed" });
      adoption.drain(message.lingerMs, () => {
        sendToMaster({ type: "drained" });
        // The others have compiled the same.
        if (program?.worker === 0) saveCodeCache();
      });
      return;
    case "finish":
      adoption.finish(() => sendToMaster({ type: "finished" }));
      return;
    case "ping":
      sendToMaster({ type: "pong", rssBytes: process.memoryUsage.rss() });
      return;
    case "bound":
      adoption.bound(message, handle as SharedHandle | undefined);
      return;
  }
});
process.channel?.ref();
sendToMaster({ type: "hello" });
