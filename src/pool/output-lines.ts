/** Whole lines out of a process's output, whatever its chunks are. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** A line longer than this is handed on in pieces, so that memory stays bounded. */
const LONGEST_LINE = 64 * 1024;

/** Calls `onLine` for each line of a stream, without its line break. What stands after the last break comes at the end. */
export function readLines(
  stream: Readable,
  onLine: (line: string) => void,
): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines)
      onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (rest.length > LONGEST_LINE) {
      onLine(rest);
      rest = "";
    }
  };
  stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
  stream.once("end", () => {
    take(decoder.end());
    if (rest !== "") onLine(rest);
    rest = "";
  });
  stream.on("error", () => undefined); // the process's exit tells the story
}
