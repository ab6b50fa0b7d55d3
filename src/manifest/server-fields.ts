/**
 * What each of the server's options may be. The one place that says so: the manifest's check (`check-server.ts`), the
 * library's (`server-options.ts`), and the tests of the JSON Schema and of docs/manifest.md read it. Pure.
 */
import type { ServerConfig } from "./server-config.js";

/** What a value may be. */
export type ServerField =
  | { readonly kind: "integer"; readonly least: number; readonly most: number }
  | { readonly kind: "boolean" }
  | { readonly kind: "text" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  /** A path, or one of these. */
  | { readonly kind: "path"; readonly or: readonly boolean[] }
  | { readonly kind: "texts" }
  /** A list of host names, or `true`. */
  | { readonly kind: "hosts" }
  | { readonly kind: "variables" };

/** The most that a timer of Node takes: longer ones would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** A name without scheme, port or path, perhaps with a dot in front of it, or an address. */
export const HOST_NAME: RegExp =
  /^(?:\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])$/;

const port: ServerField = { kind: "integer", least: 0, most: 65_535 };
const milliseconds: ServerField = {
  kind: "integer",
  least: 0,
  most: LONGEST_MS,
};
const path: ServerField = { kind: "path", or: [] };

/** By option, in the order in which messages list them. */
export const serverFields: {
  readonly [Name in keyof ServerConfig]-?: ServerField;
} = {
  port,
  host: { kind: "text" },
  front: { kind: "boolean" },
  workers: { kind: "integer", least: 1, most: 1024 },
  standbys: { kind: "integer", least: 0, most: 1024 },
  workerPort: port,
  consistency: { kind: "choice", values: ["fresh", "available"] },
  envFile: { kind: "path", or: [false] },
  env: { kind: "variables" },
  args: { kind: "texts" },
  cwd: path,
  output: path,
  pidFile: path,
  control: { kind: "path", or: [true, false] },
  bootTimeoutMs: milliseconds,
  drainTimeoutMs: milliseconds,
  stopTimeoutMs: milliseconds,
  hangTimeoutMs: milliseconds,
  replaceHung: { kind: "boolean" },
  slowStartMs: milliseconds,
  hookTimeoutMs: milliseconds,
  commandTimeoutMs: milliseconds,
  lingerMs: milliseconds,
  headersTimeoutMs: milliseconds,
  bodyTimeoutMs: milliseconds,
  keepAliveTimeoutMs: milliseconds,
  maxHeaderBytes: { kind: "integer", least: 1024, most: 1_048_576 },
  maxHeaders: { kind: "integer", least: 1, most: 100_000 },
  trustProxy: { kind: "choice", values: ["loopback", "all", "none"] },
  allowedHosts: { kind: "hosts" },
  https: { kind: "boolean" },
  cert: path,
  key: path,
  passphrase: { kind: "text" },
  holdTimeoutMs: milliseconds,
  freshTimeoutMs: milliseconds,
  concurrency: { kind: "integer", least: 0, most: 65_536 },
  maxHeld: { kind: "integer", least: 0, most: 65_536 },
  endStreams: { kind: "boolean" },
  maxDraining: { kind: "integer", least: 0, most: 1024 },
};

/** Is it the name of an option that a manifest may give? */
export function isServerField(name: string): name is keyof ServerConfig {
  return Object.hasOwn(serverFields, name);
}

/** What a value of a field must be, as a message says it. */
export function expectedOf(field: ServerField): string {
  switch (field.kind) {
    case "integer":
      return `It must be a whole number from ${field.least} to ${field.most}.`;
    case "boolean":
      return "It must be true or false.";
    case "text":
      return "It must be a text.";
    case "choice":
      return `It must be ${field.values.map((value) => `"${value}"`).join(" or ")}.`;
    case "path":
      return `It must be ${["a path, relative to the manifest", ...field.or.map(String)].join(", or ")}.`;
    case "texts":
      return 'It must be a list of texts, like ["--verbose"].';
    case "hosts":
      return 'It must be a list of host names without scheme and port, like ["app.test", ".example.test"], or true.';
    case "variables":
      return 'It must be variables with their texts, like { LOG_LEVEL: "debug" }.';
  }
}

/** Whether a field can have this value. */
export function isAllowed(field: ServerField, value: unknown): boolean {
  switch (field.kind) {
    case "integer":
      return (
        Number.isInteger(value) &&
        (value as number) >= field.least &&
        (value as number) <= field.most
      );
    case "boolean":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string" && value.trim() !== "";
    case "choice":
      return field.values.some((each) => each === value);
    case "path":
      return typeof value === "string"
        ? value.trim() !== ""
        : field.or.some((each) => each === value);
    case "texts":
      return (
        Array.isArray(value) && value.every((each) => typeof each === "string")
      );
    case "hosts":
      return (
        value === true ||
        (Array.isArray(value) &&
          value.every(
            (each) => typeof each === "string" && HOST_NAME.test(each),
          ))
      );
    case "variables":
      return (
        typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every(
          (each) => typeof each === "string" || each === undefined,
        )
      );
  }
}
