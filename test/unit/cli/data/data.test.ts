import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { ROOT } from "../../../../cli/common/root";
import { DataPods } from "../../../../cli/data/cluster";
import { getFile, inVolume, putFile } from "../../../../cli/data/command";
import { list } from "../../../../cli/data/transfer";
import type { OpenStack } from "../../../../cli/stack";
import { stackConfig } from "../../../../cli/stack/file";
import { kubeConfigOf } from "../../../../components/kubernetes/client";
import { ClusterWithVolume, running } from "../../../support/cluster-with-volume";

const MIB = 2 ** 20;
let cluster: ClusterWithVolume;
let folder: string;
let reports: string[];
let stop: AbortController;
let open: OpenStack;

beforeEach(async () => {
  cluster = new ClusterWithVolume();
  await cluster.start();
  folder = mkdtempSync(join(tmpdir(), "data-"));
  reports = [];
  stop = new AbortController();
  const stack = parse(readFileSync(join(ROOT, "Pulumi.dev.yaml"), "utf8"));
  stack.config["ml-platform:cluster"] = { kubeconfig: cluster.kubeconfig };
  writeFileSync(join(folder, "Pulumi.test.yaml"), stringify(stack));
  const data = { image: "reg/training@sha256:1", claims: { data: "demo-data-1" } };
  const outputs = async () => ({ data: { value: data, secret: false } });
  open = { stack: { name: "test", outputs }, workDir: folder } as unknown as OpenStack;
});

afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

const run = <T>(work: Parameters<typeof inVolume<T>>[4], volume = "data") =>
  inVolume(open, volume, stop.signal, (line) => void reports.push(line), work);

/** A file of random bytes. */
function fileOf(size: number, name = "file.bin"): string {
  const file = join(folder, name);
  writeFileSync(file, randomBytes(size));
  return file;
}

const same = (a: string, b: string) => readFileSync(a).equals(readFileSync(b));
const inside = (path: string) => join(cluster.volume, path);

describe("put", () => {
  it.each([0, 1, 20 * MIB + 7])("copies a file of %i bytes, and deletes the pod", async (size) => {
    const file = fileOf(size);
    const sha256 = await run(putFile(file, "sets/file.bin"));
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(same(file, inside("sets/file.bin"))).toBe(true);
    expect(readdirSync(inside("sets"))).toEqual(["file.bin"]);
    expect(cluster.deleted).toEqual(["data-copy-1"]);
  });

  it("goes on by itself when a connection is lost", async () => {
    const file = fileOf(40 * MIB);
    cluster.cutAfter = 20 * MIB;
    await run(putFile(file, "file.bin"));
    expect(same(file, inside("file.bin"))).toBe(true);
    expect(reports).toContain(
      "the connection to the pod has ended; the copy goes on with a new one",
    );
  });

  it("leaves a part that the next command continues, when it is interrupted", async () => {
    const file = fileOf(48 * MIB);
    writeFileSync(inside("file.bin"), "the former file");
    const copy = run(putFile(file, "file.bin"));
    const part = inside("file.bin.part");
    await vi.waitFor(() => expect(statSync(part).size).toBeGreaterThan(4 * MIB), {
      timeout: 20_000,
    });
    stop.abort(new Error("interrupted"));
    await expect(copy).rejects.toThrow("the connection to the pod has ended");
    expect(readFileSync(inside("file.bin"), "utf8")).toBe("the former file");
    expect(cluster.deleted).toEqual(["data-copy-1"]);
    const before = statSync(part).size;
    expect(before).toBeLessThan(48 * MIB);
    stop = new AbortController();
    await run(putFile(file, "file.bin"));
    expect(same(file, inside("file.bin"))).toBe(true);
    expect(existsSync(part)).toBe(false);
  }, 60_000);

  it("starts again where the part is of another file", async () => {
    writeFileSync(inside("file.bin.part"), randomBytes(MIB));
    const file = fileOf(2 * MIB);
    await run(putFile(file, "file.bin"));
    expect(same(file, inside("file.bin"))).toBe(true);
  });

  it("fails with the reason of the process", async () => {
    writeFileSync(inside("folder"), "a file");
    await expect(run(putFile(fileOf(1), "folder/file.bin"))).rejects.toThrow(
      /folder: (File exists|Not a directory)/,
    );
    expect(cluster.deleted).toEqual(["data-copy-1"]);
  });
});

