/** Places in a manifest, like `sources[2].needs[0]`: what is there, and the manifest without it. Pure. */

const PART = /\.?([A-Za-z]\w*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/g;

/** The keys and indexes that lead to a place. */
export function partsOf(field: string): (string | number)[] {
  return [...field.matchAll(PART)].map(([, name, index, key]) =>
    index !== undefined
      ? Number(index)
      : (name ?? (JSON.parse(`"${key ?? ""}"`) as string)),
  );
}

/** The text in a place; `undefined` when there is none. */
export function textAt(value: unknown, field: string): string | undefined {
  let at = value;
  for (const part of partsOf(field)) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, part);
  }
  return typeof at === "string" ? at : undefined;
}

/** The same without the list's element in a place; the others move up. */
export function withoutElement<Value>(value: Value, field: string): Value {
  return without(value, partsOf(field)) as Value;
}

function without(value: unknown, parts: readonly (string | number)[]): unknown {
  const [part, ...rest] = parts;
  if (part === undefined) return value;
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return rest.length === 0
      ? list.filter((_, index) => index !== part)
      : list.map((each, index) =>
          index === part ? without(each, rest) : each,
        );
  }
  if (typeof value !== "object" || value === null) return value;
  return { ...value, [part]: without(Reflect.get(value, part), rest) };
}

/** Sorts places so that removing one doesn't move those that follow: the last element of a list first. */
export function fromTheEnd(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [x, y] = [one[index], other[index]];
    if (x === y) continue;
    // What is within an element is removed before the element is.
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    if (typeof x === "number" && typeof y === "number") return y - x;
    return String(x) < String(y) ? 1 : -1;
  }
  return 0;
}
