import type { Readable, Writable } from "node:stream";

/** The connection to a process has ended before the process did. What was copied stays. */
export class ConnectionLostError extends Error {}

/**
 * The streams of a process that was started in a pod. Both sides exchange lines of JSON, with the bytes of a file in
 * between.
 */
export class Channel {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  /**
   * @param ended why the process has ended
   * @param close ends the connection: now, or when what was written is sent
   */
  constructor(
    private readonly input: Writable,
    output: Readable,
    private readonly ended: Promise<Error>,
    readonly close: (now: boolean) => void,
  ) {
    this.chunks = output[Symbol.asyncIterator]();
    // A process that has ended reads nothing more. Its output ends too, and then the reason is read.
    input.on("error", () => {});
  }

  /** Writes a line. */
  say(line: object): void {
    this.write(Buffer.from(`${JSON.stringify(line)}\n`));
  }

  /** Writes bytes of a file. */
  write(bytes: Buffer): void {
    this.input.write(bytes);
  }

  /**
   * Reads a line.
   * @throws Error with the reason of the process, where it has ended
   */
  async hear<Line>(): Promise<Line> {
    let end = this.rest.indexOf("\n");
    while (end < 0) {
      this.rest = Buffer.concat([this.rest, await this.next()]);
      end = this.rest.indexOf("\n");
    }
    const line = this.rest.subarray(0, end).toString();
    this.rest = this.rest.subarray(end + 1);
    return JSON.parse(line);
  }

  /** Reads bytes of a file: at least one, and at most `most`. */
  async read(most: number): Promise<Buffer> {
    const bytes = this.rest.length > 0 ? this.rest : await this.next();
    this.rest = bytes.subarray(most);
    return bytes.subarray(0, most);
  }

  private async next(): Promise<Buffer> {
    const { value, done } = await this.chunks.next();
    if (done) {
      throw await this.ended;
    }
    return value;
  }
}
