import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeFolder } from "../../../lab/cluster/files";
import { identify, type Lab } from "../../../lab/cluster/identity";
import { isDefaultRoute } from "../../../lab/cluster/namespaces";
import { hasLostData, writeOwner } from "../../../lab/cluster/ownership";

let root: string;
let lab: Lab;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lab-folder-"));
  const known = identify({ name: "unit", folder: join(root, "lab") });
  lab = { ...known, paths: { ...known.paths, run: join(root, "run") } };
  mkdirSync(join(lab.paths.data, "etcd"), { recursive: true });
  writeFileSync(join(lab.paths.data, "etcd", "db"), "");
  writeFileSync(lab.paths.settings, "{}");
});

afterEach(() => rmSync(root, { recursive: true }));

describe("a lab's folder", () => {
  it("is removed completely, also after an interrupted removal", () => {
    renameSync(lab.paths.data, `${lab.paths.data}.removed`);
    mkdirSync(join(lab.paths.data, "etcd"), { recursive: true });
    removeFolder(lab.paths);
    expect(readdirSync(root)).toEqual([]);
    removeFolder(lab.paths);
  });
});

describe("a running lab", () => {
  it("has its data after a write", () => {
    expect(hasLostData(lab)).toBe(false);
    writeOwner(lab);
    writeFileSync(join(lab.paths.data, "more"), "");
    expect(hasLostData(lab)).toBe(false);
  });

  it("has lost its data if its folder was removed or replaced", () => {
    writeOwner(lab);
    renameSync(lab.paths.data, `${lab.paths.data}.old`);
    expect(hasLostData(lab)).toBe(true);
    mkdirSync(lab.paths.data);
    expect(hasLostData(lab)).toBe(true);
  });

  it("has not lost its data if the record is of an older version", () => {
    mkdirSync(lab.paths.run, { recursive: true });
    writeFileSync(join(lab.paths.run, "owner.json"), JSON.stringify({ folder: root, boot: "1" }));
    expect(hasLostData(lab)).toBe(false);
  });
});

describe("a route", () => {
  it.each([
    ["default", true],
    ["0.0.0.0/1", true],
    ["128.0.0.0/1", true],
    ["10.8.0.0/16", false],
    ["10.231.0.0/30", false],
    ["192.168.1.1", false],
  ])("to %s is a default route: %s", (destination, expected) => {
    expect(isDefaultRoute(destination)).toBe(expected);
  });
});
