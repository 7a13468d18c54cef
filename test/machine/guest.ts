import { readFileSync, writeFileSync } from "node:fs";
import { labPackages } from "../../lab/cluster/machine";
import { packages as imagePackages } from "../../lab/images";
import { ensureDebianPackages } from "../../lab/tools";
import {
  acrossReboot,
  differences,
  type Snapshot,
  takeSnapshot,
} from "../support/machine-snapshot";

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Runs in the guest: the steps that use the code of the lab. */
async function main(command?: string, file = "", first = file): Promise<void> {
  if (command === "packages") {
    await ensureDebianPackages([...labPackages(), ...imagePackages], print);
  } else if (command === "snapshot") {
    writeFileSync(file, JSON.stringify(takeSnapshot()));
  } else if (command === "compare" || command === "compare-stopped") {
    const read = (path: string): Snapshot => JSON.parse(readFileSync(path, "utf8"));
    const before = acrossReboot(read(first), read(file));
    // A stopped lab keeps its builder.
    const kept = command === "compare-stopped" ? /\/\.docker\b/ : /^$/;
    const changes = differences(before, takeSnapshot()).filter((line) => !kept.test(line));
    for (const line of changes) {
      print(line);
    }
    if (changes.length > 0) {
      process.exitCode = 1;
    }
  } else {
    throw new Error(`unknown command: ${command}`);
  }
}

main(...process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
