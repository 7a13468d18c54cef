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
  folder: string;
  boot: string;
  /** Device and inode of its data, which the lab goes on to use where the folder is removed. */
  data?: string;
}

const ownerFile = (lab: Lab) => join(lab.paths.run, "owner.json");

/** Runs `work` while no other command changes the same lab. Throws at once, with the other's pid, if one does. */
export function exclusively<T>(lab: Lab, work: () => Promise<T>): Promise<T> {
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
 * Runs work, inside of `exclusively`, that no other lab may come or go during: one that has just found itself the last would
 * take back what another has begun to use. The lock is on the folder itself, which stays as long as a command is at work:
 * a file of its own could not be removed while others wait for it.
 */
export function machineWide<T>(work: () => Promise<T>, root = RUN_ROOT): Promise<T> {
  return withLock(root, () => {}, work);
}

/** Names of the labs that have running state on this machine. */
export function labsOfMachine(): string[] {
  const entries = readdirSync(RUN_ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/**
 * Forgets running state from before a reboot, and refuses a lab that runs for another folder (another checkout, say)
 * as long as that folder exists.
 */
export function checkOwner(lab: Lab): void {
  const owner = readOwner(lab);
  if (!owner) return;
  if (owner.boot !== bootId()) {
    rmSync(lab.paths.run, { recursive: true, force: true });
  } else if (owner.folder !== lab.paths.folder && existsSync(owner.folder)) {
    throw new LabError(
      `The lab "${lab.name}" runs for ${owner.folder}. Stop it there, or use another --name.`,
    );
  }
}

/** Whether a lab runs on data that is not in its folder any more: the checkout was removed, say, and cloned again. */
export function hasLostData(lab: Lab): boolean {
  const owner = readOwner(lab);
  return owner?.data !== undefined && owner.data !== dataOf(lab);
}

function dataOf({ paths }: Lab): string {
  const found = statSync(paths.data, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : "gone";
}

/** Notes whose running state this is. */
export function claim(lab: Lab): void {
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
