import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runSubCommand } from "../../../src/cli/sub-commands.js";
import { controlSocketPath } from "../../../src/control/control-path.js";
import { openControlSocket } from "../../../src/control/control-server.js";
import type { ControlHandlers } from "../../../src/control/types.js";
import { PreforkError } from "../../../src/errors.js";
import { fakeHandlers, temporaryDirectory } from "../control/harness.js";
import { printed } from "./printed.js";
import type { Ran } from "./printed.js";

/** A package with two programs, and a place for the sockets of its servers. */
class Project {
  readonly root: string;

  constructor() {
    const directory = temporaryDirectory();
    vi.stubEnv("XDG_RUNTIME_DIR", directory);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    this.root = path.join(directory, "app");
    fs.mkdirSync(path.join(this.root, "src"), { recursive: true });
    this.write("package.json", "{}");
    this.write("src/server.ts", "");
    this.write("src/other.ts", "");
  }

  write(file: string, text: string): void {
    fs.writeFileSync(path.join(this.root, file), text);
  }

  async serve(
    target: string,
    handlers: Partial<ControlHandlers> = {},
  ): Promise<void> {
    const file = path.join(this.root, target);
    const control = await openControlSocket({
      path: controlSocketPath(this.root, file),
      handlers: fakeHandlers({
        status: () => ({ pid: 77, target: file, name: target }),
        ...handlers,
      }),
      onError: () => undefined,
    });
    onTestFinished(() => control.close());
  }

  async run(argv: readonly string[], cwd: string = this.root): Promise<Ran> {
    return await printed((streams) => runSubCommand(argv, { cwd, ...streams }));
  }
}

