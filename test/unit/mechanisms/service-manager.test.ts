/** The service manager is played by a real datagram socket, of a Python program, since Node has none; what sends is the real systemd-notify. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { serviceManager } from "../../../src/mechanisms/service-manager.js";
import type { ServiceManager } from "../../../src/mechanisms/service-manager.js";
import { start, temporaryFolder } from "../child-program.js";
import { notifyReceiver } from "../notify-receiver.js";
import type { Child } from "../child-program.js";

interface Message {
  readonly variables: string[];
  /** CLOCK_MONOTONIC, in microseconds. */
  readonly at: number;
}

async function listen(address: string): Promise<Child> {
  const child = start("python3", ["-c", notifyReceiver, address]);
  await child.until(/^bound$/);
  return child;
}

async function next(child: Child): Promise<Message> {
  return JSON.parse(await child.until(/^\{/)) as Message;
}

function connect(
  socket: string,
  options: { PATH?: string; timeoutMs?: number } = {},
): { manager: ServiceManager; warnings: readonly string[] } {
  const { PATH = process.env["PATH"], ...others } = options;
  const warnings: string[] = [];
  const manager = serviceManager(
    { PATH, NOTIFY_SOCKET: socket },
    { onWarning: (message) => void warnings.push(message), ...others },
  );
  if (manager === undefined) throw new Error("no service manager");
  return { manager, warnings };
}

const microseconds = (): number => Number(process.hrtime.bigint() / 1_000n);

it("without NOTIFY_SOCKET there is no service manager", () => {
  const onWarning = (): void => undefined;
  expect(serviceManager({}, { onWarning })).toBeUndefined();
  expect(serviceManager({ NOTIFY_SOCKET: "" }, { onWarning })).toBeUndefined();
});

describe.skipIf(process.platform !== "linux")(
  "a service manager",
  { timeout: 60_000 },
  () => {
    it.each([
      ["a path", () => path.join(temporaryFolder(), "notify")],
      [
        "an abstract address",
        () => `@prefork-test-${process.pid}-${Date.now()}`,
      ],
    ])("is told at %s", async (_what, makeAddress) => {
      const address = makeAddress();
      const child = await listen(address);
      const { manager, warnings } = connect(address);
      await manager.ready("2 workers on port 3000");
      expect((await next(child)).variables.sort()).toEqual([
        "READY=1",
        "STATUS=2 workers on port 3000",
      ]);
      await manager.ready();
      expect((await next(child)).variables).toEqual(["READY=1"]);
      await manager.status("generation 2");
      expect((await next(child)).variables).toEqual(["STATUS=generation 2"]);
      await manager.stopping();
      expect((await next(child)).variables).toEqual(["STOPPING=1"]);
      expect(warnings).toEqual([]);
    });

    it("hears everything in the order of the calls; of statuses that wait, the last", async () => {
      const address = path.join(temporaryFolder(), "notify");
      const child = await listen(address);
      const { manager, warnings } = connect(address);
      await Promise.all([
        manager.ready("one"),
        manager.status("two"),
        manager.status("three"),
        manager.stopping(),
        manager.status("four"),
        manager.status("five"),
      ]);
      for (const variables of [
        ["READY=1", "STATUS=one"],
        ["STATUS=three"],
        ["STOPPING=1"],
        ["STATUS=five"],
      ])
        expect((await next(child)).variables.sort()).toEqual(variables);
      expect(child.lines).toHaveLength(5);
      expect(warnings).toEqual([]);
    });

    it("is told when a reload has begun, by the clock that it uses, even if that waits", async () => {
      const address = path.join(temporaryFolder(), "notify");
      const child = await listen(address);
      const { manager } = connect(address);
      void manager.ready();
      const before = microseconds();
      const reloading = manager.reloading();
      const after = microseconds();
      await reloading;
      const readyAt = (await next(child)).at;
      const { variables, at } = await next(child);
      expect(variables).toContain("RELOADING=1");
      const [begun] = variables.flatMap((variable) => {
        const [name, value] = variable.split("=");
        return name === "MONOTONIC_USEC" ? [Number(value)] : [];
      });
      expect(begun).toBeGreaterThanOrEqual(before);
      expect(begun).toBeLessThanOrEqual(after);
      expect(readyAt).toBeGreaterThanOrEqual(after);
      expect(at).toBeGreaterThanOrEqual(readyAt);
    });

    it("gets one line, whatever a status holds", async () => {
      const address = path.join(temporaryFolder(), "notify");
      const child = await listen(address);
      const { manager, warnings } = connect(address);
      await manager.status(
        ` über\nMAINPID=1\r\n\0\x1b[31m${"x".repeat(100_000)}`,
      );
      const { variables } = await next(child);
      expect(variables).toHaveLength(1);
      expect(variables[0]).toMatch(/^STATUS=über MAINPID=1 \[31mxxx/);
      expect(variables[0]?.length).toBeLessThan(1_000);
      expect(warnings).toEqual([]);
    });

    it("that went away is one warning, until it's back", async () => {
      const address = path.join(temporaryFolder(), "notify");
      const { manager, warnings } = connect(address);
      await manager.ready();
      await manager.stopping();
      expect(warnings).toEqual([
        expect.stringMatching(
          /systemd-notify READY=1 failed \(.+\).*NOTIFY_SOCKET=/s,
        ),
      ]);
      expect(warnings[0]).toContain(address);
      const child = await listen(address);
      await manager.ready();
      expect((await next(child)).variables).toEqual(["READY=1"]);
      child.signal("SIGKILL");
      await child.ended;
      await manager.ready();
      expect(warnings).toHaveLength(2);
    });

    it("can't be told without systemd-notify: one warning that says what to do", async () => {
      const { manager, warnings } = connect("/nowhere", {
        PATH: temporaryFolder(),
      });
      await manager.ready();
      await manager.stopping();
      expect(warnings).toEqual([
        expect.stringMatching(/systemd-notify isn't in PATH.*install it/),
      ]);
    });

    it("that takes too long holds up nothing: the message is given up, the next gets its turn", async () => {
      const folder = temporaryFolder();
      const program = path.join(folder, "systemd-notify");
      const log = path.join(folder, "log");
      writeFileSync(
        program,
        `#!/bin/sh\necho "$$ $*" >>"${log}"\nexec sleep 1000\n`,
      );
      chmodSync(program, 0o755);
      const { manager, warnings } = connect("/nowhere", {
        PATH: `${folder}:${process.env["PATH"] ?? ""}`,
        timeoutMs: 2_000,
      });
      await Promise.all([manager.ready(), manager.stopping()]);
      expect(warnings).toEqual([
        expect.stringMatching(/READY=1 failed \(it took too long\)/),
      ]);
      const calls = readFileSync(log, "utf8").trim().split("\n");
      expect(calls.map((call) => call.split(" ")[1])).toEqual([
        "READY=1",
        "STOPPING=1",
      ]);
      for (const call of calls)
        expect(() => process.kill(Number(call.split(" ")[0]), 0)).toThrow(
          "ESRCH",
        );
    });
  },
);
