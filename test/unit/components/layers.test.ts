import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(__dirname, "../../../components");

/** The imports of each file from this folder, including type imports, by path. */
const IMPORTS = new Map(
  readdirSync(ROOT, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path, importsOf(path)]),
);

function importsOf(path: string): string[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(
    ([, it]) => it ?? "",
  );
  return specifiers.map((it) => `${relative(ROOT, resolve(ROOT, dirname(path), it))}.ts`);
}

/** The shortest import cycle through a file; undefined if there is none. */
function cycle(start: string): string[] | undefined {
  const queue = [[start]];
  const seen = new Set<string>();
  for (const path of queue) {
    for (const next of IMPORTS.get(path.at(-1) ?? "") ?? []) {
      if (next === start) {
        return [...path, next];
      }
      if (!seen.has(next)) {
        queue.push([...path, next]);
      }
      seen.add(next);
    }
  }
  return undefined;
}

/** Files that platform and team may both import. */
const SHARED = [
  "config/types",
  "config/errors",
  "config/features",
  "config/pod",
  "config/resources",
];
/** The prefixes of paths that the files of a layer may import. A longer prefix of a layer must precede a shorter one. */
const LAYERS: [prefix: string, allowed: string[]][] = [
  ["kubernetes/", ["kubernetes/"]],
  ["config/types.ts", ["kubernetes/"]],
  ["config/errors.ts", []],
  ["config/features.ts", []],
  ["config/pod.ts", ["kubernetes/", "config/types"]],
  ["config/resources.ts", ["kubernetes/", "config/types"]],
  ["images/", ["images/", "config/types"]],
  ["platform/", ["platform/", "kubernetes/", "images/", ...SHARED]],
  ["team/", ["team/", "platform/", "kubernetes/", "images/", ...SHARED]],
  ["config/", ["config/", "team/", "platform/", "kubernetes/", "images/"]],
  ["index.ts", ["team/", "platform/", "images/", "kubernetes/pod-settings"]],
];

describe("the imports of components", () => {
  test("are found", () => {
    expect(IMPORTS.size).toBeGreaterThan(60);
    expect(IMPORTS.get("platform/features.ts")).toContain("platform/gpu/feature.ts");
    const missing = [...IMPORTS.values()].flat().filter((path) => !IMPORTS.has(path));
    expect(missing).toEqual([]);
  });

  test("have no cycles", () => {
    const cycles = [...IMPORTS.keys()].map(cycle).filter((found) => found !== undefined);
    expect(cycles).toEqual([]);
  });

  test("are of the same layer or of those below it", () => {
    const upward = [...IMPORTS].flatMap(([path, imports]) => {
      const [, allowed = []] = LAYERS.find(([prefix]) => path.startsWith(prefix)) ?? [];
      const wrong = imports.filter((it) => !allowed.some((prefix) => it.startsWith(prefix)));
      return wrong.map((it) => `${path} imports ${it}`);
    });
    expect(upward).toEqual([]);
  });
});
