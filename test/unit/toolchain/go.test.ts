import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { which } from "../../../toolchain";
import { buildHash, goBuild } from "../../../toolchain/go";
import type { GoModule, GoPin } from "../../../toolchain/pin";
import { type Sandbox, sandbox } from "../../support/sandbox";

const realGo = which("go");
let box: Sandbox;
let module: GoModule;

/** A module with two commands, which print a text of a local dependency. */
function writeModule(): GoModule {
  const dependency =
    "\nrequire example.com/said v1.0.0\n\nreplace example.com/said v1.0.0 => ../said\n";
  box.write("module/go.mod", `module example.com/main\n\ngo 1.26\n${dependency}`);
  box.write("module/go.sum", "");
  const main = [
    ...["package main", 'import _ "embed"', 'import "example.com/said/words"'],
    ...["//go:embed note.txt", "var note string", 'var version = "none"'],
    "func main() { println(words.Say(), note, version) }",
  ].join("\n");
  for (const name of ["one", "two"]) {
    box.write(`module/${name}/main.go`, main);
  }
  box.write("module/words.go.txt", 'package words\nfunc Say() string { return "patched" }\n');
  box.write("said/go.mod", "module example.com/said\n\ngo 1.26\n");
  box.write("said/note.txt", "embedded");
  const cloud = 'package words\nfunc Say() string { return "cloud" }\n';
  box.write("said/words/words.go", cloud);
  box.write("said/words/more.go", "package words\nfunc More() {}\n");
  const embeds = ["one", "two"].map((name) => ({
    ...{ module: "example.com/said", path: "note.txt", file: `${name}/note.txt` },
  }));
  return { folder: join(box.folder, "module"), embeds };
}

function pin(name: string, of = module): GoPin {
  const values = ["main.version=1.2.3"];
  return { kind: "go", version: "1.2.3", module: of, package: `./${name}`, values };
}

/** Output of a built command. */
function said(file: string): string {
  return execFileSync("sh", ["-c", `${file} 2>&1`], { encoding: "utf8" }).trim();
}

beforeEach(() => {
  box = sandbox();
  module = writeModule();
});

afterEach(() => {
  vi.unstubAllEnvs();
  box.remove();
});

describe.runIf(realGo)("goBuild, with the Go of this machine", () => {
  let stage: string;

  const build = async (of: GoModule, pins: readonly GoPin[]) => {
    const built = new Map<GoPin, string>();
    const onBuilt = (pin: GoPin, file: string) => void built.set(pin, file);
    await goBuild({ module: of, pins, stage, onBuilt, report: box.report, pace: 20 });
    return pins.map((pin) => built.get(pin)!);
  };

  beforeEach(() => {
    vi.stubEnv("PATH", `${join(realGo!, "..")}:${process.env.PATH}`);
    vi.stubEnv("GOFLAGS", "-mod=mod");
    vi.stubEnv("GOPROXY", "off");
    stage = join(box.folder, "stage");
    mkdirSync(stage);
  });

  it("builds several commands, with embedded files of a dependency", async () => {
    const files = await build(module, [pin("one"), pin("two")]);
    expect(files.map(said)).toEqual(["cloud embedded 1.2.3", "cloud embedded 1.2.3"]);
  });

  it("reports progress, without packages that are compiled already", async () => {
    // Go's packages are compiled by then, and the changed one has never been compiled.
    await build(module, [pin("one")]);
    box.lines.length = 0;
    box.write("said/words/more.go", `package words\nconst More = "${box.folder}"\n`);
    await build(module, [pin("one")]);
    const [first] = box.lines;
    expect(first).toMatch(/^\d of 2 packages compiled, 0 of 1 tools linked, \d\.\d s so far$/);
    box.lines.length = 0;
    await build(module, [pin("one"), pin("two")]);
    expect(box.lines[0]).toMatch(/^\d of 2 packages compiled, . of 2 tools linked, /);
  });

  it("passes on the complete executables of a build that fails", async () => {
    box.write("module/two/main.go", "package main\nfunc main() { boom() }\n");
    const built: string[] = [];
    const onBuilt = (_: GoPin, file: string) => void built.push(said(file));
    const both = { module, pins: [pin("one"), pin("two")], stage, report: box.report, onBuilt };
    await expect(goBuild(both)).rejects.toThrow(/"go build" failed.*\n.*\n.*undefined: boom$/);
    expect(built).toEqual(["cloud embedded 1.2.3"]);
  });

  it.each([
    ["a file", "words/words.go", "words.go.txt"],
    ["a package", "words", "words.go.txt"],
    ["a text", "words/words.go", [["cloud", "patched"]]],
  ] as const)("replaces %s of a dependency in a copy", async (_, path, by) => {
    const patches = [{ module: "example.com/said", path, with: by }];
    const patched = { ...module, patches };
    const files = await build(patched, [pin("one", patched)]);
    expect(files.map(said)).toEqual(["patched embedded 1.2.3"]);
    expect(box.read("said/words/words.go")[1]).toContain("cloud");
  });

  it("accepts several changes of one dependency, and refuses a text that does not occur once", async () => {
    const change = (path: string, from: string, to: string) => {
      return { module: "example.com/said", path, with: [[from, to]] } as const;
    };
    const patches = [
      change("words/words.go", '"cloud"', "more"),
      change("words/more.go", "func More() {}", 'const more = "patched twice"'),
    ];
    const files = await build({ ...module, patches }, [pin("one", { ...module, patches })]);
    expect(files.map(said)).toEqual(["patched twice embedded 1.2.3"]);
    const wrong = { ...module, patches: [change("words/words.go", "o", "0")] };
    await expect(build(wrong, [pin("one", wrong)])).rejects.toThrow(
      /words\.go: "o" does not occur once/,
    );
  });
});

describe("buildHash", () => {
  it("changes only with inputs of the binary", () => {
    const toolchain = "go1.26.8 linux amd64";
    const copy = { ...module, folder: join(box.folder, "copy") };
    cpSync(module.folder, copy.folder, { recursive: true });
    const base = buildHash(pin("one"), toolchain);
    expect(buildHash(pin("one", copy), toolchain)).toBe(base);
    writeFileSync(join(copy.folder, "go.sum"), "other");
    const others = [
      buildHash(pin("one"), "go1.26.9 linux amd64"),
      buildHash({ ...pin("one"), version: "1.15.1" }, toolchain),
      buildHash({ ...pin("one"), values: ["a.B=1"] }, toolchain),
      buildHash(pin("one", copy), toolchain),
      buildHash(pin("one", { ...module, tags: ["a"] }), toolchain),
      buildHash(pin("one", { ...module, embeds: [] }), toolchain),
      buildHash(pin("one", { ...module, patches: [] }), toolchain),
    ];
    expect(new Set([base, ...others]).size).toBe(8);
  });
});
