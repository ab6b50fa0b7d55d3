/** Real signals, sent to real processes; the server behind them only says what it was asked for. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PreforkError } from "../../../src/errors.js";
import {
  defaultSignals,
  installSignals,
} from "../../../src/mechanisms/signals.js";
import type {
  SignalMap,
  SignalTarget,
} from "../../../src/mechanisms/signals.js";
import { bundle, start, temporaryFolder } from "../child-program.js";
import type { Child } from "../child-program.js";
import { deeds, program, settle, startMaster } from "../signal-master.js";

describe("signals by default", { timeout: 60_000 }, () => {
  it.each([
    ["SIGHUP", "reload"],
    ["SIGUSR2", "reload"],
    ["SIGTTIN", "scale 1"],
    ["SIGTTOU", "scale -1"],
  ] as const)("%s: %s", async (signal, said) => {
    const master = await startMaster();
    master.signal(signal);
    await master.until(/./);
    await settle(master);
    expect(deeds(master)).toEqual([said]);
  });

  it("TERM stops, once; meanwhile nothing is reloaded; it ends with 0", async () => {
    const master = await startMaster();
    master.signal("SIGTERM");
    await master.until(/^stop$/);
    for (const signal of ["SIGTERM", "SIGHUP", "SIGTTIN", "SIGTTOU"] as const)
      master.signal(signal);
    await settle(master);
    master.write("finish\n");
    expect(await master.ended).toEqual({ code: 0, signal: null });
    expect(deeds(master)).toEqual(["stopping by SIGTERM", "stop", "stopped 0"]);
  });

  it("the first INT stops, a TERM changes nothing, the second INT ends at once with 130", async () => {
    const master = await startMaster({ relayedWithinMs: 0 });
    master.signal("SIGINT");
    await master.until(/^stop$/);
    master.signal("SIGTERM");
    await settle(master);
    expect(master.lines).not.toContain("kill");
    master.signal("SIGINT");
    expect(await master.ended).toEqual({ code: 130, signal: null });
    expect(deeds(master).slice(-2)).toEqual(["kill", "stopped 130"]);
  });

  it("INT while a TERM's stop is under way ends at once", async () => {
    const master = await startMaster();
    master.signal("SIGTERM");
    await master.until(/^stop$/);
    master.signal("SIGINT");
    expect(await master.ended).toEqual({ code: 130, signal: null });
    expect(deeds(master).slice(-2)).toEqual(["kill", "stopped 130"]);
  });

  it.each([
    ["while it serves", false],
    ["during a drain", true],
  ])("QUIT %s ends at once with 131", async (_when, isDraining) => {
    const master = await startMaster();
    if (isDraining) {
      master.signal("SIGTERM");
      await master.until(/^stop$/);
    }
    master.signal("SIGQUIT");
    expect(await master.ended).toEqual({ code: 131, signal: null });
    expect(deeds(master).slice(-2)).toEqual(["kill", "stopped 131"]);
  });

  it("USR1 stays Node's inspector", async () => {
    const master = await startMaster({}, ["--inspect-port=0"]);
    master.signal("SIGUSR1");
    await master.untilStderr(/Debugger listening/);
    await settle(master);
    expect(deeds(master)).toEqual([]);
  });
});

/** As npm does, it starts the program and relays a SIGINT to it that the program had from the terminal, too. */
const npm = `
import { spawn } from "node:child_process";
import readline from "node:readline";
const child = spawn(process.execPath, process.argv.slice(2), { stdio: ["inherit", "pipe", "inherit"] });
process.on("SIGINT", () => undefined);
readline.createInterface({ input: child.stdout }).on("line", (line) => {
  console.log(line);
  if (line !== "stop") return;
  child.kill("SIGINT");
  console.log("relayed");
});
child.on("close", (code) => process.exit(code));
`;

describe("Ctrl-C under npm", { timeout: 60_000 }, () => {
  it.each([
    ["counts once, if it's relayed in time", 600_000, 0],
    ["counts twice, if it comes later", 0, 130],
  ])("%s", async (_what, relayedWithinMs, code) => {
    const script = path.join(temporaryFolder(), "npm.mjs");
    writeFileSync(script, npm);
    const group = start(process.execPath, [
      script,
      bundle(program),
      JSON.stringify({ relayedWithinMs }),
    ]);
    await group.until(/^installed$/);
    // The terminal sends it to all of the foreground's group.
    process.kill(-group.pid, "SIGINT");
    await group.until(/^relayed$/);
    if (code === 0) {
      await settle(group);
      group.write("finish\n");
    }
    expect(await group.ended).toEqual({ code, signal: null });
    expect(group.lines.includes("kill")).toBe(code !== 0);
  });
});

