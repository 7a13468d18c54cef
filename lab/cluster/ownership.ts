import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "../../toolchain";
import { removeIfEmpty } from "./files";
import { type Lab, LabError, RUN_ROOT } from "./identity";
import { bootId } from "./kernel";

interface Owner {
  readonly folder: string;
  readonly boot: string;
  /** Device and inode of its data, which the lab continues to use after the folder is removed. */
  readonly data?: string;
}

const ownerFile = (lab: Lab) => join(lab.paths.run, "owner.json");

/** Runs `work` with the lock of the lab. Throws at once, with the pid of the other command, if it is locked. */
export function withLabLock<T>(lab: Lab, work: () => Promise<T>): Promise<T> {
  const file = join(RUN_ROOT, `${lab.name}.lock`);
  mkdirSync(RUN_ROOT, { recursive: true });
  const refuse = () => {
    const pid = readFileSync(file, "utf8").trim();
    throw new LabError(
      `Another command (pid ${pid}) is changing the lab "${lab.name}". Wait until it has ended.`,
    );
  };
  return withLock(file, refuse, async () => {
    writeFileSync(file, `${process.pid}\n`);
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
      removeIfEmpty(RUN_ROOT);
    }
  });
}

/**
 * Runs work, inside of `withLabLock`, during which no other lab may start or stop: a lab that stops as the last one would
 * revert settings that another one has begun to use. The lock is on the folder itself, which exists as long as a command
 * runs: a lock file could not be removed while others wait for it.
 */
export function withMachineLock<T>(work: () => Promise<T>, root = RUN_ROOT): Promise<T> {
  return withLock(root, () => {}, work);
}

/** Names of the labs with runtime state on this machine. */
export function labsOfMachine(): string[] {
  const entries = readdirSync(RUN_ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/**
 * Removes runtime state from before a reboot, and throws if the lab runs for another folder (such as another checkout) that
 * still exists.
 */
export function checkOwner(lab: Lab): void {
  const owner = readOwner(lab);
  if (!owner) {
    return;
  }
  if (owner.boot !== bootId()) {
    rmSync(lab.paths.run, { recursive: true, force: true });
  } else if (owner.folder !== lab.paths.folder && existsSync(owner.folder)) {
    throw new LabError(
      `The lab "${lab.name}" runs for ${owner.folder}. Stop it there, or use another --name.`,
    );
  }
}

/** Whether a lab runs with data that is no longer in its folder, for example after the checkout was removed and cloned again. */
export function hasLostData(lab: Lab): boolean {
  const owner = readOwner(lab);
  return owner?.data !== undefined && owner.data !== dataOf(lab);
}

function dataOf({ paths }: Lab): string {
  const found = statSync(paths.data, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : "gone";
}

/** Writes the owner of the runtime state. */
export function writeOwner(lab: Lab): void {
  mkdirSync(lab.paths.data, { recursive: true });
  const owner: Owner = { folder: lab.paths.folder, boot: bootId(), data: dataOf(lab) };
  mkdirSync(dirname(ownerFile(lab)), { recursive: true });
  writeFileSync(ownerFile(lab), JSON.stringify(owner));
}

function readOwner(lab: Lab): Owner | undefined {
  try {
    return JSON.parse(readFileSync(ownerFile(lab), "utf8")) as Owner;
  } catch {
    return undefined;
  }
}
