/** A project in a temporary directory, and the sub-commands that look at it, run in this process. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished, vi } from "vitest";
import { runProjectCommand } from "../../../src/cli/project-commands.js";
import { printed } from "../cli/printed.js";
import type { Ran } from "../cli/printed.js";

// These compile with esbuild: deadlines are for hangs, not for busy machines.
vi.setConfig({ testTimeout: 60_000 });

export class LookedAt {
  readonly root: string;

  /** @param files - texts by name; a `package.json` for ES modules is added */
  constructor(files: Readonly<Record<string, string>>) {
    const base = fs.mkdtempSync(path.join(tmpdir(), "inspect-"));
    onTestFinished(() => {
      fs.rmSync(base, { recursive: true, force: true });
    });
    this.root = path.join(fs.realpathSync(base), "app");
    this.write({ "package.json": '{ "type": "module" }', ...files });
  }

  path(name: string): string {
    return path.join(this.root, name);
  }

  read(name: string): string {
    return fs.readFileSync(this.path(name), "utf8");
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
      fs.writeFileSync(this.path(name), text);
    }
  }

  /** Writes `prefork.config.ts`. It can't import the library here, which isn't built. */
  manifest(config: string): void {
    this.write({ "prefork.config.ts": `export default ${config};\n` });
  }

  async run(...argv: string[]): Promise<Ran> {
    return await this.runIn(this.root, ...argv);
  }

  async runIn(cwd: string, ...argv: string[]): Promise<Ran> {
    return await printed((streams) =>
      runProjectCommand(argv, { cwd, ...streams }),
    );
  }

  /** What `check --json` finds: kind, and source or place. */
  async findings(): Promise<string[]> {
    const { stdout } = await this.run("check", "--json");
    const { findings } = JSON.parse(stdout) as {
      findings: { kind: string; field?: string; source?: string }[];
    };
    return findings.map(({ kind, field, source }) =>
      [kind, field, source].filter((part) => part !== undefined).join(" "),
    );
  }
}
