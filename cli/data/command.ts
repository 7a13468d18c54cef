import { basename } from "node:path";
import pRetry from "p-retry";
import { kubeConfigOf } from "../../components/kubernetes/client";
import type { Report } from "../../toolchain";
import { step } from "../common/terminal";
import type { Interruption } from "../interruption";
import { type OpenStack, openStack } from "../stack";
import { stackConfig } from "../stack/file";
import { type Channel, ConnectionLostError } from "./channel";
import { DataPods, type Volume } from "./cluster";
import { localFile, pathInVolume, requireFile, targetOf } from "./paths";
import { bytes, listing, progressOf } from "./show";
import * as transfer from "./transfer";

/** How often a copy goes on after its connection was lost, in one command. */
const RETRIES = 5;

/** The options of `ml-platform data`. */
export interface DataOptions {
  readonly stack: string;
  readonly volume: string;
}

/** One command in the pod: the arguments of its process, which may differ when it is repeated, and what is said with it. */
interface Work<T> {
  readonly args: () => Promise<readonly string[]> | readonly string[];
  readonly talk: (channel: Channel) => Promise<T>;
}

/**
 * Runs a command in a pod that mounts a volume of a stack's team. The pod is deleted at the end.
 * @throws Error where the stack has no such volume, the pod does not start, or the command fails
 */
export async function inVolume<T>(
  open: OpenStack,
  volume: string,
  signal: AbortSignal,
  report: Report,
  work: Work<T>,
): Promise<T> {
  const { team, owner, cluster } = stackConfig(open.stack.name, open.workDir);
  if (!team) {
    throw new Error(`stack ${open.stack.name} has no team, and so no data`);
  }
  const found = await volumeOf(open, volume);
  const pods = new DataPods(await kubeConfigOf(cluster), { owner, team });
  await pods.removeLeftOver();
  signal.throwIfAborted();
  const pod = await pods.create(found);
  try {
    report(`pod ${pod} mounts the volume ${volume} of team ${team.name}`);
    await pods.ready(pod, signal);
    return await pRetry(async () => talk(await pods.start(pod, await work.args()), signal, work), {
      retries: RETRIES,
      shouldRetry: ({ error }) => error instanceof ConnectionLostError && !signal.aborted,
      onFailedAttempt: ({ error, retriesLeft }) => {
        if (error instanceof ConnectionLostError && retriesLeft > 0 && !signal.aborted) {
          report(`${error.message}; the copy goes on with a new one`);
        }
      },
    });
  } finally {
    await pods.remove(pod).catch(({ message }: Error) => {
      report(
        `pod ${pod} is not deleted: ${message}; it ends by itself, and the next command deletes it`,
      );
    });
  }
}

async function talk<T>(channel: Channel, signal: AbortSignal, work: Work<T>): Promise<T> {
  const stop = () => channel.close(true);
  signal.addEventListener("abort", stop);
  try {
    return await work.talk(channel);
  } finally {
    signal.removeEventListener("abort", stop);
    channel.close(false);
  }
}

/** What the last update has recorded of a volume. */
async function volumeOf({ stack }: OpenStack, volume: string): Promise<Volume> {
  const { data } = await stack.outputs();
  const { image, claims } = (data?.value ?? {}) as {
    image?: string;
    claims?: Record<string, string>;
  };
  if (!image || !claims) {
    throw new Error(`stack ${stack.name} has no volumes yet; update it first`);
  }
  const claim = claims[volume];
  if (!claim) {
    const known = Object.keys(claims).join(", ");
    throw new Error(`stack ${stack.name} has no volume ${volume}; it has: ${known}`);
  }
  return { image, claim };
}

/** Copies a file of this machine to a volume. */
export function putFile(file: string, path: string): Work<string> {
  const size = `${requireFile(file)}`;
  return {
    args: () => ["put", path, size],
    talk: (channel) => transfer.put(channel, file, progressOf(step)),
  };
}

/** Copies a file of a volume to this machine. */
export function getFile(path: string, file: string): Work<string> {
  return {
    args: async () => {
      const { offset, sha256 } = await transfer.copied(file);
      return ["get", path, `${offset}`, sha256];
    },
    talk: (channel) => transfer.get(channel, file, progressOf(step)),
  };
}

async function run<T>(
  { stack, volume }: DataOptions,
  interruption: Interruption,
  work: Work<T>,
): Promise<T> {
  const open = await openStack({ name: stack }, step);
  return interruption.guard((signal) => inVolume(open, volume, signal, step, work));
}

/** `ml-platform data put` */
export async function put(
  name: string,
  path: string | undefined,
  options: DataOptions,
  interruption: Interruption,
): Promise<void> {
  const file = localFile(name);
  const target = targetOf(file, path);
  const sha256 = await run(options, interruption, putFile(file, target));
  step(`${target}: ${bytes(requireFile(file))}, SHA-256 ${sha256}`);
}

/** `ml-platform data get` */
export async function get(
  name: string,
  to: string | undefined,
  options: DataOptions,
  interruption: Interruption,
): Promise<void> {
  const path = pathInVolume(name);
  const file = localFile(to ?? "", basename(path));
  const sha256 = await run(options, interruption, getFile(path, file));
  step(`${file}: ${bytes(requireFile(file))}, SHA-256 ${sha256}`);
}

/** `ml-platform data ls` */
export async function ls(
  folder: string | undefined,
  options: DataOptions,
  interruption: Interruption,
): Promise<void> {
  const args = ["ls", pathInVolume(folder ?? ".")];
  const entries = await run(options, interruption, { args: () => args, talk: transfer.list });
  process.stdout.write(`${listing(entries).join("\n")}\n`);
}
