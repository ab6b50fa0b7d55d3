/** Figures to cells and cells to a Markdown table. Pure. */

/**
 * @param head - column titles; those that start with `<` are aligned left
 * @param lines - cells, one array a row
 */
export function toMarkdown(head, lines) {
  const isLeft = head.map((title) => title.startsWith("<"));
  const titles = head.map((title) => title.replace(/^</, ""));
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...lines.map((cells) => cells[column].length), 3),
  );
  const rule = widths.map((width, column) =>
    isLeft[column] ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [titles, rule, ...lines]
    .map((cells) => {
      const padded = cells.map((cell, column) =>
        isLeft[column]
          ? cell.padEnd(widths[column])
          : cell.padStart(widths[column]),
      );
      return `| ${padded.join(" | ")} |`;
    })
    .join("\n");
}

export function ms(value) {
  return value === undefined ? "–" : `${count(Math.round(value))} ms`;
}

export function mebibytes(value) {
  return value === undefined
    ? "–"
    : `${count(Math.round(value / 2 ** 20))} MiB`;
}

/** How many times `value` is what `own` is. */
export function ratio(value, own) {
  if (value === undefined || own === undefined) return "–";
  const times = value / own;
  return `${times.toFixed(times < 10 ? 2 : 1)} ×`;
}

export function count(value) {
  return value.toLocaleString("en");
}
