import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ensureDebianPackages, missingPackages, serviceUnits } from "../../../lab/tools/debian";
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
  it("counts only what dpkg calls installed", () => {
    const answer = "skopeo installed\nipset config-files\nruncible installed\n";
    expect(missingPackages(["skopeo", "ipset", "runc"], answer)).toEqual(["ipset", "runc"]);
    expect(missingPackages(["skopeo"], "")).toEqual(["skopeo"]);
  });
});

describe("serviceUnits", () => {
  it("finds what systemd could start, and no templates", () => {
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

describe("ensureDebianPackages", () => {
  it("installs only what is missing, and takes nothing away for it", async () => {
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

  it("shows why an install failed", async () => {
    box.script("dpkg-query", "#!/bin/sh\n");
    box.script(
      "apt-get",
      '#!/bin/sh\n[ "$1" = update ] || { echo "E: no such thing" >&2; exit 100; }\n',
    );
    vi.spyOn(process, "getuid").mockReturnValue(0);
    await expect(ensureDebianPackages(["ipset"], box.report)).rejects.toThrow(/E: no such thing/);
  });

  it("tells what to run where it is not root, or no Debian", async () => {
    box.script("dpkg-query", "#!/bin/sh\n");
    box.script("apt-get", "#!/bin/sh\n");
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    const failure = ensureDebianPackages(["ipset", "runc"], box.report);
    await expect(failure).rejects.toThrow(/sudo apt-get install ipset runc/);
    vi.stubEnv("PATH", "");
    await expect(ensureDebianPackages(["ipset"], box.report)).rejects.toThrow(/no Debian.*ipset/);
  });
});
