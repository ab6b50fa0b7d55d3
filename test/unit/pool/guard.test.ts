/** The guard, with real processes: a program that has one is killed. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bundle, start, temporaryFolder } from "../child-program.js";

/** Says the pid of a process of its own, and of its guard's surroundings; ends by SIGKILL. */
const program = (folder: string, act: string): string =>
  bundle(`
import { spawn } from "node:child_process";
import fs from "node:fs";
import { Guard } from "../../src/pool/guard.ts";
const folder = ${JSON.stringify(folder)};
const guard = new Guard(folder + "/run");
const sleeper = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
const exited = new Promise((resolve) => sleeper.once("exit", resolve));
sleeper.stdout.once("data", async () => {
  console.log(sleeper.pid);
  ${act}
});
`);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Is it there, and no zombie that nobody has asked after? */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], {
    encoding: "utf8",
  });
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
}

function surroundings(): string {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, "run"));
  fs.mkdirSync(path.join(folder, "sockets"));
  fs.writeFileSync(path.join(folder, "run/left"), "");
  fs.writeFileSync(path.join(folder, "a file.pid"), "1\n");
  fs.writeFileSync(path.join(folder, "sockets/s"), "");
  return folder;
}

const OWN = `guard.own([folder + "/a file.pid", folder + "/sockets/s"], [folder + "/sockets"]);`;
const DIE = `process.kill(process.pid, "SIGKILL");`;

test("a killed master's process is killed, and what only the master could have removed is removed", async () => {
  const folder = surroundings();
  const master = start(process.execPath, [
    program(folder, `guard.watch(sleeper.pid, exited); ${OWN} ${DIE}`),
  ]);
  const pid = Number(await master.until(/^\d+$/));
  expect((await master.ended).signal).toBe("SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
  await expect
    .poll(() => fs.readdirSync(folder), { timeout: 5_000 })
    .toEqual([]);
});

test("of a process group that is watched nobody is left", async () => {
  const folder = surroundings();
  // Detached, so it leads a group; its child is in it, too.
  const master = start(process.execPath, [
    program(
      folder,
      `const shell = spawn("/bin/sh", ["-c", "sleep 60 & echo $!; wait"], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
       guard.watchGroup(shell.pid, new Promise(() => {}));
       shell.stdout.once("data", (pid) => { console.log("child " + pid); sleeper.kill("SIGKILL"); ${DIE} });`,
    ),
  ]);
  const child = Number((await master.until(/^child \d+$/)).split(" ")[1]);
  await master.ended;
  await expect.poll(() => isRunning(child), { timeout: 5_000 }).toBe(false);
});

test("a process that isn't watched any more, and a file that is another one now, are left alone", async () => {
  const folder = surroundings();
  const master = start(process.execPath, [
    program(
      folder,
      `guard.watch(sleeper.pid, Promise.resolve()); ${OWN}
       fs.writeFileSync(folder + "/newer", "2\\n");
       fs.renameSync(folder + "/newer", folder + "/a file.pid");
       fs.writeFileSync(folder + "/sockets/another", "");
       setTimeout(() => { ${DIE} }, 100);`,
    ),
  ]);
  const pid = Number(await master.until(/^\d+$/));
  await master.ended;
  // Its last act, so all else is done by then.
  await expect
    .poll(() => fs.existsSync(path.join(folder, "run")), { timeout: 5_000 })
    .toBe(false);
  expect(fs.readFileSync(path.join(folder, "a file.pid"), "utf8")).toBe("2\n");
  expect(fs.readdirSync(path.join(folder, "sockets"))).toEqual(["another"]);
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
});

test("after a clean end it removes nothing, and is gone", async () => {
  const folder = surroundings();
  const master = start(process.execPath, [
    program(
      folder,
      `guard.watch(sleeper.pid, exited); ${OWN} sleeper.kill("SIGKILL"); await exited; await guard.close(); console.log("closed");`,
    ),
  ]);
  await master.until(/^closed$/);
  expect(await master.ended).toEqual({ code: 0, signal: null });
  expect(fs.readdirSync(folder).sort()).toEqual([
    "a file.pid",
    "run",
    "sockets",
  ]);
});
