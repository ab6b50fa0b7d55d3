import fs from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { controlSocketPath } from "../../../src/control/control-path.js";
import type { Surroundings } from "../../../src/control/control-path.js";
import { openControlSocket } from "../../../src/control/control-server.js";
import { findControlSocket } from "../../../src/control/find-control-socket.js";
import type { ControlHandlers } from "../../../src/control/types.js";
import { failure, fakeHandlers, temporaryDirectory } from "./harness.js";

describe("finding the socket of a project", () => {
  async function run(
    place: Surroundings,
    root: string,
    target: string,
    status: ControlHandlers["status"] = () => ({ pid: 77, target }),
  ): Promise<string> {
    const control = await openControlSocket({
      path: controlSocketPath(root, target, place),
      handlers: fakeHandlers({ status }),
      onError: () => undefined,
    });
    onTestFinished(() => control.close());
    return control.path;
  }

  /** A runtime directory of its own; nobody else's servers have these roots. */
  function ownPlace(): { place: Surroundings; root: string } {
    const directory = temporaryDirectory();
    fs.mkdirSync(path.join(directory, "prefork-dev"), { mode: 0o700 });
    return {
      root: path.join(directory, "project"),
      place: {
        env: { XDG_RUNTIME_DIR: directory },
        temporary: directory,
        uid: process.getuid?.(),
      },
    };
  }

  it("gives the one of the target, or the only one of the root", async () => {
    const { place, root } = ownPlace();
    const [a, b] = [path.join(root, "a.ts"), path.join(root, "b.ts")];
    expect((await failure(findControlSocket(root, a, place)))[0]).toBe(
      "ERR_PREFORK_NO_MASTER",
    );
    const first = await run(place, root, a);
    await run(place, `${root}2`, a);
    expect(await findControlSocket(root, a, place)).toBe(first);
    expect(await findControlSocket(root, undefined, place)).toBe(first);
    const [code, message] = await failure(findControlSocket(root, b, place));
    expect(code).toBe("ERR_PREFORK_NO_MASTER");
    expect(message).toContain(`No server runs for ${b}`);
    expect(message).toContain(`${a} (pid 77)`);
    await run(place, root, b, () => {
      throw new Error("no status");
    });
    const several = await failure(findControlSocket(root, undefined, place));
    expect(several[0]).toBe("ERR_PREFORK_USAGE");
    expect(several[1]).toContain(`${a} (pid 77)`);
    expect(several[1]).toContain("doesn't answer");
    expect(several[1]).toContain("--project");
    expect(await findControlSocket(root, a, place)).toBe(first);
  });

  it("gives the one of a manifest with several projects, if none was chosen and but one runs", async () => {
    const { place, root } = ownPlace();
    const manifest = path.join(root, "prefork.config.ts");
    const [shop, admin] = [`${manifest}#shop`, `${manifest}#admin`];
    await run(place, root, path.join(root, "other.ts"));
    expect((await failure(findControlSocket(root, manifest, place)))[0]).toBe(
      "ERR_PREFORK_NO_MASTER",
    );
    const first = await run(place, root, shop);
    expect(await findControlSocket(root, manifest, place)).toBe(first);
    expect((await failure(findControlSocket(root, admin, place)))[0]).toBe(
      "ERR_PREFORK_NO_MASTER",
    );
    const second = await run(place, root, admin);
    const [code, message] = await failure(
      findControlSocket(root, manifest, place),
    );
    expect(code).toBe("ERR_PREFORK_USAGE");
    for (const target of [shop, admin])
      expect(message).toContain(`${target} (pid 77)`);
    expect(message).not.toContain("other.ts");
    expect(message).toMatch(/"--project .*prefork\.config\.ts#(?:shop|admin)"/);
    expect(await findControlSocket(root, admin, place)).toBe(second);
  });

  it("passes over what nobody listens on, and leaves it there", async () => {
    const { place, root } = ownPlace();
    const file = controlSocketPath(root, "x", place);
    fs.writeFileSync(file, "");
    expect((await failure(findControlSocket(root, "x", place)))[0]).toBe(
      "ERR_PREFORK_NO_MASTER",
    );
    expect(fs.existsSync(file)).toBe(true);
  });

  it("doesn't look into a directory that anybody may have made", async () => {
    const { place, root } = ownPlace();
    await run(place, root, "x");
    const directory = place.temporary;
    const other = path.join(directory, "other");
    fs.mkdirSync(other);
    fs.symlinkSync(
      path.join(directory, "prefork-dev"),
      path.join(other, "prefork-dev"),
    );
    const elsewhere = {
      ...place,
      env: { XDG_RUNTIME_DIR: other },
      temporary: other,
    };
    expect((await failure(findControlSocket(root, "x", elsewhere)))[0]).toBe(
      "ERR_PREFORK_NO_MASTER",
    );
  });
});
