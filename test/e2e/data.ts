import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { getFile, inVolume } from "../../cli/data/command";
import { list } from "../../cli/data/transfer";
import type { LabInfo } from "../../lab/cluster/lab";
import { serveFile } from "../support/file-server";
import type { Kubectl } from "../support/kubectl";
import type { PlatformStack } from "../support/platform-stack";
import { CommandProcess } from "../support/process-tree";
import { waitFor } from "../support/wait";

const MINUTE = 60_000;
const MIB = 2 ** 20;
const SIZE = 200 * MIB;

export interface Given {
  readonly platform: PlatformStack;
  readonly kubectl: Kubectl;
  readonly lab: LabInfo;
  /** Folder of the stack's files. */
  readonly folder: string;
  readonly team: string;
}

/** Tests of a team's volume, on a stack that has one. */
export function teamData(given: () => Given): void {
  const report = (line: string) => console.log(line);
  const work = <T>(one: Parameters<typeof inVolume<T>>[4]) =>
    inVolume(given().platform.open, "data", new AbortController().signal, report, one);
  const listed = async (folder = ".") =>
    (await work({ args: () => ["ls", folder], talk: list })).map(({ name, size }) => [name, size]);
  const hashOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
  const pods = async () =>
    (await given().kubectl.list("pods", "-n", given().team))
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith("data-copy-"));

  /** A file of random bytes. */
  function randomFile(): string {
    const file = join(given().folder, "random.bin");
    rmSync(file, { force: true });
    for (let size = 0; size < SIZE; size += 10 * MIB) {
      appendFileSync(file, randomBytes(10 * MIB));
    }
    return file;
  }

  it(
    "gets a file whose copy was interrupted, and gives it back",
    async () => {
      const { folder } = given();
      const file = randomFile();
      const put = () =>
        new CommandProcess("test/support/data-process.ts", [folder, file, "sets/random.bin"]);
      const interrupted = put();
      await interrupted.waitForOutput(" of 209.7 MB", 3 * 60);
      process.kill(interrupted.pid, "SIGINT");
      expect(await interrupted.exitCode()).toBe(130);
      const [[name, copied = 0] = []] = await listed("sets");
      expect(name).toBe("random.bin.part");
      expect(Number(copied) > 0 && Number(copied) < SIZE).toBe(true);
      expect(await put().exitCode()).toBe(0);
      expect(await listed("sets")).toEqual([["random.bin", SIZE]]);
      const copy = join(folder, "copy.bin");
      await work(getFile("sets/random.bin", copy));
      expect(hashOf(copy)).toBe(hashOf(file));
      await waitFor("the end of the pods", 30, pods, (names) => names.length === 0);
    },
    10 * MINUTE,
  );

  it(
    "gets a file from a server by a job, and refuses it with another hash",
    async () => {
      const { platform, kubectl, lab } = given();
      const { stack, options } = platform.open;
      const { url, sha256, size } = await serveFile(kubectl, lab);
      const source = { url, sha256, path: "fetched/served.bin" };
      platform.configure([["team", "data", "sources"], [source]]);
      await stack.up(options);
      expect(await listed("fetched")).toEqual([["served.bin", size]]);
      const wrong = { ...source, sha256: "0".repeat(64), path: "wrong/served.bin" };
      platform.configure(
        [["team", "data", "sources"], [wrong]],
        [["team", "data", "deadlineSeconds"], 60],
      );
      await expect(stack.up(options)).rejects.toThrow(/demo-fetch/);
      expect(await listed("wrong")).toEqual([]);
      platform.configure();
      await stack.up(options);
    },
    10 * MINUTE,
  );
}