describe("get", () => {
  it.each([0, 20 * MIB + 7])("copies a file of %i bytes", async (size) => {
    const file = fileOf(size);
    copyFileSync(file, inside("there.bin"));
    const copy = join(folder, "copies/here.bin");
    await run(getFile("there.bin", copy));
    expect(same(file, copy)).toBe(true);
    expect(readdirSync(join(folder, "copies"))).toEqual(["here.bin"]);
  });

  it("continues after a lost connection", async () => {
    const file = fileOf(40 * MIB);
    copyFileSync(file, inside("there.bin"));
    cluster.cutAfter = 20 * MIB;
    await run(getFile("there.bin", join(folder, "here.bin")));
    expect(same(file, join(folder, "here.bin"))).toBe(true);
  });

  it("fails for a file that does not exist", async () => {
    await expect(run(getFile("no.bin", join(folder, "no.bin")))).rejects.toThrow(
      /no\.bin: No such file or directory/,
    );
  });
});

it("ls lists names and sizes", async () => {
  writeFileSync(inside("a.csv"), "1,2");
  writeFileSync(inside("b.csv.part"), "1");
  const entries = await run({ args: () => ["ls", "."], talk: list });
  expect(entries.map(({ name, size }) => [name, size])).toEqual([
    ["a.csv", 3],
    ["b.csv.part", 1],
  ]);
});

describe("the pod", () => {
  const ls = { args: () => ["ls", "."], talk: list };

  it("runs on the node that has mounted the volume", async () => {
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "demo-data-1" } }];
    const tolerations = [{ key: "nvidia.com/gpu", operator: "Exists" }];
    const holder = { spec: { nodeName: "node-2", containers: [], volumes, tolerations } };
    cluster.pods.set("train", { ...holder, metadata: { name: "train" }, status: running() });
    let spec: object | undefined;
    const args = () => {
      spec = cluster.pods.get("data-copy-1")?.spec;
      return ["ls", "."];
    };
    await run({ args, talk: list });
    expect(spec).toMatchObject({
      tolerations,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: "metadata.name", operator: "In", values: ["node-2"] }] },
            ],
          },
        },
      },
    });
    expect([...cluster.pods.keys()]).toEqual(["train"]);
  });

  it("is deleted, and the reason told, when its image cannot be pulled", async () => {
    const waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image" };
    const containerStatuses = [{ name: "data", state: { waiting } } as never];
    cluster.status = { phase: "Pending", containerStatuses };
    await expect(run(ls)).rejects.toThrow(
      "pod data-copy-1 does not start: ImagePullBackOff: Back-off pulling image",
    );
    expect(cluster.deleted).toEqual(["data-copy-1"]);
  });

  it("that does not run in time is an error with the last warning", async () => {
    cluster.status = { phase: "Pending" };
    cluster.events.push({ reason: "FailedAttachVolume", message: "Multi-Attach error for volume" });
    const { team, owner } = stackConfig("test", folder);
    const config = await kubeConfigOf({ kubeconfig: cluster.kubeconfig });
    const pods = new DataPods(config, { owner, team: team as NonNullable<typeof team> });
    const name = await pods.create({ image: "a", claim: "demo-data-1" });
    await expect(pods.ready(name, stop.signal, 0)).rejects.toThrow(
      "pod data-copy-1 does not run after 0 s: FailedAttachVolume: Multi-Attach error for volume; " +
        "if another node uses the volume, try again when its pods have ended",
    );
  });

  it("that may not be connected to is not tried again", async () => {
    cluster.mayExec = false;
    await expect(run(ls)).rejects.toThrow(
      "no connection to pod data-copy-1: Unexpected server response: 403",
    );
    expect(reports).toEqual(["pod data-copy-1 mounts the volume data of team demo"]);
  });

  it("that an earlier command has left is deleted, and not one in use", async () => {
    const label = { metadata: { creationTimestamp: new Date() } };
    cluster.pods.set("used", { metadata: { ...label.metadata, name: "used" }, status: running() });
    cluster.pods.set("left", { metadata: { name: "left" }, status: { phase: "Succeeded" } });
    await run(ls);
    expect(cluster.deleted).toEqual(["left", "data-copy-1"]);
  });
});

it("a volume that the stack does not have is refused, with those that it has", async () => {
  await expect(run(putFile(fileOf(1), "a"), "images")).rejects.toThrow(
    "stack test has no volume images; it has: data",
  );
});
