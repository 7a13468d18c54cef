import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = resolve(__dirname, "../../../components");

/** The modules of the folder that each file imports, type imports included, by path. */
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

/** The shortest way from a file back to itself; undefined where there is none. */
function circle(start: string): string[] | undefined {
  const queue = [[start]];
  const seen = new Set<string>();
  for (const way of queue) {
    for (const next of IMPORTS.get(way.at(-1) ?? "") ?? []) {
      if (next === start) {
        return [...way, next];
      }
      if (!seen.has(next)) {
        queue.push([...way, next]);
      }
      seen.add(next);
    }
  }
  return undefined;
}

/** The files that a folder's files may import: paths that start so. A longer prefix goes before a shorter one. */
const SHARED = [
  "config/types",
  "config/errors",
  "config/features",
  "config/pod",
  "config/resources",
];
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
  test("are read", () => {
    expect(IMPORTS.size).toBeGreaterThan(60);
    expect(IMPORTS.get("platform/features.ts")).toContain("platform/gpu/feature.ts");
    const missing = [...IMPORTS.values()].flat().filter((path) => !IMPORTS.has(path));
    expect(missing).toEqual([]);
  });

  test("have no circles", () => {
    const circles = [...IMPORTS.keys()].map(circle).filter((found) => found !== undefined);
    expect(circles).toEqual([]);
  });

  test("go from a layer to those below it", () => {
    const upward = [...IMPORTS].flatMap(([path, imports]) => {
      const [, allowed = []] = LAYERS.find(([prefix]) => path.startsWith(prefix)) ?? [];
      const wrong = imports.filter((it) => !allowed.some((prefix) => it.startsWith(prefix)));
      return wrong.map((it) => `${path} imports ${it}`);
    });
    expect(upward).toEqual([]);
  });
});
