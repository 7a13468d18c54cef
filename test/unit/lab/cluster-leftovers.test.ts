import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeBuilderFolder } from "../../../lab/cluster/builder";
import { identify } from "../../../lab/cluster/identity";
import { recordAbsent, removeLeftovers } from "../../../lab/cluster/leftovers";

describe("files of programs", () => {
  let folder: string;
  const place = (...names: string[]) => join(folder, ...names);
  const make = (...names: string[]) => {
    mkdirSync(dirname(place(...names)), { recursive: true });
    writeFileSync(place(...names), "");
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lab-leftovers-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are removed, except for earlier files and those of others", () => {
    const paths = [place("a", "cache"), place("a"), place("b", "cache"), place("b"), place("c")];
    const records = [{ file: place("noted"), paths }];
    make("c");
    recordAbsent(records);
    make("a", "cache");
    make("b", "cache");
    make("b", "other");
    recordAbsent(records); // by a second lab
    removeLeftovers(records);
    expect(existsSync(place("a"))).toBe(false);
    expect(existsSync(place("b", "cache"))).toBe(false);
    expect(existsSync(place("b", "other"))).toBe(true);
    expect(existsSync(place("c"))).toBe(true);
  });

  it("are those since the last boot in memory, and those since the first lab on the disk", () => {
    const records = [
      { file: place("noted"), paths: [place("disk", "ours"), place("disk", "other")] },
      { file: place("run", "noted"), paths: [place("run", "ours"), place("run", "other")] },
    ];
    make("disk", "other");
    make("run", "other");
    recordAbsent(records);
    make("disk", "ours");
    rmSync(place("run"), { recursive: true }); // by a reboot
    mkdirSync(place("run"));
    recordAbsent(records);
    make("run", "ours");
    make("run", "other");
    removeLeftovers(records);
    const left = (name: string) => readdirSync(place(name));
    expect(left("disk")).toEqual(["other"]);
    expect(left("run")).toEqual([]);
    expect(existsSync(place("noted"))).toBe(false);
  });

  it("include buildx's folder, unless it has another builder", () => {
    const lab = identify({ name: "unit" });
    make("docker", "buildx", ".lock");
    make("docker", "buildx", "activity", lab.label);
    make("docker", "buildx", "instances", "other");
    removeBuilderFolder(lab, place("docker", "buildx"));
    expect(existsSync(place("docker", "buildx", "instances", "other"))).toBe(true);
    rmSync(place("docker", "buildx", "instances", "other"));
    make("docker", "buildx", "refs", lab.label, "node");
    writeFileSync(place("docker", "buildx", "current"), '{"Name":"mine"}');
    removeBuilderFolder(lab, place("docker", "buildx"));
    expect(existsSync(place("docker", "buildx", "current"))).toBe(true);
    writeFileSync(place("docker", "buildx", "current"), '{"Key":"unix:///x","Name":""}');
    removeBuilderFolder(lab, place("docker", "buildx"));
    expect(existsSync(place("docker"))).toBe(false);
  });
});
