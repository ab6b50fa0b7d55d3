/** What a sub-command that runs in this process prints. */
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

/** What a sub-command did. Its texts are without colours. */
export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

class Text extends Writable {
  text = "";

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: () => void,
  ): void {
    this.text += String(chunk);
    done();
  }
}

/** Runs one on streams that gather what it prints. */
export async function printed(
  run: (streams: {
    readonly stdout: Writable;
    readonly stderr: Writable;
  }) => Promise<number | undefined>,
): Promise<Ran> {
  const [stdout, stderr] = [new Text(), new Text()];
  const code = await run({ stdout, stderr });
  return {
    code,
    stdout: stripVTControlCharacters(stdout.text),
    stderr: stripVTControlCharacters(stderr.text),
  };
}
