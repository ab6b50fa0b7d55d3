/** Raw lists of header fields (name, value, name, value, ...), whatever they say: pure. */

/** Takes a field out, in place. */
export function dropField(headers: string[], key: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === key) headers.splice(i, 2);
  }
}

/** The list without the fields whose lower-case names are refused. */
export function without(
  raw: readonly string[],
  isRefused: (key: string) => boolean,
): string[] {
  const rest: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (!isRefused(name.toLowerCase())) rest.push(name, raw[i + 1] ?? "");
  }
  return rest;
}

/** A raw list as pairs, which `addTrailers` takes. */
export function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    list.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  }
  return list;
}

/** Header lines as they go over the wire, with the empty line at the end. */
export function headerText(
  firstLine: string,
  headers: readonly string[],
): string {
  let text = `${firstLine}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    text += `${headers[i] ?? ""}: ${headers[i + 1] ?? ""}\r\n`;
  }
  return `${text}\r\n`;
}
