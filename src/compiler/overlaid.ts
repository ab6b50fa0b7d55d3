/**
 * A map like another one, but for some values: what a save makes of the last build's. A copy would cost what the size of the
 * project is, this costs what was saved since the last copy.
 */

/** When this part of the values is other ones, a copy is made after all: so that what is kept stays small. */
const COPIED_AT = 1 / 8;

/**
 * Makes one.
 *
 * @param map - stays as it is
 * @param others - values for keys of `map`; stays as it is
 */
export function overlaid<Value>(
  map: ReadonlyMap<string, Value>,
  others: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  if (others.size === 0) return map;
  return map instanceof Overlaid
    ? (map as Overlaid<Value>).with(others)
    : overlay(map, others);
}

function overlay<Value>(
  base: ReadonlyMap<string, Value>,
  others: ReadonlyMap<string, Value>,
): ReadonlyMap<string, Value> {
  if (others.size < base.size * COPIED_AT) return new Overlaid(base, others);
  const copy = new Map(base);
  for (const [key, value] of others) copy.set(key, value);
  return copy;
}

/** See this file's header. Keys and their order are the base's. */
class Overlaid<Value> implements ReadonlyMap<string, Value> {
  readonly #base: ReadonlyMap<string, Value>;
  readonly #others: ReadonlyMap<string, Value>;

  constructor(
    base: ReadonlyMap<string, Value>,
    others: ReadonlyMap<string, Value>,
  ) {
    this.#base = base;
    this.#others = others;
  }

  /** The same, with further values; not an overlay over an overlay. */
  with(others: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
    return overlay(this.#base, new Map([...this.#others, ...others]));
  }

  get size(): number {
    return this.#base.size;
  }

  get(key: string): Value | undefined {
    return this.#others.get(key) ?? this.#base.get(key);
  }

  has(key: string): boolean {
    return this.#base.has(key);
  }

  keys(): MapIterator<string> {
    return this.#base.keys();
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this) yield value;
  }

  *entries(): MapIterator<[string, Value]> {
    for (const [key, value] of this.#base)
      yield [key, this.#others.get(key) ?? value];
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  forEach(
    callback: (
      value: Value,
      key: string,
      map: ReadonlyMap<string, Value>,
    ) => void,
  ): void {
    for (const [key, value] of this) callback(value, key, this);
  }
}
