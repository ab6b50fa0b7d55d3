/** What a command's name means to a worker's instance, and how it's run. */
import type { Worker } from "./worker.js";

type Method = (...args: unknown[]) => unknown;

const NAME = /^[a-z][A-Za-z0-9]*$/;
const METHOD = /^child([A-Z][A-Za-z0-9]*)$/;

/** Their hooks have times of their own: `onStart` must not run a second time because somebody sends `start`. */
const NO_COMMANDS: ReadonlySet<string> = new Set([
  "register",
  "unregister",
  "start",
]);

/** Nobody has such a command. */
export class UnknownCommand extends Error {}

/** The classes of an instance, the most derived first; not `Object`. */
function* prototypesOf(worker: Worker): Generator<object> {
  let prototype = Reflect.getPrototypeOf(worker);
  while (prototype !== null && prototype !== Object.prototype) {
    yield prototype;
    prototype = Reflect.getPrototypeOf(prototype);
  }
}

/** A method of the instance's classes: no field, no accessor, nothing that every object has. */
function methodOf(worker: Worker, name: string): Method | undefined {
  for (const prototype of prototypesOf(worker)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
    if (descriptor === undefined) continue;
    const value: unknown = descriptor.value;
    return typeof value === "function" ? (value as Method) : undefined;
  }
  return undefined;
}

const lowerFirst = (text: string): string =>
  text.slice(0, 1).toLowerCase() + text.slice(1);
const upperFirst = (text: string): string =>
  text.slice(0, 1).toUpperCase() + text.slice(1);

/** The commands that a worker has, sorted. */
export function commandNames(worker: Worker): string[] {
  const names = new Set<string>();
  for (const prototype of prototypesOf(worker)) {
    for (const key of Object.getOwnPropertyNames(prototype)) {
      const [, suffix] = METHOD.exec(key) ?? [];
      if (suffix === undefined || methodOf(worker, key) === undefined) continue;
      const name = lowerFirst(suffix);
      if (!NO_COMMANDS.has(name)) names.add(name);
    }
  }
  return [...names].sort();
}

/**
 * Runs a command `foo`: the optional `onFoo`, then `childFoo`.
 *
 * @returns what `childFoo` came to
 * @throws UnknownCommand when there is no `childFoo`; nothing was run then
 */
export async function runCommand(
  worker: Worker,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const suffix = upperFirst(name);
  const child =
    NAME.test(name) && !NO_COMMANDS.has(name)
      ? methodOf(worker, `child${suffix}`)
      : undefined;
  if (child === undefined)
    throw new UnknownCommand(
      `no method child${suffix}; there are: ${commandNames(worker).join(", ")}`,
    );
  await methodOf(worker, `on${suffix}`)?.apply(worker, [...args]);
  return await child.apply(worker, [...args]);
}
