import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type LabInfo, labStatus, resetLab, startLab, stopLab } from "../../lab/cluster/lab";
import { labPackages } from "../../lab/cluster/machine";
import { packages as imagePackages } from "../../lab/images";
import { ensureDebianPackages, labTools } from "../../lab/tools";
import { Kubectl } from "../support/kubectl";
import { processesOf } from "../support/lab-processes";
import { changesOf, type Snapshot, takeSnapshot } from "../support/machine-snapshot";
import { clientPod, serverObjects } from "./workload";

// The tests run in order, and use one lab from its start to its removal.
// A unique name: tests of another checkout may run on the same machine, or may have been killed there.
const NAME = `lab-${process.pid.toString(36)}`;
const HOST = "server.localhost";
const SECONDS = 1000;
/** A start that has to build every tool first. */
const START = 3600 * SECONDS;
const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), "lab-e2e-"));
const options = { name: NAME, folder: join(root, "lab") };
const second = { name: `${NAME}b`, folder: join(root, "second") };
const lines: string[] = [];
const report = (line: string) => void lines.push(line);
let info: LabInfo;
let cluster: Kubectl;
let buildx: string;
let initial: Snapshot;

const kubectl = (...args: string[]) => cluster.run(...args);

async function apply(objects: readonly object[]): Promise<void> {
  const file = join(root, "objects.json");
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await kubectl("apply", "-f", file);
}

/** Runs Python in a pod and returns its output. */
async function python(pod: string, code: string): Promise<string> {
  return (await kubectl("-n", "e2e", "exec", pod, "--", "python3", "-c", code)).trim();
}

async function pids(): Promise<Record<string, number | undefined>> {
  const { components } = await labStatus(options);
  return Object.fromEntries(components.map(({ name, pid }) => [name, pid]));
}

/** Status of a response of the ingress; `fetch` cannot set the Host header. */
function viaIngress(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    // On a new connection.
    const call = request(info.ingress, { headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", reject).end();
  });
}

/** Python that sends a request to the server and prints the status, or `denied`. */
const FETCH = `
import urllib.request
try:
    print(urllib.request.urlopen('http://server:8000', timeout=2).status)
except OSError:
    print('denied')
`;

/** Everything of a lab on the machine, in all places where something could remain. */
async function traces({ name, folder }: typeof options): Promise<string[]> {
  const scope = `ml-lab-${name}`;
  const links = (await run("ip", ["-o", "link"])).stdout;
  const rules = (await run("iptables-save")).stdout;
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  const cgroups = readdirSync("/sys/fs/cgroup").map((tree) => `/sys/fs/cgroup/${tree}/${scope}`);
  const files = [`/run/ml-lab/${name}`, `/run/ml-lab/${name}.lock`];
  const paths = [...cgroups, `/sys/fs/cgroup/${scope}`, ...files].filter((it) => existsSync(it));
  const texts = { links, rules, mounts };
  const words = [`ml-${name}:`, `ml-${name}@`, `${scope} `, `/ml-lab/${name}/`];
  const found = Object.entries(texts).filter(([, text]) => words.some((it) => text.includes(it)));
  return [...paths, ...found.map(([kind]) => kind), ...processesOf(name, folder)];
}

beforeAll(async () => {
  buildx = (await labTools.ensure(["buildx"], report)).get("buildx") ?? "";
  // Packages stay on the machine, so they are installed before the first snapshot.
  await ensureDebianPackages([...labPackages(), ...imagePackages], report);
  initial = takeSnapshot();
  info = await startLab(options, report);
  cluster = await Kubectl.of(info.kubeconfig);
}, START);

afterAll(async () => {
  await resetLab(second, report);
  await resetLab(options, report);
  rmSync(root, { recursive: true, force: true });
}, START);

