/** HAProxy's answers as text, with a socket that says what a test wants; real ones in test/integration/upstream-haproxy.test.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  planHaproxy,
  serverName,
  serversState,
} from "../../../src/upstream/haproxy-state.js";
import { haproxyUpstream } from "../../../src/upstream/haproxy.js";

const HEADER =
  "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight";

function stateOf(...servers: [name: string, adminState: number][]): string {
  const rows = servers.map(
    ([name, state], index) =>
      `3 app ${index + 1} ${name} 127.0.0.1 2 ${state} 1`,
  );
  return ["1", HEADER, ...rows, "", ""].join("\n");
}

const [zero, one, two] = [0, 1, 2].map((worker) => ({
  worker,
  host: "127.0.0.1",
  port: 3001 + worker,
})) as [Server, Server, Server];
type Server = { worker: number; host: string; port: number };

describe("the state of the servers", () => {
  it("is read by the columns' names", () => {
    expect(
      serversState(stateOf(["a", 0], ["b", 1], ["c", 8], ["d", 0x20])),
    ).toEqual([
      { name: "a", isInMaintenance: false, isDraining: false },
      { name: "b", isInMaintenance: true, isDraining: false },
      { name: "c", isInMaintenance: false, isDraining: true },
      { name: "d", isInMaintenance: true, isDraining: false },
    ]);
    expect(serversState(`1\n${HEADER}`)).toEqual([]);
  });

  it.each([
    "Can't find backend.",
    "",
    "2\n# srv_name srv_admin_state\n",
    "1\n# srv_name other\na 0",
    "1\n# srv_name srv_admin_state\na",
    "1\n# srv_name srv_admin_state\na up",
    "Permission denied\n",
  ])("is nothing else: %j", (answer) => {
    expect(serversState(answer)).toBeUndefined();
  });
});

describe("what has to be done", () => {
  const state = (name: string, isInMaintenance = false) => ({
    name,
    isInMaintenance,
    isDraining: false,
  });

  it("is nothing when HAProxy has them all", () => {
    expect(planHaproxy([state(serverName(zero))], [zero])).toEqual({
      add: [],
      ready: [],
      maintain: [],
      delete: [],
    });
  });

  it("is to add, to enable, to disable and to delete", () => {
    const plan = planHaproxy(
      [
        state(serverName(zero), true),
        state(serverName(two)),
        state("worker-7_127.0.0.1:1", true),
      ],
      [zero, one],
    );
    expect(plan).toEqual({
      add: [one],
      ready: [serverName(zero), serverName(one)],
      maintain: [serverName(two)],
      delete: [serverName(two), "worker-7_127.0.0.1:1"],
    });
  });

  it("leaves the servers of others alone", () => {
    const { maintain, delete: gone } = planHaproxy(
      [state("sorry"), state("worker-a_1"), state("my-worker-1_x")],
      [],
    );
    expect([maintain, gone]).toEqual([[], []]);
  });

  it("takes a worker with another port for another server", () => {
    const moved = { ...zero, port: 9 };
    const plan = planHaproxy([state(serverName(zero))], [moved]);
    expect(plan.add).toEqual([moved]);
    expect(plan.delete).toEqual([serverName(zero)]);
  });
});

/** Answers each command; records them. */
class FakeHaproxy {
  readonly commands: string[] = [];
  readonly socket: string;
  readonly #directory: string = mkdtempSync(path.join(tmpdir(), "pfd-"));
  readonly #server: net.Server;

