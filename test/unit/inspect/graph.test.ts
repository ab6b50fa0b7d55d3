import { describe, expect, it } from "vitest";
import { layout } from "../../../src/inspect/layout.js";
import { LookedAt } from "./project.js";

const APP = {
  "src/a.ts": 'import "./b.js"; export {};',
  "src/b.ts": 'import "./a.js"; export {};',
  'src/late <x> & "y".ts': "export {};",
  "src/</script>.ts": "export {};",
  "src/query.sql": "",
  "src/server.ts":
    'import "./a.js"; import "./</script>.js"; void import("./late <x> & \\"y\\".js"); export {};',
};

function app(): LookedAt {
  const project = new LookedAt(APP);
  project.manifest(
    '{ name: "shop \\"1\\" </script>", entry: "src/server.ts", sources: ["src/query.sql", { file: "src/server.ts", needs: ["src/query.sql"] }] }',
  );
  return project;
}

describe("graph", () => {
  it("as Mermaid has each source, edge and cycle", async () => {
    const { code, stdout } = await app().run("graph");
    expect(code).toBe(0);
    const text = stdout.split("\n").map((line) => line.trim());
    expect(text[0]).toBe("flowchart LR");
    const idOf = (name: string): string =>
      text.find((line) => line.endsWith(`["${name}"]`))?.split("[")[0] ?? "";
    const [a, b] = [idOf("src/a.ts"), idOf("src/b.ts")];
    const [server, query] = [idOf("src/server.ts"), idOf("src/query.sql")];
    const late = idOf("src/late #60;x#62; #38; #34;y#34;.ts");
    expect(text).toContain(`${server} --> ${a}`);
    expect(text).toContain(`${a} --> ${b}`);
    expect(text).toContain(`${server} -.-> ${late}`);
    expect(text).toContain(`${server} == needs ==> ${query}`);
    expect(text).toContain(`class ${server} entry`);
    expect(text).toContain(`class ${a},${b} cycle`);
  });

  it("as DOT has its texts escaped", async () => {
    const { stdout } = await app().run("graph", "--format", "dot");
    expect(stdout).toContain('digraph "shop \\"1\\" </script>" {');
    expect(stdout).toContain('[label="src/late <x> & \\"y\\".ts"]');
    expect(stdout).toMatch(/n\d+ -> n\d+ \[style=dashed\];/);
    expect(stdout.match(/color=red/g)).toHaveLength(2);
  });

  it("as HTML is one page: its data stays data, and nothing is loaded", async () => {
    const { stdout } = await app().run("graph", "--format", "html");
    expect(stdout.match(/<script/g)).toHaveLength(2);
    expect(stdout.match(/<\/script>/g)).toHaveLength(2);
    expect(stdout).toContain('<title>shop "1" &lt;/script&gt;: 6 sources');
    expect(stdout).not.toMatch(/(?:src|href)=|https?:(?!\/\/www\.w3\.org)/);
  });

  it("goes to a file when asked", async () => {
    const project = app();
    const { code, stdout } = await project.run(
      ...["graph", "--format", "dot", "--output", "graph.dot"],
    );
    expect([code, stdout]).toEqual([0, "graph.dot: 6 sources\n"]);
    expect(project.read("graph.dot")).toContain("digraph");
    const bad = await project.run("graph", "--output", "no/such/dir.dot");
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("--output no/such/dir.dot can't be written");
  });
});

describe("the picture's layout", () => {
  it("has who imports on the left, and no two sources in one place", () => {
    const names = Array.from({ length: 200 }, (_, index) => `m${index}`);
    const all = names.map((from, index) => {
      const to = names.slice(index + 1).filter((_, other) => other % 37 === 3);
      return [from, to] as const;
    });
    const graph = new Map(
      all.map(([path, dependencies]) => [
        path,
        { path, part: "", dependencies },
      ]),
    );
    const edges = new Map(
      all.map(([from, targets]) => [
        from,
        targets.map((to) => ({
          ...{ from, to, isEager: true, where: to },
          kind: "import" as const,
        })),
      ]),
    );
    const places = layout({ edges, graph });
    const texts = [...places.values()].map(
      ({ column, row }) => `${column} ${row}`,
    );
    expect(new Set(texts).size).toBe(200);
    for (const [from, targets] of all) {
      for (const to of targets) {
        const [left, right] = [places.get(from), places.get(to)];
        expect(left?.column).toBeLessThan(right?.column ?? 0);
      }
    }
  });
});
