import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeIfEmpty, writeIfChanged } from "../../../lab/cluster/files";
import { fingerprint, identify } from "../../../lab/cluster/identity";
import { choosePorts, readSettings, writeSettings } from "../../../lab/cluster/settings";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lab-unit-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("identify", () => {
  it("is the lab dev of this checkout by default", () => {
    const lab = identify({});
    expect(lab).toMatchObject({ name: "dev", label: "lab-dev", scope: "ml-lab-dev" });
    expect(lab.paths.folder).toBe(join(process.cwd(), ".lab", "dev"));
    expect(lab.paths.netns).toBe("/run/ml-lab/dev/ns/net");
  });

  it("shares no name or path between two labs", () => {
    const one = identify({ name: "one" });
    const two = identify({ name: "two" });
    const shared = Object.entries(one.paths).filter(
      ([key, path]) => two.paths[key as keyof typeof two.paths] === path,
    );
    // Inside the mount namespace, which is the lab's own.
    expect(shared.map(([key]) => key)).toEqual(["containerdSocket"]);
    expect(one.link).not.toBe(two.link);
  });

  it.each(["", "a", "Dev", "dev_1", "-dev", "dev-", "1dev", "dev/..", "thirteen-long"])(
    "refuses the name %j",
    (name) => expect(() => identify({ name })).toThrow(/--name: .*is not a lab name\. Use 2 to 12/),
  );

  it("keeps interface names within the kernel's 15 characters, and sockets within 107", () => {
    const { link, paths } = identify({ name: "twelve-chars" });
    expect(link.length).toBeLessThanOrEqual(15);
    expect(paths.buildkitSocket.length).toBeLessThanOrEqual(107);
  });
});

describe("fingerprint", () => {
  it("changes with any part of what it is taken of", () => {
    const base = fingerprint([["etcd", "--a"], { f: "x" }]);
    expect(fingerprint([["etcd", "--a"], { f: "x" }])).toBe(base);
    expect(fingerprint([["etcd", "--b"], { f: "x" }])).not.toBe(base);
    expect(fingerprint([["etcd", "--a"], { f: "y" }])).not.toBe(base);
  });
});

describe("files", () => {
  it("are written, for their owner alone, only when their content changes", () => {
    const path = join(folder, "below", "config");
    writeIfChanged(path, "one");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    utimesSync(path, 1, 1);
    writeIfChanged(path, "one");
    expect(statSync(path).mtimeMs).toBe(1000);
    writeIfChanged(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
  });

  it("keep their folder from being removed", () => {
    const below = join(folder, "below");
    writeIfChanged(join(below, "config"), "one");
    removeIfEmpty(below);
    expect(existsSync(below)).toBe(true);
    rmSync(join(below, "config"));
    removeIfEmpty(below);
    removeIfEmpty(below);
    expect(existsSync(below)).toBe(false);
  });
});

describe("settings", () => {
  const written = { name: "unit", subnet: "10.231.7.0/30", registryPort: 5100, ingressPort: 8100 };

  it("come back as they were written", () => {
    const lab = identify({ name: "unit", folder });
    expect(readSettings(lab)).toBeUndefined();
    writeSettings(lab, written);
    expect(readSettings(lab)).toEqual(written);
    expect(readFileSync(lab.paths.settings, "utf8").endsWith("}\n")).toBe(true);
  });

  it("of another lab are refused with both names", () => {
    writeSettings(identify({ name: "unit", folder }), written);
    expect(() => readSettings(identify({ name: "other", folder }))).toThrow(
      /holds the lab "unit"\. Use --name unit/,
    );
  });

  it.each(["{}", '{"name":"unit","registryPort":0,"ingressPort":8080}', "{"])(
    "that are damaged (%s) are refused with the folder to remove",
    (text) => {
      writeFileSync(join(folder, "settings.json"), text);
      expect(() => readSettings(identify({ name: "unit", folder }))).toThrow(
        new RegExp(`damaged.*${folder}`),
      );
    },
  );
});

describe("choosePorts", () => {
  it("gives the default lab the ports that committed stack files name", async () => {
    const ports = await choosePorts(identify({ folder }), {}, undefined);
    expect(ports).toEqual({ registryPort: 5001, ingressPort: 8080 });
  });

  it("leaves those two to it", async () => {
    const ports = await choosePorts(identify({ name: "other", folder }), {}, undefined);
    expect(ports.registryPort).toBeGreaterThan(5001);
    expect(ports.ingressPort).toBeGreaterThan(8080);
  });

  it("prefers a flag to what is remembered, and that to the default", async () => {
    const remembered = { name: "unit", registryPort: 5100, ingressPort: 8100 };
    const lab = identify({ name: "unit", folder });
    expect(await choosePorts(lab, { ingressPort: 9000 }, remembered)).toEqual({
      registryPort: 5100,
      ingressPort: 9000,
    });
  });

  it("refuses one port for both", async () => {
    const same = { registryPort: 9000, ingressPort: 9000 };
    await expect(choosePorts(identify({ folder }), same, undefined)).rejects.toThrow(
      "--registry-port and --ingress-port are both 9000",
    );
  });
});
