import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseHierarchies } from "../../../lab/cluster/cgroups";
import { labRules, rulesOf } from "../../../lab/cluster/firewall";
import { parseResolvers, upstreamResolvers } from "../../../lab/cluster/resolvers";
import { listensOnLoopback, ownerOf } from "../../../lab/cluster/settings";
import { type Sandbox, sandbox } from "../../support/sandbox";

describe("cgroup hierarchies", () => {
  it("are one with cgroup v2", () => {
    const mounts =
      "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\ntmpfs /tmp tmpfs rw 0 0\n";
    expect(parseHierarchies(mounts)).toEqual(["/sys/fs/cgroup"]);
  });

  it("are several with v1, without those that a container has mounted elsewhere", () => {
    const mounts = [
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
      "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0",
      "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
      "cgroup /var/lib/lxc/x/sys/fs/cgroup/pids cgroup rw,pids 0 0",
    ].join("\n");
    expect(parseHierarchies(mounts)).toEqual([
      "/sys/fs/cgroup/memory",
      "/sys/fs/cgroup/pids",
      "/sys/fs/cgroup/unified",
    ]);
  });
});

describe("firewall rules", () => {
  const rules = labRules("ml-lab-dev", "ml-dev", "10.231.7.0/30");

  it("all have the lab's comment", () => {
    for (const { spec } of rules) {
      expect(spec.join(" ")).toContain("--comment ml-lab-dev");
    }
  });

  it("accept only replies", () => {
    const inward = rules.filter(({ spec }) => spec.includes("-o"));
    expect(inward).toHaveLength(1);
    expect(inward[0]?.spec.join(" ")).toContain("--ctstate RELATED,ESTABLISHED");
  });

  it("are found by their comment, without those of other labs", () => {
    const listing = [
      "-P FORWARD ACCEPT",
      "-A FORWARD -i ml-dev -m comment --comment ml-lab-dev -j ACCEPT",
      '-A FORWARD -i ml-old -m comment --comment "ml-lab-dev" -j ACCEPT',
      "-A FORWARD -i ml-dev-2 -m comment --comment ml-lab-dev-2 -j ACCEPT",
      "-A FORWARD -i docker0 -j ACCEPT",
    ].join("\n");
    expect(rulesOf("ml-lab-dev", listing).map((words) => words[2])).toEqual(["ml-dev", "ml-old"]);
    expect(rulesOf("ml-lab-dev", listing)[0]?.[0]).toBe("FORWARD");
  });
});

describe("name servers", () => {
  it("are the IPv4 addresses that another namespace can reach", () => {
    const text =
      "# made by x\nnameserver 127.0.0.53\nnameserver 10.1.1.1\n nameserver fd00::1\nnameserver 8.8.8.8\n#nameserver 9.9.9.9\n";
    expect(parseResolvers(text)).toEqual(["10.1.1.1", "8.8.8.8"]);
  });

  it("can be empty", () => {
    expect(parseResolvers("nameserver 127.0.0.1\nsearch local\n")).toEqual([]);
  });
});

describe("the machine's name servers", () => {
  let box: Sandbox;
  beforeEach(() => {
    box = sandbox();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    box.remove();
  });

  it("are those of the first file that has any", () => {
    const stub = box.write("stub", "nameserver 127.0.0.53\n");
    const real = box.write("real", "nameserver 10.1.1.1\n");
    expect(upstreamResolvers([`${box.folder}/none`, stub, real])).toEqual(["10.1.1.1"]);
  });

  it("are none if no file has any", () => {
    expect(upstreamResolvers([box.write("stub", "nameserver 127.0.0.53\n")])).toEqual([]);
    expect(upstreamResolvers([])).toEqual([]);
  });
});

describe("the owner of a port in use", () => {
  const line = (local: string, users = "") =>
    `LISTEN 0      4096   ${local}      0.0.0.0:*    ${users}`;

  it("is named if the kernel shows it", () => {
    const users = 'users:(("docker-proxy",pid=812,fd=4))';
    expect(ownerOf(line("127.0.0.1:5001", users))).toBe("docker-proxy (pid 812)");
    expect(ownerOf(line("127.0.0.1:5001"))).toBe("another process");
  });

  it.each([
    ["127.0.0.1:5001", true],
    ["0.0.0.0:5001", true],
    ["*:5001", true],
    ["[::]:5001", true],
    ["10.231.7.1:5001", false],
    ["127.0.0.53%lo:53", false],
  ])("counts when it listens on %s: %s", (local, expected) => {
    expect(listensOnLoopback(line(local))).toBe(expected);
  });
});
