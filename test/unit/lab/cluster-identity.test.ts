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

  it("shares no name or path with another lab", () => {
    const one = identify({ name: "one" });
    const two = identify({ name: "two" });
    const shared = Object.entries(one.paths).filter(
      ([key, path]) => two.paths[key as keyof typeof two.paths] === path,
    );
    // In the mount namespace of the lab.
    expect(shared.map(([key]) => key)).toEqual(["containerdSocket"]);
    expect(one.link).not.toBe(two.link);
  });

  it.each(["", "a", "Dev", "dev_1", "-dev", "dev-", "1dev", "dev/..", "thirteen-long"])(
    "refuses the name %j",
    (name) => expect(() => identify({ name })).toThrow(/--name: .*is not a lab name\. Use 2 to 12/),
  );

  it("limits interface names to 15 characters, and socket paths to 107", () => {
    const { link, paths } = identify({ name: "twelve-chars" });
    expect(link.length).toBeLessThanOrEqual(15);
    expect(paths.buildkitSocket.length).toBeLessThanOrEqual(107);
  });
});

describe("fingerprint", () => {
  it("changes with any part of the value", () => {
    const base = fingerprint([["etcd", "--a"], { f: "x" }]);
    expect(fingerprint([["etcd", "--a"], { f: "x" }])).toBe(base);
    expect(fingerprint([["etcd", "--b"], { f: "x" }])).not.toBe(base);
    expect(fingerprint([["etcd", "--a"], { f: "y" }])).not.toBe(base);
  });
});

describe("files", () => {
  it("are written only if their content changes, readable only by their owner", () => {
    const path = join(folder, "below", "config");
    writeIfChanged(path, "one");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    utimesSync(path, 1, 1);
    writeIfChanged(path, "one");
    expect(statSync(path).mtimeMs).toBe(1000);
    writeIfChanged(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
  });

  it("prevent the removal of their folder", () => {
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

  it("are read as they were written", () => {
    const lab = identify({ name: "unit", folder });
    expect(readSettings(lab)).toBeUndefined();
    writeSettings(lab, written);
    expect(readSettings(lab)).toEqual(written);
    expect(readFileSync(lab.paths.settings, "utf8").endsWith("}\n")).toBe(true);
  });

  it("of another lab are refused, with both names", () => {
    writeSettings(identify({ name: "unit", folder }), written);
    expect(() => readSettings(identify({ name: "other", folder }))).toThrow(
      /is the folder of the lab "unit"\. Use --name unit/,
    );
  });

  it.each(["{}", '{"name":"unit","registryPort":0,"ingressPort":8080}', "{"])(
    "that are invalid (%s) are refused, with the folder to remove",
    (text) => {
      writeFileSync(join(folder, "settings.json"), text);
      expect(() => readSettings(identify({ name: "unit", folder }))).toThrow(
        new RegExp(`is not valid.*${folder}`),
      );
    },
  );
});

describe("choosePorts", () => {
  it("returns the ports in committed stack files for the default lab", async () => {
    const ports = await choosePorts(identify({ folder }), {}, undefined);
    expect(ports).toEqual({ registryPort: 5001, ingressPort: 8080, httpsPort: 8443 });
  });

  it("returns other ports for other labs", async () => {
    const ports = await choosePorts(identify({ name: "other", folder }), {}, undefined);
    expect(ports.registryPort).toBeGreaterThan(5001);
    expect(ports.ingressPort).toBeGreaterThan(8080);
    expect(ports.httpsPort).toBeGreaterThan(8443);
  });

  it("prefers options to settings, and settings to defaults", async () => {
    const remembered = { name: "unit", registryPort: 5100, ingressPort: 8100, httpsPort: 8543 };
    const lab = identify({ name: "unit", folder });
    expect(await choosePorts(lab, { ingressPort: 9000 }, remembered)).toEqual({
      registryPort: 5100,
      ingressPort: 9000,
      httpsPort: 8543,
    });
  });

  it("adds a port for HTTPS to the settings of a lab that an older version started", async () => {
    const remembered = { name: "unit", registryPort: 5100, ingressPort: 8100 };
    const ports = await choosePorts(identify({ name: "unit", folder }), {}, remembered);
    expect(ports.httpsPort).toBeGreaterThan(8443);
  });

  it.each([
    [{ registryPort: 9000, ingressPort: 9000 }, "--registry-port and --ingress-port are both 9000"],
    [{ ingressPort: 8443 }, "--ingress-port and --https-port are both 8443"],
  ])("refuses the same port twice: %j", async (ports, message) => {
    await expect(choosePorts(identify({ folder }), ports, undefined)).rejects.toThrow(message);
  });
});
