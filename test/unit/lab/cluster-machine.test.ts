import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CgroupLayout,
  cgroupRoot,
  labFolders,
  parseHierarchies,
  trackingFolder,
} from "../../../lab/cluster/cgroups";
import { controllersToEnable, joinCommand } from "../../../lab/cluster/delegation";
import { prepareKernel, restoreKernel } from "../../../lab/cluster/kernel";
import { type Machine, machineProblem, requireMachine } from "../../../lab/cluster/machine";

describe("a machine that cannot run a lab", () => {
  const debian: Machine = {
    platform: "linux",
    debian: true,
    root: true,
    sudoFindsNpm: true,
    script: "start",
  };
  const fault = (changes: Partial<Machine>) => machineProblem({ ...debian, ...changes });

  it("gets two lines, and the second names the alternative", () => {
    for (const changes of [{ platform: "darwin" as const }, { debian: false }, { root: false }]) {
      const lines = fault(changes)?.split("\n");
      expect(lines).toHaveLength(2);
      expect(lines?.[1]).toContain("npm start -- --context NAME");
    }
  });

  it("gets the first problem: root is not needed on a Mac", () => {
    expect(fault({ platform: "darwin", debian: false, root: false })).toContain("Linux only");
    expect(fault({ debian: false, root: false })).toContain("Debian");
  });

  it("gets the command that was run, with sudo", () => {
    expect(fault({ root: false })).toContain("Run: sudo npm start\n");
    expect(fault({ root: false, script: "lab" })).toContain("Run: sudo npm run lab -- ...\n");
    expect(fault({ root: false, sudoFindsNpm: false })).toContain(
      'Run: sudo env "PATH=$PATH" npm start\n',
    );
  });

  it("is not any other", () => {
    expect(fault({})).toBeUndefined();
    expect(() => requireMachine({ ...debian, root: false })).toThrow(/needs root/);
  });
});

describe("a shell of su", () => {
  const { PATH } = process.env;
  afterEach(() => {
    process.env.PATH = PATH;
  });

  it("gets the folders of administration programs on PATH, once", () => {
    process.env.PATH = "/usr/bin:/sbin";
    const root = { platform: "linux", debian: true, root: true, sudoFindsNpm: true } as const;
    requireMachine({ ...root, script: undefined });
    requireMachine({ ...root, script: undefined });
    expect(process.env.PATH).toBe("/usr/bin:/sbin:/usr/local/sbin:/usr/sbin");
  });
});

describe("the cgroups of a lab", () => {
  const v2 = ["/sys/fs/cgroup"];
  const v1 = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"];
  const layout = (trees: readonly string[], systemd: boolean): CgroupLayout => ({
    trees,
    unified: trees.includes("/sys/fs/cgroup"),
    systemd,
  });

  it("are a unit of systemd if it manages the v2 hierarchy", () => {
    const here = layout(v2, true);
    expect(labFolders("ml-lab-x", here)).toEqual(["/sys/fs/cgroup/system.slice/ml-lab-x.scope"]);
    expect(trackingFolder("ml-lab-x", here)).toBe("/sys/fs/cgroup/system.slice/ml-lab-x.scope");
    expect(cgroupRoot("ml-lab-x", here)).toBe("/");
  });

  it("are below the root of v2 without systemd", () => {
    const here = layout(v2, false);
    expect(labFolders("ml-lab-x", here)).toEqual(["/sys/fs/cgroup/ml-lab-x"]);
    expect(cgroupRoot("ml-lab-x", here)).toBe("/");
  });

  it.each([
    ["v1", v1],
    ["hybrid", [...v1, "/sys/fs/cgroup/unified"]],
  ])("are in every hierarchy of %s, and that of pids lists the processes", (_name, trees) => {
    for (const systemd of [true, false]) {
      const here = layout(trees, systemd);
      expect(labFolders("ml-lab-x", here)).toEqual(trees.map((tree) => `${tree}/ml-lab-x`));
      expect(trackingFolder("ml-lab-x", here)).toBe("/sys/fs/cgroup/pids/ml-lab-x");
      expect(cgroupRoot("ml-lab-x", here)).toBe("/ml-lab-x");
    }
  });

  it("are distinguished by the mount point of v2", () => {
    const hybrid = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
    expect(parseHierarchies(hybrid)).toEqual(["/sys/fs/cgroup/unified"]);
  });

  it("are delegated without limits", () => {
    const command = joinCommand("ml-lab-x", "/unused", true).join(" ");
    expect(command).toContain("--scope");
    expect(command).toContain("--unit ml-lab-x.scope --slice system.slice");
    expect(command).toContain("--property Delegate=yes");
    expect(command).toContain("--property TasksMax=infinity");
    expect(command).toContain("--property TimeoutStopSec=15");
  });

  it("get the controllers that pods need, if the kernel has them", () => {
    const kernel = "cpuset cpu io memory hugetlb pids rdma misc\n";
    expect(controllersToEnable(kernel, "cpu memory pids\n")).toEqual(["cpuset", "io"]);
    expect(controllersToEnable(kernel, "\n")).toEqual(["cpu", "cpuset", "io", "memory", "pids"]);
    expect(controllersToEnable("cpu io memory pids\n", "cpu io memory pids\n")).toEqual([]);
  });
});