describe("which server is meant", () => {
  it("is none: that's said, with how to start one", async () => {
    const { code, stdout, stderr } = await new Project().run(["status"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain('Start one with "prefork-dev [target]"');
    const json = await new Project().run(["stop", "--json"]);
    expect([json.code, json.stderr]).toEqual([1, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: "ERR_PREFORK_NO_MASTER" },
    });
  });

  it("is the only one of the directory's package, from anywhere in it", async () => {
    const project = new Project();
    await project.serve("src/server.ts");
    for (const cwd of [project.root, path.join(project.root, "src")]) {
      const { code, stdout } = await project.run(["status"], cwd);
      expect(code).toBe(0);
      expect(stdout).toContain("src/server.ts  pid 77");
    }
  });

  it("is the one that's named, if there are several", async () => {
    const project = new Project();
    await project.serve("src/server.ts");
    await project.serve("src/other.ts");
    const several = await project.run(["reload"]);
    expect(several.code).toBe(2);
    expect(several.stderr).toContain("src/other.ts (pid 77)");
    expect(several.stderr).toContain("src/server.ts (pid 77)");
    const named = await project.run(["status", "--project", "src/other.ts"]);
    expect(named.stdout).toContain("src/other.ts  pid 77");
    const none = await project.run(["status", "--project", "src/none.ts"]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("doesn't exist");
  });

  it("is the manifest's, which may be broken by now", async () => {
    const project = new Project();
    project.write("prefork.config.ts", "this is no TypeScript");
    await project.serve("src/server.ts");
    const other = await project.run(["status"]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("src/server.ts (pid 77)");
    await project.serve("prefork.config.ts");
    const { code, stdout } = await project.run(["status"]);
    expect(code).toBe(0);
    expect(stdout).toContain("prefork.config.ts  pid 77");
  });
});

describe("status", () => {
  it("as JSON is the answer, indented", async () => {
    const project = new Project();
    const status = { pid: 1, workers: [{ index: 0 }] };
    await project.serve("src/server.ts", { status: () => status });
    const { code, stdout } = await project.run(["status", "--json"]);
    expect(code).toBe(0);
    expect(stdout).toBe(`${JSON.stringify(status, null, 2)}\n`);
  });
});

describe("reload", () => {
  it("that was done exits with 0", async () => {
    const project = new Project();
    const outcome = {
      ok: true,
      kind: "done",
      generation: 8,
      compileMs: 3,
      firstMs: 20,
      allMs: 1_500,
    };
    await project.serve("src/server.ts", {
      reload: () => Promise.resolve(outcome),
    });
    const { code, stdout } = await project.run(["reload"]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      "✓ reloaded: generation 8, compiled 3 ms, first worker 20 ms, all 1.5 s\n",
    );
    const json = await project.run(["reload", "--json"]);
    expect(json.stdout).toBe(`${JSON.stringify(outcome)}\n`);
  });

  it("that failed exits with 1, and says why and where", async () => {
    const project = new Project();
    await project.serve("src/server.ts", {
      reload: () =>
        Promise.resolve({
          ok: false,
          kind: "failed",
          phase: "compile",
          serving: 7,
          diagnostics: [
            {
              message: "Unexpected end",
              file: path.join(project.root, "src/server.ts"),
              line: 3,
              column: 9,
              frame: "> 3 | let a =\n    |         ^",
            },
          ],
        }),
    });
    const { code, stdout, stderr } = await project.run(["reload"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("Compile error — generation 7 serves on");
    expect(stderr).toContain("Unexpected end");
    expect(stderr).toContain("src/server.ts:3:9");
    expect(stderr).toContain("> 3 | let a =");
    expect((await project.run(["reload", "--json"])).code).toBe(1);
  });
});

describe("scale", () => {
  it.each([
    ["6", { workers: 6 }],
    ["+2", { by: 2 }],
    ["-1", { by: -1 }],
    ["-12", { by: -12 }],
  ])("%s asks for that", async (text, request) => {
    const project = new Project();
    const seen: unknown[] = [];
    await project.serve("src/server.ts", {
      scale: (asked) => {
        seen.push(asked);
        return Promise.resolve({ kind: "done", workers: 3 });
      },
    });
    const { code, stdout } = await project.run(["scale", text]);
    expect([code, stdout, seen]).toEqual([0, "✓ 3 workers\n", [request]]);
  });

  it("that wasn't done exits with 1", async () => {
    const project = new Project();
    await project.serve("src/server.ts", {
      scale: () =>
        Promise.resolve({
          kind: "failed",
          workers: 3,
          diagnostic: { message: "boom" },
        }),
    });
    const { code, stderr } = await project.run(["scale", "3"]);
    expect(code).toBe(1);
    expect(stderr).toContain("boom");
  });

  it("that the server refuses exits with 1", async () => {
    const project = new Project();
    await project.serve("src/server.ts", {
      scale: () =>
        Promise.reject(new PreforkError("ERR_PREFORK_PORT", "port 3005")),
    });
    const { code, stderr } = await project.run(["scale", "3"]);
    expect([code, stderr]).toEqual([1, "port 3005\n"]);
  });
});

describe("send", () => {
  it("takes arguments as JSON, and else as texts", async () => {
    const project = new Project();
    const seen: unknown[] = [];
    await project.serve("src/server.ts", {
      command: (asked) => {
        seen.push(asked);
        return Promise.resolve([]);
      },
    });
    const args = ["1", "users", '{"a":[true]}', '"1"', "-5", "a b"];
    await project.run(["send", "heap", ...args, "--worker", "1"]);
    await project.run(["send", "heap", "--", "--worker", "1"]);
    expect(seen).toEqual([
      {
        name: "heap",
        args: [1, "users", { a: [true] }, "1", -5, "a b"],
        worker: 1,
      },
      { name: "heap", args: ["--worker", 1] },
    ]);
  });

  it("exits with 1 if it failed in one worker", async () => {
    const project = new Project();
    await project.serve("src/server.ts", {
      command: () =>
        Promise.resolve([
          { worker: 0, pid: 5, value: { used: 1 } },
          { worker: 1, pid: 6, error: { code: "x", message: "it threw" } },
        ]),
    });
    const { code, stderr } = await project.run(["send", "heap"]);
    expect(code).toBe(1);
    expect(stderr).toContain('worker 0 (pid 5): {\n  "used": 1\n}');
    expect(stderr).toContain("worker 1 (pid 6): ✗ it threw");
  });
});

describe("stop", () => {
  it("exits with 0 when everything is stopped", async () => {
    const project = new Project();
    await project.serve("src/server.ts");
    const stopped = await project.run(["stop"]);
    expect([stopped.code, stopped.stdout]).toEqual([0, "stopped\n"]);
    expect((await project.run(["stop"])).code).toBe(1);
  });
});

describe("the command line", () => {
  it.each([
    [["scale"], "missing required argument"],
    [["scale", "0"], "from 1 to 1024"],
    [["scale", "many"], "from 1 to 1024"],
    [["scale", "9999"], "from 1 to 1024"],
    [["send"], "missing required argument"],
    [["send", "heap", "--worker", "x"], "a worker's index"],
    [["status", "--nonsense"], "unknown option"],
    [["status", "extra"], "too many arguments"],
  ])("%j is wrong usage", async (argv, message) => {
    const { code, stdout, stderr } = await new Project().run(argv);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  it("has help", async () => {
    const { code, stdout } = await new Project().run(["scale", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: prefork-dev scale");
  });

  it.each([[], ["src/server.ts"], ["--help"], ["constructor"]])(
    "%j is none of these sub-commands",
    async (...argv) => {
      expect((await new Project().run(argv)).code).toBeUndefined();
    },
  );
});
