import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it, vi } from "vitest";
import { identify } from "../../lab/cluster/identity";
import { labStatus, labTrouble, resetLab, startLab, stopLab } from "../../lab/cluster/lab";
import { logFile, runningProcess, supervisedComponents } from "../../lab/cluster/processes";
import { assembleImages } from "../../lab/images";
import { processesOf } from "../support/lab-processes";

const SECONDS = 1000;
/** A start that has to build every tool first. */
const START = 3600 * SECONDS;
/** Longer than the timeout of any component: the longest known is kube-router's minute. */
const SLOW_IMAGES = 185 * SECONDS;

const root = mkdtempSync(join(tmpdir(), "lab-faults-"));
const optionsOf = (kind: string) => {
  return { name: `${kind}-${process.pid.toString(36)}`, folder: join(root, kind) };
};
const slow = optionsOf("slow");
const hurt = optionsOf("hurt");
const lab = identify(hurt);

/** Records lines of progress, to be shown if a test fails. */
function listener() {
  const lines: string[] = [];
  return { lines, report: (line: string) => void lines.push(line) };
}

/** Names of the components that the lab has started so far. */
function startedComponents(): string[] {
  return supervisedComponents(lab).filter((name) => !name.endsWith(".new"));
}

const pidOf = (name: string) => runningProcess(lab, name)?.pid;

/** Calls `act` once for each component, when its process first appears, until the work ends. */
async function onEachComponent<T>(act: (name: string, pid: number) => void, work: Promise<T>) {
  const seen = new Set<string>();
  const watch = setInterval(() => {
    for (const name of startedComponents()) {
      const pid = seen.has(name) ? undefined : pidOf(name);
      if (!pid) {
        continue;
      }
      seen.add(name);
      act(name, pid);
    }
  }, 50);
  return work.finally(() => clearInterval(watch));
}

/** The state of each component, and the reason. */
async function states(options: typeof hurt) {
  const { components } = await labStatus(options);
  return components.map(({ name, state, reason }) => ({ name, state, reason }));
}

const running = (name: string) => ({ name, state: "running", reason: undefined });

/**
 * Listens on a port in the lab's network as soon as it is free, so that a component cannot use it.
 * @returns a function that frees it
 */
async function occupy(port: number): Promise<() => void> {
  const script = `until socat TCP4-LISTEN:${port},reuseaddr,fork PIPE; do sleep 0.05; done`;
  const holder = spawn("nsenter", [`--net=${lab.paths.netns}`, "sh", "-c", script], {
    detached: true,
    stdio: "ignore",
  });
  await once(holder, "spawn");
  return () => process.kill(-(holder.pid ?? 0), "SIGKILL");
}

/** Aborted when the tests are over, also after a failure while the other lab still waits for its images. */
const over = new AbortController();
let slowStart: Promise<unknown> = Promise.resolve();

afterAll(async () => {
  over.abort();
  await slowStart.catch(() => {});
  await Promise.all([slow, hurt].map((options) => resetLab(options, () => {})));
  rmSync(root, { recursive: true, force: true });
}, START);

describe.concurrent("a lab with faults during its start", () => {
  it("waits minutes for images without restarting a component", { timeout: START }, async () => {
    const { lines, report } = listener();
    const assemble: typeof assembleImages = async (...given) => {
      await delay(SLOW_IMAGES, undefined, { signal: over.signal });
      return assembleImages(...given);
    };
    slowStart = startLab(slow, report, { assemble });
    await slowStart;
    const found = await states(slow);
    expect(found, lines.join("\n")).toEqual(found.map(({ name }) => running(name)));
    expect(found).toHaveLength(13);
    expect(lines.filter((line) => line.includes("exited"))).toEqual([]);
  });

  // The steps use the same lab: each step begins with the state after the previous one.
  it("recovers from failures of its components", { timeout: START }, async () => {
    await step("every component is killed once while it starts", eachComponentKilled);
    await step("a component that is killed later is restarted", restarted);
    await step("a component that cannot run is named and not restarted any more", notRestarted);
    await step("etcd is stopped for ten seconds during the start", etcdStalled);
    await step("it is stopped while its components are being restarted", stoppedDuringRestarts);
  });
});

