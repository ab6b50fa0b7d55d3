/** Keys, first with a stream in place of the terminal, then in a real one: foreground and background. */
import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { installKeys } from "../../../src/cli/keys.js";
import type { KeysOptions } from "../../../src/cli/keys.js";
import { inBackground, inTerminal, startIn } from "./terminal.js";

// The tests may themselves run in the background.
vi.mock("../../../src/cli/foreground.js", () => ({ isForeground: () => true }));

const HELP = /r reload, s status, \+ .*, - .*, q quit, h help/;

interface Pressed {
  readonly input: PassThrough;
  /** What was said and done. */
  readonly deeds: readonly string[];
  readonly uninstall: () => void;
  /** Presses keys, and waits until they were taken; `h` comes last. */
  readonly press: (text: string) => Promise<void>;
}

function install(
  options: Partial<KeysOptions> & { fails?: boolean } = {},
): Pressed {
  const { fails = false, ...others } = options;
  const input = new PassThrough();
  const deeds: string[] = [];
  let helped: (() => void) | undefined;
  const done = (deed: string): Promise<void> => {
    deeds.push(deed);
    return fails ? Promise.reject(new Error("not now")) : Promise.resolve();
  };
  const uninstall = installKeys({
    input,
    isTTY: true,
    env: {},
    server: {
      reload: () => done("reload"),
      scale: ({ by }) => done(`scale ${by}`),
      stop: () => done("stop"),
    },
    status: () => "all is well",
    say: (text) => {
      if (text.startsWith("r reload")) helped?.();
      else deeds.push(text);
    },
    ...others,
  });
  onTestFinished(uninstall);
  return {
    input,
    deeds,
    uninstall,
    press: (text) =>
      new Promise((resolve) => {
        helped = resolve;
        input.write(`${text}h\n`);
      }),
  };
}

describe("keys", () => {
  it.each([
    ["r", "reload"],
    ["s", "all is well"],
    ["+", "scale 1"],
    ["-", "scale -1"],
    ["q", "stop"],
  ])("%s: %s", async (key, deed) => {
    const { deeds, press } = install();
    await press(`${key}\n`);
    expect(deeds).toEqual([deed]);
  });

  it("come in any pieces, with any line's end, among blanks and empty lines", async () => {
    const { input, deeds, press } = install();
    input.write("\n  r");
    input.write(" \r\n\n+\n-");
    await press("\r\n");
    expect(deeds).toEqual(["reload", "scale 1", "scale -1"]);
  });

  it("that are none get one line of help", async () => {
    const { deeds, press } = install();
    await press(`R\n${"pasted by accident ".repeat(100)}\n`);
    expect(deeds).toEqual([
      expect.stringMatching(HELP),
      expect.stringMatching(HELP),
    ]);
    expect(deeds[0]).toMatch(/^"R" is no key: /);
    expect(deeds[1]?.length).toBeLessThan(150);
  });

  it("say what couldn't be done", async () => {
    const { deeds, press } = install({ fails: true });
    await press("r\n");
    await press("");
    expect(deeds).toEqual(["reload", "not now"]);
  });

  it.each([
    ["no terminal", { isTTY: false }],
    ["CI", { env: { CI: "true" } }],
  ])("are off: %s", (_why, options) => {
    const { input } = install(options);
    expect(input.listenerCount("data")).toBe(0);
    expect(input.readableFlowing).toBeNull();
  });

  it.each(["false", "0", ""])("aren't off with CI=%j", async (CI) => {
    const { deeds, press } = install({ env: { CI } });
    await press("r\n");
    expect(deeds).toEqual(["reload"]);
  });

  it("are gone after uninstalling, and leave no handler", () => {
    const before = process.listenerCount("SIGCONT");
    const { input, deeds, uninstall } = install();
    expect(process.listenerCount("SIGCONT")).toBe(before + 1);
    uninstall();
    uninstall();
    expect(process.listenerCount("SIGCONT")).toBe(before);
    expect(input.isPaused()).toBe(true);
    input.write("r\n");
    expect(deeds).toEqual([]);
  });

  it("are over, and nothing else, when the input ends or fails", async () => {
    const before = process.listenerCount("SIGCONT");
    for (const end of [
      ({ input }: Pressed) => input.end(),
      ({ input }: Pressed) => input.destroy(new Error("EIO")),
    ]) {
      const pressed = install();
      const closed = new Promise((resolve) =>
        pressed.input.once("close", resolve),
      );
      end(pressed);
      await closed;
      expect(process.listenerCount("SIGCONT")).toBe(before);
      expect(pressed.deeds).toEqual([]);
    }
  });
});

describe.skipIf(process.platform === "win32")(
  "keys in a real terminal",
  { timeout: 60_000 },
  () => {
    it("are read line by line; q ends the command, which the keys don't hold", async () => {
      const { terminal } = await startIn(inTerminal);
      for (const [key, deed] of [
        ["r", /^reload$/],
        ["s", /^all is well$/],
        ["+", /^scale 1$/],
        ["x", HELP],
        ["q", /^stop$/],
      ] as const) {
        terminal.write(`${key}\n`);
        await terminal.until(deed);
      }
      expect(await terminal.ended).toEqual({ code: 0, signal: null });
    });

    it("end with Ctrl-D, and the command goes on", async () => {
      const { terminal, pid } = await startIn(inTerminal);
      terminal.write("r\n");
      await terminal.until(/^reload$/);
      terminal.write("\x04");
      for (let turn = 0; turn < 2; turn++) {
        process.kill(pid, "SIGUSR2");
        await terminal.until(/reload$/);
      }
      process.kill(pid, "SIGTERM");
      expect(await terminal.ended).toEqual({ code: 0, signal: null });
    });

    it("aren't read in the background, where that would be a SIGTTIN without end; in the foreground again they are", async () => {
      const { terminal, pid } = await startIn(inBackground);
      terminal.write("type s\n");
      await terminal.until(/^s$/);
      for (let turn = 0; turn < 3; turn++) {
        process.kill(pid, "SIGUSR2");
        await terminal.until(/^reload$/);
      }
      expect(terminal.lines).not.toContain("all is well");
      terminal.write("fg\n");
      await terminal.until(/^all is well$/);
      process.kill(pid, "SIGTERM");
      expect(await terminal.ended).toEqual({ code: 0, signal: null });
      expect(terminal.lines.join("\n")).not.toMatch(/scale/);
    });
  },
);