describe("a lab that has been started", () => {
  it("has every component running, and files with its addresses", async () => {
    const { components } = await labStatus(options);
    expect(components.filter(({ state }) => state !== "running")).toEqual([]);
    expect(components).toHaveLength(13);
    expect(JSON.parse(readFileSync(join(info.folder, "lab.json"), "utf8"))).toEqual(info);
    expect(info).toMatchObject({ context: `lab-${NAME}`, builder: `lab-${NAME}` });
    const lock = JSON.parse(readFileSync(info.imagesLock, "utf8"));
    expect(Object.keys(lock)).toEqual(Object.keys(lock).sort());
    expect(readFileSync(info.ca, "utf8")).toContain("BEGIN CERTIFICATE");
  });

  it("is not changed by a second start", { timeout: 30 * SECONDS }, async () => {
    const before = await pids();
    expect(await startLab(options, report)).toEqual(info);
    expect(await pids()).toEqual(before);
  });

  it("builds an image and pushes it to its registry", { timeout: 60 * SECONDS }, async () => {
    const context = mkdtempSync(join(root, "build-"));
    const base = `${info.registry}/docker.io/library/python:3.13-slim`;
    writeFileSync(
      join(context, "Dockerfile"),
      `FROM ${base}\nRUN python3 -c 'print(6*7)' > /answer\n`,
    );
    const tag = `${info.registry}/e2e/answer:1`;
    await run(buildx, ["build", "--builder", info.builder, "--push", "--tag", tag, context]);
    const tags = await fetch(`http://${info.registry}/v2/e2e/answer/tags/list`);
    expect(await tags.json()).toMatchObject({ tags: ["1"] });
  });

  it("runs restricted pods, with a volume that they can write", {
    timeout: 90 * SECONDS,
  }, async () => {
    const lock = JSON.parse(readFileSync(info.imagesLock, "utf8"));
    const digest = lock["docker.io/library/python:3.13-slim"];
    const image = `${info.registry}/docker.io/library/python@${digest}`;
    const pods = [clientPod("allowed-client", image), clientPod("other-client", image)];
    await apply([...serverObjects(image, HOST), ...pods]);
    const names = ["pod/server", "pod/allowed-client", "pod/other-client"];
    await kubectl("-n", "e2e", "wait", "--for=condition=Ready", "--timeout=60s", ...names);
    expect(await python("server", "print(open('/data/index.html').read(), end='')")).toBe("hello");
    expect(await python("server", "import os; print(os.getuid())")).toBe("1000");
    expect(await kubectl("-n", "e2e", "get", "pvc", "data", "-o", "jsonpath={.status.phase}")).toBe(
      "Bound",
    );
  });

  it("resolves names of the cluster", async () => {
    const lookup = (name: string) => `import socket; print(socket.gethostbyname('${name}'))`;
    expect(await python("allowed-client", lookup("kubernetes.default"))).toBe("10.96.0.1");
    expect(await python("allowed-client", lookup("server.e2e.svc.cluster.local"))).toMatch(
      /^10\.96\./,
    );
  });

  it("allows only the connections of a NetworkPolicy", {
    timeout: 60 * SECONDS,
  }, async () => {
    const fromOther = async () => expect(await python("other-client", FETCH)).toBe("denied");
    await vi.waitFor(fromOther, 30 * SECONDS);
    expect(await python("allowed-client", FETCH)).toBe("200");
    await fromOther();
  });

  it("responds through the ingress, and writes its address", {
    timeout: 60 * SECONDS,
  }, async () => {
    await vi.waitFor(async () => expect(await viaIngress(HOST)).toBe(200), 30 * SECONDS);
    expect(await viaIngress("unknown.localhost")).toBe(404);
    const path = "jsonpath={.status.loadBalancer.ingress[0].ip}";
    const address = await kubectl("-n", "e2e", "get", "ingress", "server", "-o", path);
    expect(address).toBe(info.nodeAddress);
  });

  it("responds to a burst of connections", async () => {
    // With a small backlog of the forwarder some of these are reset, or wait for a minute.
    const burst = Array.from({ length: 200 }, () => viaIngress("unknown.localhost"));
    expect(new Set(await Promise.all(burst))).toEqual(new Set([404]));
  });

  it("has metrics of its node", async () => {
    expect(await kubectl("top", "nodes", "--no-headers")).toMatch(
      new RegExp(`^lab-${NAME}\\s+\\d+m`),
    );
  });
});