describe("the kernel's settings", () => {
  let folder: string;
  const root = () => join(folder, "sys");
  const saved = () => join(folder, "kernel.json");
  const set = (name: string, value: string) => {
    mkdirSync(dirname(join(root(), name)), { recursive: true });
    writeFileSync(join(root(), name), `${value}\n`);
  };
  const get = (name: string) => readFileSync(join(root(), name), "utf8").trim();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-kernel-"));
    set("net/ipv4/ip_forward", "0");
    set("vm/overcommit_memory", "0");
    set("kernel/panic", "0");
    set("kernel/panic_on_oops", "0");
    set("net/ipv4/conf/all/accept_redirects", "0");
    for (const link of ["all", "default", "eth0", "vpn0"]) {
      set(`net/ipv4/conf/${link}/forwarding`, link === "vpn0" ? "1" : "0");
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Changes of the kubelet and the kernel while a lab runs. */
  const runLab = () => {
    prepareKernel(root(), saved());
    expect(get("net/ipv4/ip_forward")).toBe("1");
    set("vm/overcommit_memory", "1");
    set("kernel/panic", "10");
    set("kernel/panic_on_oops", "1");
    for (const link of ["all", "default", "eth0"]) {
      set(`net/ipv4/conf/${link}/forwarding`, "1");
    }
  };
  /** Changes of the kernel when forwarding is disabled: it does not restore values. */
  const switchOff = () => {
    set("net/ipv4/conf/all/accept_redirects", "1");
    for (const link of ["all", "default", "eth0", "vpn0"]) {
      set(`net/ipv4/conf/${link}/forwarding`, "0");
    }
  };

  it("are restored, with those that depend on forwarding", () => {
    runLab();
    switchOff();
    restoreKernel(false, root(), saved());
    expect(get("net/ipv4/ip_forward")).toBe("0");
    expect(get("vm/overcommit_memory")).toBe("0");
    expect(get("kernel/panic")).toBe("0");
    expect(get("net/ipv4/conf/all/accept_redirects")).toBe("0");
    expect(get("net/ipv4/conf/vpn0/forwarding")).toBe("1");
    expect(get("net/ipv4/conf/eth0/forwarding")).toBe("0");
  });

  it("are those from before the first lab after a second lab", () => {
    runLab();
    prepareKernel(root(), saved());
    restoreKernel(false, root(), saved());
    expect(get("net/ipv4/ip_forward")).toBe("0");
  });

  it("are kept if another program has changed them", () => {
    runLab();
    set("vm/overcommit_memory", "2");
    restoreKernel(false, root(), saved());
    expect(get("vm/overcommit_memory")).toBe("2");
    expect(get("kernel/panic")).toBe("0");
  });

  it("keep forwarding if another program (Docker) needs it", () => {
    runLab();
    restoreKernel(true, root(), saved());
    expect(get("net/ipv4/ip_forward")).toBe("1");
    expect(get("net/ipv4/conf/eth0/forwarding")).toBe("1");
    expect(get("kernel/panic")).toBe("0");
  });

  it("are not changed if no lab has saved any", () => {
    restoreKernel(false, root(), saved());
    expect(get("net/ipv4/ip_forward")).toBe("0");
  });
});
