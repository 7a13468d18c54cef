import { describe, expect, it } from "vitest";
import {
  acrossReboot,
  changesOf,
  differences,
  rulesWithoutCounters,
  takeSnapshot,
  withoutEmptyTables,
} from "../../support/machine-snapshot";

describe("a snapshot of a machine", () => {
  it("lists what was added and removed, by kind", () => {
    const before = { mounts: ["a", "b"], units: ["x"] };
    expect(differences(before, { mounts: ["b", "c"], units: ["x"] })).toEqual([
      "mounts: - a",
      "mounts: + c",
    ]);
  });

  it("ignores only other labs", () => {
    const now = {
      mounts: ["nsfs /run/ml-lab/other/ns/net nsfs", "nsfs /run/ml-lab/mine/ns/net nsfs"],
      routes: ["10.231.1.0/30 dev ml-other", "10.231.2.0/30 dev ml-mine"],
      files: ["/opt/new"],
    };
    const empty = { mounts: [], routes: [], files: [] };
    expect(changesOf(["mine"], empty, now)).toEqual([
      "mounts: + nsfs /run/ml-lab/mine/ns/net nsfs",
      "routes: + 10.231.2.0/30 dev ml-mine",
      "files: + /opt/new",
    ]);
  });

  it("ignores removed cgroups and those with processes of others, but no new empty one", () => {
    const before = { cgroups: ["/sys/fs/cgroup/a"] };
    const now = { cgroups: ["/sys/fs/cgroup/used", "/sys/fs/cgroup/kubepods"] };
    const members = (path: string) => (path.endsWith("used") ? "812\n" : "");
    expect(changesOf(["mine"], before, now, members)).toEqual([
      "cgroups: + /sys/fs/cgroup/kubepods",
    ]);
  });

  it("has rules without their counters", () => {
    const text = "# made\n*filter\n:FORWARD DROP [10:840]\n-A FORWARD -j ACCEPT\nCOMMIT\n";
    expect(rulesWithoutCounters(text)).toEqual([
      "*filter",
      ":FORWARD DROP",
      "-A FORWARD -j ACCEPT",
      "COMMIT",
    ]);
  });

  it("treats a table that accepts everything as no table", () => {
    const empty = ["*nat", ":PREROUTING ACCEPT", "COMMIT"];
    const dropping = ["*filter", ":FORWARD DROP", "COMMIT"];
    const ruled = ["*filter", ":FORWARD ACCEPT", "-A FORWARD -j ACCEPT", "COMMIT"];
    expect(withoutEmptyTables(empty)).toEqual([]);
    expect(withoutEmptyTables([...empty, ...dropping])).toEqual(["*filter", ":FORWARD DROP"]);
    expect(withoutEmptyTables([...ruled, ...empty])).toContain("-A FORWARD -j ACCEPT");
    expect(withoutEmptyTables([...empty, "*filter", ":DOCKER - ", "COMMIT"])).toContain(
      ":DOCKER - ",
    );
  });

  it("lists changed settings, and not those of a loaded module", () => {
    const before = { settings: ["kernel.panic = 0"] };
    const after = { settings: ["kernel.panic = 10", "net.netfilter.x = 1"] };
    expect(differences(before, after)).toEqual([
      "settings: - kernel.panic = 0",
      "settings: + kernel.panic = 10",
    ]);
  });

  it("takes from before a reboot what is on a disk, and from after it what is in memory", () => {
    const before = { files: ["/etc/a", "/run/old"], builders: [], mounts: ["tmpfs /old"] };
    const booted = {
      files: ["/etc/a", "/opt/of-the-lab", "/run/new"],
      builders: ["/root/.docker/buildx/instances/lab-dev"],
      mounts: ["tmpfs /new"],
    };
    expect(acrossReboot(before, booted)).toEqual({
      files: ["/etc/a", "/run/new"],
      builders: [],
      mounts: ["tmpfs /new"],
    });
  });

  it("reads this machine without differences", () => {
    const one = takeSnapshot();
    for (const kind of ["addresses", "mounts", "files"]) {
      expect(one[kind]).not.toEqual([]);
    }
    expect(one.addresses?.join("\n")).toContain("127.0.0.1/8");
  });
});