describe("what goes wrong", { timeout: 60_000 }, () => {
  it("is given to onError, and ends nothing", async () => {
    const master = await startMaster({
      map: { SIGWINCH: "own" },
      fails: ["reload", "scale", "own", "stop"],
    });
    for (const [signal, what] of [
      ["SIGHUP", "reload"],
      ["SIGTTIN", "scale"],
      ["SIGWINCH", "own"],
    ] as const) {
      master.signal(signal);
      await master.until(new RegExp(`^error ${signal}: ${what} failed$`));
    }
    master.signal("SIGTERM");
    await master.until(/^stop$/);
    master.write("finish\n");
    expect(await master.ended).toEqual({ code: 1, signal: null });
    expect(deeds(master).slice(-2)).toEqual([
      "error SIGTERM: stop failed",
      "stopped 1",
    ]);
  });

  it("keeps the code of the signal when ending at once fails", async () => {
    const master = await startMaster({ fails: ["kill"] });
    master.signal("SIGQUIT");
    expect(await master.ended).toEqual({ code: 131, signal: null });
    expect(master.lines).toContain("error SIGQUIT: kill failed");
  });

  it("is a warning without onError", async () => {
    const master = await startMaster({
      fails: ["reload"],
      withoutOnError: true,
    });
    master.signal("SIGHUP");
    await master.untilStderr(/reload failed/);
    await settle(master);
  });
});

describe("a map", { timeout: 60_000 }, () => {
  it("changes, adds and leaves alone", async () => {
    const master = await startMaster({
      map: { SIGUSR2: "own", SIGWINCH: "add-worker", SIGINT: false },
    });
    master.signal("SIGUSR2");
    await master.until(/^own SIGUSR2$/);
    master.signal("SIGWINCH");
    await master.until(/^scale 1$/);
    master.signal("SIGHUP");
    await master.until(/^reload$/);
    master.signal("SIGINT");
    expect(await master.ended).toEqual({ code: null, signal: "SIGINT" });
  });

  const server: SignalTarget = {
    reload: () => Promise.resolve(),
    scale: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    kill: () => Promise.resolve(),
  };

  it.each([
    [{ SIGKILL: "kill" }, /SIGKILL.*no program can handle/],
    [{ SIGSTOP: () => undefined }, /SIGSTOP.*no program can handle/],
    [{ SIGUSR1: "reload" }, /SIGUSR1.*inspector.*SIGUSR2/],
    [{ SIGRELOAD: "reload" }, /SIGRELOAD is no signal/],
    [{ toString: "reload" }, /toString is no signal/],
    [{ SIGHUP: "relaod" }, /SIGHUP is "relaod".*"?reload/],
  ])("is refused whole: %j", (map, message) => {
    const before = process.listenerCount("SIGHUP");
    let thrown: unknown;
    try {
      installSignals(server, map as SignalMap);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PreforkError);
    expect(thrown).toMatchObject({
      code: "ERR_PREFORK_OPTION",
      message: expect.stringMatching(message) as string,
    });
    expect(process.listenerCount("SIGHUP")).toBe(before);
  });

  it("may say that what can't be handled is left alone", () => {
    installSignals(server, { SIGKILL: false, SIGUSR1: false })();
  });
});

describe("handlers are removed", { timeout: 60_000 }, () => {
  const released = (child: Child): string[] =>
    child.lines
      .filter((line) => line.startsWith("released "))
      .map((line) => line.replace("released ", ""))
      .sort();

  it("by uninstalling, all of them", async () => {
    const master = await startMaster();
    master.write("uninstall\n");
    await master.until(/^uninstalled$/);
    expect(released(master)).toEqual(Object.keys(defaultSignals).sort());
    master.signal("SIGTERM");
    expect(await master.ended).toEqual({ code: null, signal: "SIGTERM" });
  });

  it("once the server has ended: those that ended it, so that a process with other things to do can be ended", async () => {
    const master = await startMaster({ lingers: true, relayedWithinMs: 0 });
    master.signal("SIGTERM");
    await master.until(/^stop$/);
    master.write("finish\n");
    await master.until(/^released SIGQUIT$/);
    expect(released(master)).toEqual(["SIGINT", "SIGQUIT", "SIGTERM"]);
    master.signal("SIGHUP");
    await settle(master);
    master.signal("SIGINT");
    expect(await master.ended).toEqual({ code: null, signal: "SIGINT" });
  });
});

describe("docs/signals.md", () => {
  const page = readFileSync(
    new URL("../../../docs/signals.md", import.meta.url),
    "utf8",
  );

  it("has the default map as its table", () => {
    const rows = page.split("\n").flatMap((line) => {
      const [, signal, action] =
        /^\| `(SIG\w+)` \| `([a-z-]+)` \| \S/.exec(line) ?? [];
      return signal === undefined ? [] : [[signal, action]];
    });
    expect(rows).toEqual(Object.entries(defaultSignals));
  });
});