describe("a lab with failed components", () => {
  it("is repaired without an effect on its pods", { timeout: 120 * SECONDS }, async () => {
    const before = await pids();
    const uid = ["-n", "e2e", "get", "pod", "allowed-client", "-o", "jsonpath={.metadata.uid}"];
    const pod = await kubectl(...uid);
    for (const name of ["kubelet", "apiserver", "containerd"]) {
      process.kill(before[name] ?? 0, "SIGKILL");
    }
    process.kill(before.scheduler ?? 0, "SIGSTOP");
    await run("ip", ["link", "del", `ml-${NAME}`]);
    await startLab(options, report);
    const after = await pids();
    const changed = Object.keys(before).filter((name) => before[name] !== after[name]);
    expect(changed.sort()).toEqual(["apiserver", "containerd", "kubelet", "scheduler"]);
    expect(await kubectl(...uid)).toBe(pod);
    // The kubelet finds its pods at once; CoreDNS may lack names for a second after the restart of the API server.
    expect(await python("allowed-client", "print('here')")).toBe("here");
    const fromAllowed = async () => expect(await python("allowed-client", FETCH)).toBe("200");
    await vi.waitFor(fromAllowed, 30 * SECONDS);
  });

  it("refuses a name that runs for another folder", async () => {
    const other = { name: NAME, folder: join(root, "other") };
    await expect(startLab(other, report)).rejects.toThrow(
      `The lab "${NAME}" runs for ${options.folder}. Stop it there, or use another --name.`,
    );
  });

  it("refuses a port in use before anything is started", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const taken = typeof address === "object" ? address?.port : undefined;
    await expect(startLab({ ...second, registryPort: taken }, report)).rejects.toThrow(
      new RegExp(`Port ${taken} .* in use by .*pid ${process.pid}.*--registry-port`),
    );
    expect(await traces(second)).toEqual([]);
    server.close();
  });
});

describe("a second lab", () => {
  it("runs next to the first, and leaves nothing", { timeout: 150 * SECONDS }, async () => {
    const started = await startLab(second, report);
    expect(started.nodeAddress).not.toBe(info.nodeAddress);
    expect(started.registry).not.toBe(info.registry);
    expect(await python("allowed-client", FETCH)).toBe("200");
    await resetLab(second, report);
    expect(await traces(second)).toEqual([]);
    expect(existsSync(second.folder)).toBe(false);
    expect(await python("allowed-client", FETCH)).toBe("200");
  });
});

describe("a lab that is stopped", () => {
  it("leaves only its folder on the machine", { timeout: 60 * SECONDS }, async () => {
    await stopLab(options, report);
    expect(await traces(options)).toEqual([]);
    expect(existsSync(info.kubeconfig)).toBe(true);
  });

  it("has the same pods and volumes after the next start", {
    timeout: 120 * SECONDS,
  }, async () => {
    await startLab(options, report);
    await kubectl("-n", "e2e", "wait", "--for=condition=Ready", "--timeout=60s", "pod/server");
    await vi.waitFor(async () => expect(await viaIngress(HOST)).toBe(200), 30 * SECONDS);
  });

  it("is removed by a reset", { timeout: 60 * SECONDS }, async () => {
    await resetLab(options, report);
    expect(await traces(options)).toEqual([]);
    expect(existsSync(options.folder)).toBe(false);
    const { stdout } = await run(buildx, ["ls"]);
    expect(stdout).not.toContain(info.builder);
    expect(changesOf([NAME, second.name], initial, takeSnapshot())).toEqual([]);
  });
});
