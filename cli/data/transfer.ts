import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Channel } from "./channel";

/** What a file has until it is complete, after its name: the same in the volume. */
export const PART = ".part";

/** Bytes that are sent before the other side has said that it has them: the connection itself may buffer any amount. */
const WINDOW = 16 * 2 ** 20;
/** Bytes that are read from a file at once. */
const CHUNK = 2 ** 18;

/** Called with how many bytes of a file are copied, and how many it has. */
export type Progress = (copied: number, size: number) => void;

/** A file or folder of a volume; a folder's name ends with a slash. */
export interface Entry {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** In seconds since 1970. */
  readonly modified: number;
}

/** The hash of the first bytes of a file. */
async function hashOf(file: string, size: number): Promise<Hash> {
  const hash = createHash("sha256");
  if (size > 0) {
    for await (const chunk of createReadStream(file, { end: size - 1, highWaterMark: CHUNK })) {
      hash.update(chunk);
    }
  }
  return hash;
}

/**
 * Sends a file from where an earlier copy of it has ended.
 * @returns its SHA-256, which is that of the copy
 */
export async function put(channel: Channel, file: string, progress: Progress): Promise<string> {
  const { size } = statSync(file);
  const there = await channel.hear<{ offset: number; sha256: string }>();
  let hash = await hashOf(file, Math.min(there.offset, size));
  const same = there.offset <= size && hash.copy().digest("hex") === there.sha256;
  if (!same) {
    hash = createHash("sha256");
  }
  const start = same ? there.offset : 0;
  channel.say({ offset: start });
  await sendBytes(channel, file, { start, size }, hash, progress);
  const sha256 = hash.digest("hex");
  channel.say({ sha256 });
  await channel.hear();
  channel.say({ done: true });
  return sha256;
}

/** The part of a file that is not copied yet. */
interface Missing {
  readonly start: number;
  readonly size: number;
}

async function sendBytes(
  channel: Channel,
  file: string,
  { start, size }: Missing,
  hash: Hash,
  progress: Progress,
): Promise<void> {
  let [sent, received] = [start, start];
  const hear = async () => {
    received = (await channel.hear<{ offset: number }>()).offset;
    progress(received, size);
  };
  for await (const chunk of createReadStream(file, { start, highWaterMark: CHUNK })) {
    hash.update(chunk);
    channel.write(chunk);
    sent += chunk.length;
    if (sent > size) {
      break;
    }
    while (sent - received > WINDOW) {
      await hear();
    }
  }
  if (sent !== size) {
    throw new Error(`${file} has changed during the copy; try again`);
  }
  while (received < size) {
    await hear();
  }
}

/** What is there of a file that is not complete, for the arguments of its copy. */
export async function copied(file: string): Promise<{ offset: number; sha256: string }> {
  const part = file + PART;
  const offset = existsSync(part) ? statSync(part).size : 0;
  return { offset, sha256: (await hashOf(part, offset)).digest("hex") };
}

/**
 * Receives a file, and continues an earlier copy of it where that is the start of the same file.
 * @returns its SHA-256, which is that in the volume
 * @throws Error where the copy differs; it is deleted
 */
export async function get(channel: Channel, file: string, progress: Progress): Promise<string> {
  const part = file + PART;
  const { offset, size } = await channel.hear<{ offset: number; size: number }>();
  mkdirSync(dirname(file), { recursive: true });
  const hash = await hashOf(part, offset);
  const output = await open(part, offset > 0 ? "a" : "w");
  try {
    await receiveBytes(channel, output, { start: offset, size }, hash, progress);
    await output.sync();
  } finally {
    await output.close();
  }
  const expected = (await channel.hear<{ sha256: string }>()).sha256;
  channel.say({ done: true });
  const sha256 = hash.digest("hex");
  if (sha256 !== expected) {
    rmSync(part);
    throw new Error(`${file}: the copy has the SHA-256 ${sha256}, and the volume ${expected}`);
  }
  renameSync(part, file);
  return sha256;
}

async function receiveBytes(
  channel: Channel,
  output: FileHandle,
  { start, size }: Missing,
  hash: Hash,
  progress: Progress,
): Promise<void> {
  let [received, said] = [start, start];
  while (received < size) {
    const chunk = await channel.read(size - received);
    hash.update(chunk);
    await output.appendFile(chunk);
    received += chunk.length;
    if (received - said >= WINDOW / 4 || received === size) {
      channel.say({ offset: received });
      said = received;
      progress(received, size);
    }
  }
}

/** The files and folders in a folder of the volume. */
export async function list(channel: Channel): Promise<Entry[]> {
  const { entries } = await channel.hear<{ entries: Entry[] }>();
  channel.say({ done: true });
  return entries;
}
