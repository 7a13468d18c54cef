import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { localFile, pathInVolume, requireFile, targetOf } from "../../../../cli/data/paths";
import { bytes, listing, progressOf } from "../../../../cli/data/show";

const folder = mkdtempSync(join(tmpdir(), "paths-"));
mkdirSync(join(folder, "sets"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["a.csv", undefined, "a.csv"],
  ["/home/me/a.csv", "b.csv", "b.csv"],
  ["a.csv", "sets/", "sets/a.csv"],
  ["a.csv", "sets/../b.csv", "b.csv"],
])("put %s %s writes %s", (file, path, expected) => {
  expect(targetOf(file, path)).toBe(expected);
});

test.each([["../a"], ["/etc/passwd"], ["a/../../b"]])("%s is not in the volume", (path) => {
  expect(() => pathInVolume(path)).toThrow(
    `${path} is not in the volume; write a path from its top`,
  );
});

test("names of incomplete files are refused", () => {
  expect(() => pathInVolume("a.part")).toThrow("names with .part are those of incomplete files");
});

test("a path of this machine starts in the folder of the call, and may be a folder", () => {
  expect(localFile("a.csv", "", "/home/me")).toBe("/home/me/a.csv");
  expect(localFile("", "a.csv", folder)).toBe(join(folder, "a.csv"));
  expect(localFile("sets", "a.csv", folder)).toBe(join(folder, "sets/a.csv"));
  expect(localFile("/new/", "a.csv", folder)).toBe("/new/a.csv");
});

test("what is no file is refused", () => {
  expect(() => requireFile(folder)).toThrow(`${folder} is not a file; put copies one file`);
  expect(() => requireFile("/no")).toThrow("/no does not exist");
});

test("a listing has sizes, times and names", () => {
  const modified = Date.UTC(2026, 4, 6, 7, 8) / 1000;
  expect(
    listing([
      { name: "a.csv", size: 1234, modified },
      { name: "b.csv.part", size: 2, modified },
      { name: "sets/", size: 4096, modified },
    ]),
  ).toEqual([
    "   1.2 kB  2026-05-06 07:08  a.csv",
    "      2 B  2026-05-06 07:08  b.csv.part  (incomplete)",
    "           2026-05-06 07:08  sets/",
  ]);
});

test("sizes have units", () => {
  expect([0, 999, 1000, 2.5e9, 9e15].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "2.5 GB",
    "9000.0 TB",
  ]);
});

test("progress says how far a copy is, and how fast", () => {
  const lines: string[] = [];
  const progress = progressOf((line) => void lines.push(line), 0);
  progress(0, 4e6);
  progress(1e6, 4e6);
  progress(4e6, 4e6);
  expect(lines.length).toBe(2);
  expect(lines[1]).toMatch(/^1\.0 MB of 4\.0 MB \(25 %\), /);
});
