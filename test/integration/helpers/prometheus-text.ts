/** Reads Prometheus' text format 0.0.4, and takes nothing that isn't exactly in it. */
const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const VALUE = String.raw`"(?:[^"\\\n]|\\[\\"n])*"`;
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*=${VALUE}`;
const LINE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`,
);

/** Values by series, as they're written: `name{label="value"}`. */
export type Series = ReadonlyMap<string, number>;

/**
 * The series of a text.
 *
 * @throws Error for what isn't in the format: a series without HELP and TYPE before it, twice, of a name that doesn't fit its
 * type, a value that is no number, buckets that don't grow
 */
export function parseMetrics(text: string): Series {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  let help: string | undefined;
  let current = "";
  if (!text.endsWith("\n")) throw new Error("The last line has no end.");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const about = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (about !== null) {
      const [, kind, name = "", rest = ""] = about;
      if (kind === "HELP") help = name;
      else {
        if (help !== name || types.has(name)) throw wrong(line);
        if (!/^(?:counter|gauge|histogram)$/.test(rest)) throw wrong(line);
        types.set(name, rest);
        current = name;
      }
      continue;
    }
    const [, name = "", labels = "", value = ""] = LINE.exec(line) ?? [];
    if (!fits(name, current, types.get(current), labels)) throw wrong(line);
    const number = value === "+Inf" ? Infinity : Number(value);
    if (Number.isNaN(number)) throw wrong(line);
    const key = labels === "" ? name : `${name}{${labels}}`;
    if (series.has(key)) throw wrong(line);
    series.set(key, number);
  }
  checkBuckets(series, types);
  return series;
}

function fits(
  name: string,
  current: string,
  type: string | undefined,
  labels: string,
): boolean {
  if (type === "histogram") {
    const isBucket = name === `${current}_bucket`;
    if (isBucket !== /(?:^|,)le=/.test(labels)) return false;
    return isBucket || name === `${current}_sum` || name === `${current}_count`;
  }
  return name === current && (type === "counter") === name.endsWith("_total");
}

/** Each distribution's buckets grow, and the last is its count. */
function checkBuckets(
  series: Series,
  types: ReadonlyMap<string, string>,
): void {
  const last = new Map<string, { le: number; count: number }>();
  for (const [key, count] of series) {
    const [, name = "", labels = ""] = /^(\w+)_bucket\{(.*)\}$/.exec(key) ?? [];
    if (types.get(name) !== "histogram") continue;
    const [, bound = ""] = /le="([^"]*)"/.exec(labels) ?? [];
    const le = bound === "+Inf" ? Infinity : Number(bound);
    const rest = labels.replace(/,?le="[^"]*"/, "");
    const whole = rest === "" ? `${name}_count` : `${name}_count{${rest}}`;
    const before = last.get(whole);
    if (before !== undefined && (before.le >= le || before.count > count))
      throw wrong(key);
    last.set(whole, { le, count });
  }
  for (const [whole, { le, count }] of last) {
    if (le !== Infinity || series.get(whole) !== count) throw wrong(whole);
  }
}

function wrong(line: string): Error {
  return new Error(`This isn't Prometheus' text format: ${line}`);
}