async function step(name: string, work: () => Promise<void>): Promise<void> {
  const begin = Date.now();
  await work();
  console.log(`${name}: ${Math.round((Date.now() - begin) / SECONDS)} s`);
}

async function eachComponentKilled(): Promise<void> {
  const { lines, report } = listener();
  const killed: string[] = [];
  const kill = (name: string, pid: number) => {
    // At different moments: before it listens, when it is ready, when others use it.
    setTimeout(() => process.kill(pid, "SIGKILL"), killed.push(name) * 150);
  };
  await onEachComponent(kill, startLab(hurt, report));
  const found = await states(hurt);
  expect(killed).toHaveLength(13);
  expect(found.map(({ name, state }) => `${name} ${state}`).sort(), lines.join("\n")).toEqual(
    killed.map((name) => `${name} running`).sort(),
  );
  for (const name of killed) {
    const line = `${name}: exited with code 137; its log is ${logFile(lab, name)}`;
    expect(lines).toContain(line);
  }
}

async function restarted(): Promise<void> {
  const first = pidOf("controller-manager") ?? 0;
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(pidOf("controller-manager")).toBeUndefined(), 5 * SECONDS);
  expect(labTrouble(hurt).join()).toContain("controller-manager does not run (exited ");
  await vi.waitFor(
    async () => {
      const found = (await states(hurt)).find(({ name }) => name === "controller-manager");
      expect(found).toMatchObject({ state: "running" });
      expect(found?.reason).toMatch(/exited 2 times, last at \d\d:\d\d:\d\d with code 137; log: /);
    },
    { timeout: 60 * SECONDS, interval: 500 },
  );
  expect(pidOf("controller-manager")).not.toBe(first);
  expect(labTrouble(hurt)).toEqual([]);
}

async function notRestarted(): Promise<void> {
  const giveBack = await occupy(10259);
  process.kill(pidOf("scheduler") ?? 0, "SIGKILL");
  try {
    await vi.waitFor(
      async () => {
        const found = (await states(hurt)).find(({ name }) => name === "scheduler");
        expect(found).toMatchObject({ state: "stopped" });
        expect(found?.reason).toContain(`log: ${logFile(lab, "scheduler")}`);
      },
      { timeout: 120 * SECONDS, interval: 1000 },
    );
    expect(labTrouble(hurt).join()).toContain(
      `"npm run lab -- up --name ${hurt.name}" starts it; its log is ${logFile(lab, "scheduler")}`,
    );
    await expect(startLab(hurt, () => {})).rejects.toThrow(
      /^scheduler has exited 6 times.* is not restarted\. The last lines of .*scheduler\.log:.*address already in use/s,
    );
  } finally {
    giveBack();
  }
  await startLab(hurt, () => {});
  expect((await states(hurt)).filter(({ state }) => state !== "running")).toEqual([]);
}

async function etcdStalled(): Promise<void> {
  await stopLab(hurt, () => {});
  const { lines, report } = listener();
  let stalled: number | undefined;
  const stall = (name: string) => {
    if (name !== "kubelet") {
      return; // the API server is ready, and the other components start
    }
    stalled = pidOf("etcd") ?? 0;
    process.kill(stalled, "SIGSTOP");
    setTimeout(() => process.kill(stalled ?? 0, "SIGCONT"), 10 * SECONDS);
  };
  await onEachComponent(stall, startLab(hurt, report));
  expect(stalled).toBeGreaterThan(0);
  expect(pidOf("etcd"), lines.join("\n")).toBe(stalled);
  expect((await states(hurt)).filter(({ state }) => state !== "running")).toEqual([]);
}

async function stoppedDuringRestarts(): Promise<void> {
  expect(processesOf(hurt.name, hurt.folder)).not.toEqual([]);
  for (const name of startedComponents()) {
    process.kill(pidOf(name) ?? 0, "SIGKILL");
  }
  await stopLab(hurt, () => {});
  expect(processesOf(hurt.name, hurt.folder)).toEqual([]);
  // Longer than the pause before the first restart.
  await delay(3 * SECONDS);
  expect(processesOf(hurt.name, hurt.folder)).toEqual([]);
  expect(existsSync(lab.paths.run)).toBe(false);
}
