/** Checks the `server` of a manifest: what each option may be stands in `server-fields.ts`. Pure. */
import { isFields } from "./checker.js";
import type { Checker } from "./checker.js";
import {
  expectedOf,
  isAllowed,
  isServerField,
  serverFields,
} from "./server-fields.js";
import type { ServerConfig } from "./server-config.js";

/** Options that only a program can give, and what to do instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  mixins: "Write mixins beside entry: it's a list of the project.",
  upstreams: "Give it to createServer: it's no plain value.",
};

/**
 * Checks the options.
 *
 * @throws PreforkError ERR_PREFORK_MANIFEST - the option, the value received, what is expected
 */
export function checkServer(checker: Checker, value: unknown): ServerConfig {
  if (!isFields(value))
    return checker.fail(
      "server",
      value,
      "It must have the server's options, like { workers: 4, port: 3000 }.",
    );
  for (const [name, remedy] of Object.entries(ELSEWHERE)) {
    if (value[name] !== undefined)
      checker.refuse(`: server can't have "${name}". ${remedy}`);
  }
  checker.keys("server", value, Object.keys(serverFields));
  const given: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) {
    // A manifest may compute it.
    if (each === undefined || !isServerField(name)) continue;
    const field = serverFields[name];
    if (!isAllowed(field, each))
      checker.fail(`server.${name}`, each, expectedOf(field));
    given[name] = each;
  }
  // Each was checked by the field of its name.
  return given;
}