  constructor(answer: (command: string) => string | undefined) {
    this.socket = path.join(this.#directory, "s");
    this.#server = net.createServer((connection) => {
      connection.setEncoding("utf8");
      connection.on("error", () => undefined);
      connection.once("data", (line: string) => {
        this.commands.push(line.trim());
        const said = answer(line.trim());
        if (said === "(cut off)") connection.end();
        else if (said !== undefined) connection.end(`${said}\n\n`);
      });
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) =>
      this.#server.listen(this.socket, resolve),
    );
    return this;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

describe("commands", () => {
  let fake: FakeHaproxy | undefined;
  let answers: Record<string, string | undefined> = {};
  beforeEach(async () => {
    answers = {};
    fake = await new FakeHaproxy((command) => {
      const known = Object.entries(answers).find(([beginning]) =>
        command.startsWith(beginning),
      );
      return known === undefined ? "" : known[1];
    }).listen();
  });
  afterEach(() => fake?.close());

  const apply = async (
    servers: readonly Server[],
    options: { parameters?: string; timeoutMs?: number } = {},
  ): Promise<void> => {
    const upstream = haproxyUpstream({
      socket: fake?.socket ?? "",
      ...options,
    });
    await upstream.apply(servers, new AbortController().signal);
  };

  it("are none but the look when all is as it should be", async () => {
    answers["show servers state"] = stateOf([serverName(zero), 0]);
    await apply([zero]);
    expect(fake?.commands).toEqual(["show servers state app"]);
  });

  it.each([
    ["Permission denied", "level admin"],
    [
      "Backend must use a dynamic load balancing to support dynamic servers.",
      "balance roundrobin",
    ],
    ["This command is restricted to experimental mode only.", "2.6"],
    ["something new", "something new"],
  ])("that are answered by %j fail", async (answer, advice) => {
    answers["show servers state"] = stateOf();
    answers["add server"] = answer;
    await expect(apply([zero])).rejects.toMatchObject({
      code: "ERR_PREFORK_UPSTREAM",
      message: expect.stringContaining(advice) as unknown,
    });
  });

  it("put those that leave into maintenance also when one can't be added", async () => {
    answers["show servers state"] = stateOf([serverName(one), 0]);
    answers["add server"] = "no";
    await expect(apply([zero])).rejects.toThrow("no");
    expect(fake?.commands).toContain(
      `set server app/${serverName(one)} state maint`,
    );
  });

  it("are confirmed by another look", async () => {
    // It says that it did, and didn't.
    answers["show servers state"] = stateOf([serverName(one), 0]);
    answers["add server"] = "New server registered.";
    await expect(apply([zero])).rejects.toThrow(
      `not ready: ${serverName(zero)}; still ready: ${serverName(one)}`,
    );
  });

  it("start the checks of a server that is added with some", async () => {
    answers["show servers state"] = stateOf();
    answers["add server"] = "New server registered.";
    await expect(apply([zero], { parameters: "check" })).rejects.toThrow();
    expect(fake?.commands.slice(1, 4)).toEqual([
      `add server app/${serverName(zero)} 127.0.0.1:3001 check`,
      `enable health app/${serverName(zero)}`,
      `set server app/${serverName(zero)} state ready`,
    ]);
  });

  it("leave a server with connections for later", async () => {
    answers["show servers state"] = stateOf([serverName(one), 1]);
    answers["del server"] =
      "Server still has connections attached to it, cannot remove it.";
    await apply([]);
    expect(fake?.commands.at(-1)).toBe(`del server app/${serverName(one)}`);
  });

  it("have failed when HAProxy goes away in the middle, though no answer is what success looks like", async () => {
    answers["show servers state"] = stateOf([serverName(zero), 1]);
    answers["set server"] = "(cut off)";
    await expect(apply([zero])).rejects.toThrow("cut off");
  });

  it("have a deadline", async () => {
    answers["show servers state"] = undefined;
    await expect(apply([zero], { timeoutMs: 50 })).rejects.toThrow(
      "within 50 ms",
    );
  });

  it("say where the socket should be when nobody listens there", async () => {
    await fake?.close();
    const gone = fake?.socket ?? "";
    fake = undefined;
    const upstream = haproxyUpstream({ socket: gone });
    await expect(
      upstream.apply([zero], new AbortController().signal),
    ).rejects.toThrow(/stats socket/);
  });

  it("are given up when a newer list waits", async () => {
    answers["show servers state"] = undefined;
    const given = new AbortController();
    const upstream = haproxyUpstream({ socket: fake?.socket ?? "" });
    const applied = upstream.apply([zero], given.signal);
    given.abort(new Error("newer"));
    await expect(applied).rejects.toThrow("newer");
  });
});
