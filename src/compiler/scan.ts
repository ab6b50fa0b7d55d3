import { parse } from "es-module-lexer";
import type { DynamicImport, Import, StaticImport } from "es-module-lexer";
import { leadingRequires } from "./leading-requires.js";
import { STRING_LITERAL, unquote } from "./literal.js";
import type {
  ImportRequest,
  LinkableCode,
  ModuleFormat,
  Place,
} from "./record.js";

const IMPORT_HOOK = `globalThis[Symbol.for("prefork-dev.import")]`;

// A computed import of JSON may carry attributes, but its compiled file is a CommonJS module. `import()` is
// no function, hence the arrow.
const IMPORT_WITH_OPTIONS = `((s,o)=>/\\.json\\.[0-9a-f]{16}\\.cjs$/.test(s)?import(s):import(s,o))`;

// esbuild prints calls without spaces. Not `x.require()`,
// but `...require()`.
const REQUIRE = new RegExp(
  String.raw`(?<![\w$]|(?<!\.\.)\.)require(?:\.resolve)?\((?<literal>${STRING_LITERAL})\)`,
  "g",
);

/** A source that names this must not be evaluated before its process belongs to a worker. */
const WORKER_VARIABLES = "PREFORK_WORKER";

// What esbuild makes of static imports: these run before anything could catch their failure.
const GENERATED_IMPORT =
  /(?:^|\n)(?:var [\w$]+ = (?:__toESM\()?|__reExport\([\w$]+, )$/;

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** How many characters of the code it takes the place of. */
  readonly removes?: number;
}

interface Found {
  readonly specifier: string;
  readonly kind: ImportRequest["kind"];
  readonly isStatic: boolean;
  readonly place?: Omit<Place, "request">;
}

/**
 * Finds what compiled code imports, and makes computed `import()` calls ask at run time.
 *
 * @param code - esbuild's output
 * @param path - absolute path of the original
 */
export function scan(
  code: string,
  format: ModuleFormat,
  path: string,
): LinkableCode {
  const [lexed] = parse(code);
  const edits: Insertion[] = [];
  const found: Found[] = [];
  const meta = new Set<LinkableCode["meta"][number]>();
  for (const item of lexed) {
    if (item.type === "import-meta") addMeta(code, item, meta);
    else if (item.type === "dynamic") addDynamic(item, path, found, edits);
    else found.push(staticImport(item));
  }
  if (format === "cjs") found.push(...requires(code));
  // A hashbang is only one in line 1; the empty line keeps the map right.
  const hashbang = /^#!.*/.exec(code)?.[0] ?? "";
  if (hashbang !== "")
    edits.push({ at: 0, text: "", removes: hashbang.length });
  edits.sort((a, b) => a.at - b.at);

  const { imports, places } = collect(found);
  const body = code.slice(hashbang.length).trimStart();
  return {
    format,
    imports,
    before: format === "cjs" ? leading(code, imports) : statics(imports),
    isWorkerSpecific: code.includes(WORKER_VARIABLES),
    code: apply(code, edits),
    places: places.map((place) => shift(place, edits)),
    meta: [...meta],
    // A directive must come first, which the prologue now does; ES module syntax is strict without one.
    strict:
      format === "cjs" &&
      /^(?:"use strict"|'use strict'|var __(?:create|defProp) = Object\.)/.test(
        body,
      ),
    requires: format === "cjs",
  };
}

function staticImport(item: StaticImport): Found {
  return {
    specifier: item.specifier,
    kind: "import",
    isStatic: true,
    place: {
      start: item.start - 1,
      end: item.end + 1,
      attributesEnd: Math.max(item.importEnd, item.end + 1),
      form: "static",
    },
  };
}

function addDynamic(
  item: DynamicImport,
  path: string,
  found: Found[],
  edits: Insertion[],
): void {
  // `import.source()` and `import.defer()` aren't in a Node that is supported.
  if (item.phase !== null) return;
  const { start, end, importEnd, importStart, dynamicStart } = item;
  if (item.specifier !== undefined && !item.glob) {
    const place = { start, end, attributesEnd: importEnd - 1 };
    found.push({
      specifier: item.specifier,
      kind: "import",
      isStatic: false,
      place: { ...place, form: "dynamic" },
    });
    return;
  }
  if (item.attributesStart !== -1) {
    const removes = dynamicStart - importStart;
    edits.push({ at: importStart, text: IMPORT_WITH_OPTIONS, removes });
  }
  edits.push({ at: dynamicStart + 1, text: `${IMPORT_HOOK}(` });
  edits.push({ at: end, text: `, ${JSON.stringify(path)})` });
}

function addMeta(
  code: string,
  item: Import,
  meta: Set<LinkableCode["meta"][number]>,
): void {
  const property = /^\.([\w$]+)/.exec(code.slice(item.end, item.end + 20))?.[1];
  if (property === "resolve" || property === "main") {
    meta.add(property);
  } else if (
    property === undefined ||
    ["url", "dirname", "filename"].includes(property)
  ) {
    // Used as an object, or assigned to: all of it must be right.
    meta.add("resolve").add("main").add("location");
  }
}

function requires(code: string): Found[] {
  const found: Found[] = [];
  for (const match of code.matchAll(REQUIRE)) {
    const literal = match.groups?.["literal"] ?? "";
    const specifier = unquote(literal);
    if (specifier === undefined) continue;
    const before = code.slice(Math.max(0, match.index - 80), match.index);
    const isStatic = GENERATED_IMPORT.test(before);
    const isReexport = /(?:\.\.\.|module\.exports = )$/.test(before);
    const end = match.index + match[0].length - 1;
    const start = end - literal.length;
    found.push({
      specifier,
      kind: "require",
      isStatic,
      ...(isReexport && {
        place: { start, end, attributesEnd: end, form: "reexport" },
      }),
    });
  }
  return found;
}

/** A module's static imports are all evaluated before it. */
function statics(imports: readonly ImportRequest[]): number[] {
  return imports.flatMap(({ isStatic }, index) => (isStatic ? [index] : []));
}

function leading(code: string, imports: readonly ImportRequest[]): number[] {
  const requests = new Map<string, number>();
  imports.forEach(({ kind, specifier }, index) => {
    if (kind === "require") requests.set(specifier, index);
  });
  const indexes = leadingRequires(code).specifiers.flatMap(
    (specifier) => requests.get(specifier) ?? [],
  );
  return [...new Set(indexes)];
}

function collect(found: readonly Found[]): {
  imports: ImportRequest[];
  places: Place[];
} {
  const ordered = [
    ...found.filter((item) => item.isStatic),
    ...found.filter((item) => !item.isStatic),
  ];
  const imports: ImportRequest[] = [];
  const indexes = new Map<string, number>();
  const places: Place[] = [];
  for (const { specifier, kind, isStatic, place } of ordered) {
    const name = `${kind} ${specifier}`;
    let request = indexes.get(name);
    if (request === undefined) {
      request = imports.push({ specifier, kind, isStatic }) - 1;
      indexes.set(name, request);
    }
    if (place !== undefined) places.push({ request, ...place });
  }
  places.sort((a, b) => a.start - b.start);
  return { imports, places };
}

function apply(code: string, edits: readonly Insertion[]): string {
  let text = "";
  let position = 0;
  for (const { at, text: insertion, removes = 0 } of edits) {
    text += code.slice(position, at) + insertion;
    position = at + removes;
  }
  return text + code.slice(position);
}

function shift(place: Place, edits: readonly Insertion[]): Place {
  if (edits.length === 0) return place;
  let by = 0;
  for (const { at, text, removes = 0 } of edits) {
    if (at > place.start) break;
    by += text.length - removes;
  }
  return {
    ...place,
    start: place.start + by,
    end: place.end + by,
    attributesEnd: place.attributesEnd + by,
  };
}
