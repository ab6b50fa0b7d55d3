/** What `prefork-dev status` says of the front in one line. Pure; the answer may lack any field. */
import { bytes, milliseconds, plural } from "./format.js";
import { numberOf } from "./lenient.js";
import type { Fields } from "./lenient.js";

/** `front: 1204 requests, 2 waiting, 12 had to wait (half 3 ms, 99 % 40 ms), 1 retry, 3 refused, 12 KiB in, 4 MiB out`. */
export function frontLine(front: Fields): string {
  const said = (
    name: string,
    format: (value: number) => string,
    isTold: (value: number) => boolean = (value) => value > 0,
  ): string[] => {
    const value = numberOf(front[name]);
    return value === undefined || !isTold(value) ? [] : [format(value)];
  };
  const waits = ["holdP50Ms", "holdP99Ms"].flatMap((name, index) =>
    said(
      name,
      (value) => `${index === 0 ? "half" : "99 %"} ${milliseconds(value)}`,
      () => true,
    ),
  );
  const wait = waits.length === 0 ? "" : ` (${waits.join(", ")})`;
  const parts = [
    ...said(
      "requests",
      (value) => plural(value, "request"),
      () => true,
    ),
    ...said("held", (value) => `${value} waiting`),
    ...said("heldTotal", (value) => `${value} had to wait${wait}`),
    ...said("retries", (value) => `${value} tried again`),
    ...said("upgrades", (value) => plural(value, "upgrade")),
    ...said("refused", (value) => `${value} refused`),
    ...said("ownAnswers", (value) => `${value} answered 502 or 503`),
    ...said("bytesIn", (value) => `${bytes(value)} in`),
    ...said("bytesOut", (value) => `${bytes(value)} out`),
  ];
  return `front: ${parts.join(", ")}`;
}
