import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  ensureDebianPackages,
  lockHolder,
  missingPackages,
  serviceUnits,
} from "../../../lab/tools/debian";
import { cacheRoot, ToolError } from "../../../toolchain";
import { type Sandbox, sandbox } from "../../support/sandbox";

let box: Sandbox;

beforeEach(() => {
  box = sandbox();
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  box.remove();
});

describe("missingPackages", () => {
  it("accepts only packages that dpkg lists as installed", () => {
    const answer = "skopeo installed\nipset config-files\nruncible installed\n";
    expect(missingPackages(["skopeo", "ipset", "runc"], answer)).toEqual(["ipset", "runc"]);
    expect(missingPackages(["skopeo"], "")).toEqual(["skopeo"]);
  });
});

describe("serviceUnits", () => {
  it("finds units that systemd could start, without templates", () => {
    const listing = [
      "/usr/bin/etcd",
      "/lib/systemd/system/etcd.service",
      "/usr/lib/systemd/system/etcd@.service",
      "/usr/lib/systemd/system/docker-registry.service",
      "/usr/share/doc/etcd/etcd.service.gz",
    ].join("\n");
    expect(serviceUnits(listing)).toEqual(["etcd.service", "docker-registry.service"]);
  });
});

describe("lockHolder", () => {
  it.each([
    [
      "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)",
      "process 812 (unattended-upgr)",
    ],
    ["E: Could not get lock /var/lib/apt/lists/lock. It is held by process 9", "process 9"],
    [
      "E: Could not get lock /var/lib/dpkg/lock - open (11: Resource temporarily unavailable)",
      "another process",
    ],
    ["E: Unable to lock directory /var/lib/apt/lists/", "another process"],
    ["E: Unable to locate package ipset", undefined],
    ["E: Unable to fetch some archives", undefined],
  ])("%s", (stderr, holder) => {
    expect(lockHolder(stderr)).toBe(holder);
  });
});

describe("ensureDebianPackages", () => {
  it("installs only missing packages, and removes none", async () => {
    box.script("dpkg-query", "#!/bin/sh\necho skopeo installed\nexit 1\n");
    box.script("apt-get", `#!/bin/sh\necho "$*" >> ${box.folder}/apt.log\n`);
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await ensureDebianPackages(["skopeo"], box.report);
    expect(box.read("apt.log")).toEqual([]);
    await ensureDebianPackages(["skopeo", "ipset"], box.report);
    const install = "install --yes --no-install-recommends --no-remove ipset";
    expect(box.read("apt.log")).toEqual(["update", install]);
    expect(box.lines[0]).toBe("Debian packages: installing ipset ...");
  });

  it("shows why the installation failed", async () => {
    box.script("dpkg-query", "#!/bin/sh\n");
    box.script(
      "apt-get",
      '#!/bin/sh\n[ "$1" = update ] || { echo "E: no such thing" >&2; exit 100; }\n',
    );
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await expect(ensureDebianPackages(["ipset"], box.report)).rejects.toThrow(/E: no such thing/);
  });

  it("disables the services that an interrupted run has installed", async () => {
    const left = join(cacheRoot(), "debian-packages-to-finish");
    mkdirSync(cacheRoot(), { recursive: true });
    writeFileSync(left, "etcd-server");
    box.script(
      "dpkg-query",
      `#!/bin/sh\necho "$*" >> ${box.folder}/dpkg.log\necho ipset installed\n`,
    );
    box.script("systemctl", "#!/bin/sh\n");
    box.script("apt-get", "#!/bin/sh\n");
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await ensureDebianPackages(["ipset"], box.report);
    expect(existsSync(left)).toBe(false);
    // Without systemd there is nothing to disable.
    const asked = existsSync("/run/systemd/system") ? ["--listfiles etcd-server"] : [];
    expect(box.read("dpkg.log").filter((it) => it.includes("--listfiles"))).toEqual(asked);
  });

  it("leaves no record after a failed installation", async () => {
    box.script("dpkg-query", "#!/bin/sh\n");
    box.script("apt-get", '#!/bin/sh\n[ "$1" = update ]\n');
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await expect(ensureDebianPackages(["ipset"], box.report)).rejects.toThrow(ToolError);
    expect(existsSync(join(cacheRoot(), "debian-packages-to-finish"))).toBe(false);
  });

  describe("while another process uses apt", () => {
    const locked = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (apt)";

    it("waits, and reports once for which process", async () => {
      box.script("dpkg-query", "#!/bin/sh\n");
      const count = `echo "$1" >> ${box.folder}/apt.log`;
      const refuse = `[ $(wc -l < ${box.folder}/apt.log) -gt 3 ] || { echo "${locked}" >&2; exit 100; }`;
      box.script("apt-get", `#!/bin/sh\n${count}\n${refuse}\n`);
      vi.spyOn(process, "getuid").mockReturnValue(0);
      await ensureDebianPackages(["ipset"], box.report, { retries: 10, pause: 10 });
      expect(box.read("apt.log")).toEqual(["update", "update", "update", "update", "install"]);
      const waits = box.lines.filter((line) => line.includes("waiting"));
      expect(waits).toEqual(["Debian packages: process 812 (apt) is using apt, waiting ..."]);
    });

    it("stops waiting after a timeout, and names the process", async () => {
      box.script("dpkg-query", "#!/bin/sh\n");
      box.script("apt-get", `#!/bin/sh\necho "${locked}" >&2; exit 100\n`);
      vi.spyOn(process, "getuid").mockReturnValue(0);
      const failure = ensureDebianPackages(["ipset"], box.report, { retries: 2, pause: 10 });
      await expect(failure).rejects.toThrow(/"apt-get update": process 812 \(apt\) was using apt/);
    });
  });

  it("reports a failed update of the lists at once, and again if the installation fails", async () => {
    box.script("dpkg-query", "#!/bin/sh\n");
    box.script(
      "apt-get",
      '#!/bin/sh\n[ "$1" = update ] || { echo "E: Unable to locate package ipset" >&2; exit 100; }\n' +
        'echo "E: Failed to fetch http://deb.invalid/ Could not resolve" >&2; exit 100\n',
    );
    vi.spyOn(process, "getuid").mockReturnValue(0);
    const failure = ensureDebianPackages(["ipset"], box.report);
    await expect(failure).rejects.toThrow(
      /Unable to locate package ipset\nBefore that, "apt-get update" failed: E: Failed to fetch http/,
    );
    await expect(failure).rejects.toBeInstanceOf(ToolError);
    expect(box.lines[1]).toMatch(/^Debian packages: "apt-get update" failed \(E: Failed to fetch/);
  });

  it("prints the command to run without root, and on another distribution", async () => {
    box.script("dpkg-query", "#!/bin/sh\n");
    box.script("apt-get", "#!/bin/sh\n");
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    const failure = ensureDebianPackages(["ipset", "runc"], box.report);
    await expect(failure).rejects.toThrow(/sudo apt-get install ipset runc/);
    vi.stubEnv("PATH", "");
    await expect(ensureDebianPackages(["ipset"], box.report)).rejects.toThrow(
      /not Debian or Ubuntu.*ipset/,
    );
  });
});
