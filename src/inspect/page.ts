/**
 * The graph as one HTML page that needs nothing else: no network, no file beside it. What is in it stands in a JSON island,
 * and `page-script.ts` shows it; names of files never become markup.
 */
import { importCycles } from "../graph/index.js";
import { relativeTo } from "../manifest/messages.js";
import { layout } from "./layout.js";
import { pageScript } from "./page-script.js";
import { pageStyle } from "./page-style.js";
import type { ProjectModel } from "./types.js";

/** What the page's script gets: sources are their indexes in `names`. */
interface PageData {
  /** In load order. */
  readonly names: readonly string[];
  readonly places: readonly (readonly [column: number, row: number])[];
  readonly edges: readonly (readonly [
    from: number,
    to: number,
    kind: string,
    where: string,
  ])[];
  readonly entry: number;
  readonly cycles: readonly (readonly number[])[];
}

/** The page. */
export function page(model: ProjectModel): string {
  const title = text(`${model.name}: ${model.edges.size} sources`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${pageStyle}</style>
</head>
<body>
<nav>
<header>
<h1>${title}</h1>
<input id="search" type="search" placeholder="Search" aria-label="Search sources" autocomplete="off">
<p id="count" role="status"></p>
</header>
<ol id="list"></ol>
</nav>
<main>
<svg id="picture" role="img" aria-label="The sources, and arrows to what they import"></svg>
<p id="legend"><span class="entry">entry</span> <span class="cycle">in a cycle</span> <span class="closure">reloaded by a change of the selected source</span> <span class="way">its path to the entry</span></p>
</main>
<aside id="details" aria-live="polite"><p>Click a source to see what a change of it reloads, and how it reaches the entry. Drag the picture to move it, turn the wheel to zoom.</p></aside>
<script type="application/json" id="data">${island(dataOf(model))}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

function dataOf(model: ProjectModel): PageData {
  const { edges, loadGraph, root, entry } = model;
  const paths = [...edges.keys()];
  const numbers = new Map(paths.map((path, index) => [path, index]));
  const numberOf = (path: string): number => numbers.get(path) ?? 0;
  const places = layout(model);
  return {
    names: paths.map((path) => relativeTo(root, path)),
    places: paths.map((path) => {
      const { column, row } = places.get(path) ?? { column: 0, row: 0 };
      return [column, row];
    }),
    edges: [...edges.values()].flat().map(({ from, to, kind, where }) => {
      return [numberOf(from), numberOf(to), kind, where];
    }),
    entry: numberOf(entry),
    cycles: importCycles(loadGraph).map((members) => members.map(numberOf)),
  };
}

/** JSON within a script element: `</script` and `<!--` would end or change it. */
function island(value: PageData): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function text(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
