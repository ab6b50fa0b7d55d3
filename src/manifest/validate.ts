/** Checks that what a manifest exports has the shape of a `ProjectConfig`, or is a list of such. Pure; errors name the field. */
import { Checker, isFields } from "./checker.js";
import type { Fields } from "./checker.js";
import { checkRun } from "./check-run.js";
import { checkServer } from "./check-server.js";
import type { ProjectConfig, SourceEntry } from "./types.js";

/** The keys of a project. `$schema` is for editors, in a manifest that is JSON. */
export const projectKeys: readonly string[] = [
  ...["name", "entry", "sources", "changes", "preload", "mixins", "server"],
  "$schema",
];
const OPTIONS = ["needs", "standby", "reload"];
/** The keys of an entry for a file or a glob. */
export const fileKeys: readonly string[] = ["file", ...OPTIONS, "run"];
/** The keys of an entry for a directory. */
export const directoryKeys: readonly string[] = [
  ...["directory", "sources"],
  ...OPTIONS,
];

/** Names as the npm registry has them, the old ones with capital letters included. */
const PACKAGE_NAME = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;

const CODE = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const START = "export default defineProject({ entry: … })";
const ENTRY_EXPECTED =
  "It must be a path, a glob, { file, needs?, standby?, reload?, run? } or { directory, sources, needs?, standby?, reload? }.";
const MIXIN_EXPECTED =
  "It must be the path of a TypeScript or JavaScript file, relative to the manifest; globs aren't allowed, since the order counts.";

/** What each switch of a source says when it's off. */
const SWITCHES = {
  standby: "standbys never evaluate this ahead",
  reload: "a change of this reloads nothing",
} as const;

type Options = Pick<
  Exclude<SourceEntry, string>,
  "needs" | "standby" | "reload"
>;

function optionsOf(checker: Checker, field: string, value: Fields): Options {
  const isOff = (name: keyof typeof SWITCHES): boolean => {
    const given = value[name];
    // A manifest may compute it, so `true` says what leaving it out says.
    if (given === undefined || given === true) return false;
    if (given === false) return true;
    return checker.fail(
      `${field}.${name}`,
      given,
      `It must be false (${SWITCHES[name]}), or left out.`,
    );
  };
  return {
    ...(value["needs"] !== undefined && {
      needs: checker.paths(`${field}.needs`, value["needs"]),
    }),
    ...(isOff("standby") && { standby: false as const }),
    ...(isOff("reload") && { reload: false as const }),
  };
}

function sourcesOf(
  checker: Checker,
  field: string,
  value: unknown,
): readonly SourceEntry[] {
  return checker.list(
    field,
    value,
    'It must be a list of sources, like ["src/models/*.ts", "src/server.ts"].',
    (at, each) => entryOf(checker, at, each),
  );
}

function entryOf(checker: Checker, field: string, value: unknown): SourceEntry {
  if (typeof value === "string")
    return checker.text(field, value, ENTRY_EXPECTED);
  if (!isFields(value)) return checker.fail(field, value, ENTRY_EXPECTED);
  if (value["file"] !== undefined) {
    checker.keys(field, value, fileKeys);
    const file = checker.text(
      `${field}.file`,
      value["file"],
      "It must be a path or a glob.",
    );
    const { run } = value;
    return {
      file,
      ...optionsOf(checker, field, value),
      ...(run !== undefined && { run: checkRun(checker, `${field}.run`, run) }),
    };
  }
  if (value["directory"] === undefined) {
    checker.keys(field, value, [...directoryKeys, "file"]);
    return checker.fail(field, value, ENTRY_EXPECTED);
  }
  if (value["run"] !== undefined)
    checker.refuse(
      `: ${field}.run can't stand at a directory. Give it to a file or a glob, like { file: "*.graphql", run: … }, in its sources.`,
    );
  checker.keys(field, value, directoryKeys);
  return {
    directory: checker.text(
      `${field}.directory`,
      value["directory"],
      "It must be the path of a directory.",
    ),
    sources: sourcesOf(checker, `${field}.sources`, value["sources"]),
    ...optionsOf(checker, field, value),
  };
}

function changesOf(
  checker: Checker,
  value: unknown,
): Readonly<Record<string, readonly string[]>> {
  if (!isFields(value))
    return checker.fail(
      "changes",
      value,
      'It must say which sources are reloaded after which, like { "a.ts": ["b.ts", "c.ts"] }.',
    );
  return Object.fromEntries(
    Object.entries(value).map(([key, needers]) => [
      key,
      checker.paths(`changes[${JSON.stringify(key)}]`, needers),
    ]),
  );
}

function packagesOf(checker: Checker, value: unknown): readonly string[] {
  return checker.list(
    "preload",
    value,
    'It must be a list of packages\' names, like ["express", "@fastify/cors"].',
    (at, each) => {
      if (
        typeof each === "string" &&
        PACKAGE_NAME.test(each) &&
        // Allowed by the pattern, but never a package.
        each !== "node_modules"
      )
        return each;
      return checker.fail(
        at,
        each,
        'It must be the name of a package, like "express" or "@fastify/cors": no path, no glob, no version.',
      );
    },
  );
}

function mixinsOf(checker: Checker, value: unknown): readonly string[] {
  return checker.list(
    "mixins",
    value,
    'It must be a list of modules of mixins, like ["./mixins/heap.ts"].',
    (at, each) => {
      const file = checker.text(at, each, MIXIN_EXPECTED);
      return CODE.test(file) ? file : checker.fail(at, file, MIXIN_EXPECTED);
    },
  );
}

function projectOf(
  checker: Checker,
  value: unknown,
  what: string,
): ProjectConfig {
  if (!isFields(value))
    return checker.fail(what, value, `It must be a project: ${START}`);
  checker.keys("the project", value, projectKeys);
  const { name, sources, changes, preload, mixins, server } = value;
  return {
    entry: checker.text(
      "entry",
      value["entry"],
      'It must be the path of the program, relative to the manifest, like "src/server.ts".',
    ),
    ...(name !== undefined && {
      name: checker.text("name", name, "It must be a text, or left out."),
    }),
    ...(sources !== undefined && {
      sources: sourcesOf(checker, "sources", sources),
    }),
    ...(changes !== undefined && { changes: changesOf(checker, changes) }),
    ...(preload !== undefined && { preload: packagesOf(checker, preload) }),
    ...(mixins !== undefined && { mixins: mixinsOf(checker, mixins) }),
    ...(server !== undefined && { server: checkServer(checker, server) }),
  };
}

/**
 * A project, as a `ProjectConfig`.
 *
 * @param value - the default export
 * @param manifest - the manifest's name in messages
 * @throws PreforkError ERR_PREFORK_MANIFEST - the field, the value received, what is expected
 */
export function parseConfig(value: unknown, manifest: string): ProjectConfig {
  const checker = new Checker(manifest);
  if (value === undefined)
    checker.refuse(` has no default export. Start it with: ${START}`);
  return projectOf(checker, value, "the default export");
}

/** A project of a list has a name. */
type NamedConfig = ProjectConfig & { readonly name: string };

/** What a project of a list is called in messages. */
export function labelOf(manifest: string, name: string): string {
  return `${manifest}, project "${name}"`;
}

/**
 * The projects of a list.
 *
 * @param values - the default export
 * @param manifest - the manifest's name in messages
 * @throws PreforkError ERR_PREFORK_MANIFEST - as `parseConfig`; the list is empty; a name is missing, or there twice
 */
export function parseConfigs(
  values: readonly unknown[],
  manifest: string,
): readonly NamedConfig[] {
  const whole = new Checker(manifest);
  if (values.length === 0)
    whole.fail("the default export", values, "List at least one project.");
  const places = new Map<string, number>();
  return values.map((value, index) => {
    const what = `the default export[${index}]`;
    if (!isFields(value))
      return whole.fail(what, value, `It must be a project: ${START}`);
    const name = whole.text(
      `${what}.name`,
      value["name"],
      "Where there are several projects, each must have a name of its own.",
    );
    const other = places.get(name);
    if (other !== undefined)
      whole.fail(
        `${what}.name`,
        name,
        `That's the name of the default export[${other}] already: give it another.`,
      );
    places.set(name, index);
    const checker = new Checker(labelOf(manifest, name));
    return { ...projectOf(checker, value, what), name };
  });
}
