import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pins } from "../../../lab/tools/pins";
import { type Toolbox, ToolError, toolbox } from "../../../toolchain";
import { downloader, type Limits } from "../../../toolchain/download";
import type { GoPin, Release } from "../../../toolchain/pin";
import { findChecksum, isStatic, resolveRelease } from "../../../toolchain/release";
import { breaking, type ReleaseSite, releaseSite, whole } from "../../support/release-site";
import { fakeGo, type Sandbox, sandbox } from "../../support/sandbox";

const limits: Limits = {
  ...{ connect: 300, answer: 300, silence: 300, whole: 3_000 },
  ...{ retries: 3, pause: 10 },
};
const arch = process.arch === "arm64" ? "arm64" : "amd64";
const sum = (content: Buffer | string) => createHash("sha256").update(content).digest("hex");

let box: Sandbox;
let site: ReleaseSite;
/** The executable of the release: a script large enough to be interrupted. */
const content = Buffer.from(`#!/bin/sh\necho released\n#${"x".repeat(300_000)}\n`);

beforeEach(async () => {
  box = sandbox();
  box.script("go", fakeGo);
  site = await releaseSite();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await site.close();
  box.remove();
});

/** A table with tools of release 1.2.3 and a Go module. */
function boxOf<Name extends string>(
  names: readonly Name[],
  release: Partial<Release> = {},
): Toolbox<Name> {
  const folder = dirname(box.write("module/go.mod", "module example.com/a\n"));
  const pin = (name: string): GoPin => ({
    ...{ kind: "go", version: "1.2.3", module: { folder }, package: `example.com/a/${name}` },
    release: {
      url: `${site.origin}/v{version}/{arch}/${name}`,
      checksums: `${site.origin}/v{version}/{arch}/${name}.sha256`,
      ...release,
    },
  });
  const table = Object.fromEntries(names.map((name) => [name, pin(name)]));
  return toolbox(table as Record<Name, GoPin>, downloader(limits));
}

const path = (name: string) => `/v1.2.3/${arch}/${name}`;

function publish(name: string, file: Buffer, checksum = sum(file)): void {
  site.handlers.set(path(name), whole(file));
  site.handlers.set(path(`${name}.sha256`), whole(checksum));
}

const builds = () => box.read("go.log");

/** All files in the tools folder of the cache. */
function inCache(): string[] {
  const folder = join(box.folder, "cache/tools");
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return all.filter((file) => !file.endsWith(".lock") && file.split("/").length > 1);
}

describe("a release", () => {
  it("is used instead of a build, once", async () => {
    publish("tool", content);
    const tools = boxOf(["tool"]);
    const file = (await tools.ensure(["tool"], box.report)).get("tool")!;
    expect(execFileSync(file, { encoding: "utf8" })).toBe("released\n");
    expect(await tools.find("tool")).toBe(file);
    expect(box.lines).toEqual([
      `tool 1.2.3: downloading from ${site.origin} ...`,
      expect.stringMatching(/^tool 1\.2\.3: downloaded in /),
    ]);
    await tools.ensure(["tool"], box.report);
    expect(site.requests).toEqual([path("tool.sha256"), path("tool")]);
    expect(builds()).toEqual([]);
  });

  it("is downloaded once by concurrent calls", async () => {
    publish("tool", content);
    const tools = boxOf(["tool"]);
    await Promise.all([tools.ensure(["tool"], box.report), tools.ensure(["tool"], box.report)]);
    expect(site.requests).toEqual([path("tool.sha256"), path("tool")]);
  });

  it("is downloaded again after a killed download", async () => {
    publish("tool", content);
    const tools = boxOf(["tool"]);
    const place = dirname((await tools.ensure(["tool"], box.report)).get("tool")!);
    rmSync(place, { recursive: true });
    const old = box.write("old", "#!/bin/sh\nexit 1\n");
    mkdirSync(`${place}.partial/tool`, { recursive: true });
    copyFileSync(old, `${place}.partial/download`);
    const file = (await tools.ensure(["tool"], box.report)).get("tool")!;
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(existsSync(`${place}.partial`)).toBe(false);
  });

  it("is used without Go", async () => {
    publish("tool", content);
    box.script("go", "#!/bin/sh\nexit 1\n");
    expect((await boxOf(["tool"]).ensure(["tool"], box.report)).get("tool")).toContain("-release-");
  });

  it("is downloaded through redirects", async () => {
    publish("tool", content);
    site.handlers.set("/elsewhere", whole(content));
    site.handlers.set(path("tool"), (response) => {
      response.writeHead(302, { location: `${site.origin}/elsewhere` }).end();
    });
    await boxOf(["tool"]).ensure(["tool"], box.report);
    expect(site.requests.at(-1)).toBe("/elsewhere");
    expect(builds()).toEqual([]);
  });

  it("is unpacked, with its checksum in a list", async () => {
    const folder = join(box.folder, "pack/tool-1.2.3");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "tool"), "#!/bin/sh\necho packed\n", { mode: 0o755 });
    execFileSync("tar", [
      "-czf",
      join(box.folder, "a.tar.gz"),
      "-C",
      dirname(folder),
      "tool-1.2.3",
    ]);
    const archive = readFileSync(join(box.folder, "a.tar.gz"));
    site.handlers.set("/a-1.2.3.tar.gz", whole(archive));
    const list = `${sum("other")}  b-1.2.3.tar.gz\n${sum(archive)}  a-1.2.3.tar.gz\n`;
    site.handlers.set("/sha256sums.txt", whole(list));
    const release = {
      ...{ url: `${site.origin}/a-{version}.tar.gz`, checksums: `${site.origin}/sha256sums.txt` },
      member: "tool-{version}/tool",
    };
    const file = (await boxOf(["tool"], release).ensure(["tool"], box.report)).get("tool")!;
    expect(execFileSync(file, { encoding: "utf8" })).toBe("packed\n");
    const other = boxOf(["second"], { ...release, member: "tool-{version}/second" });
    expect((await other.ensure(["second"], box.report)).get("second")).not.toContain("-release-");
    expect(box.lines.join("\n")).toMatch(/Reason: .*the archive has no tool-1\.2\.3\/second/);
  });

  it("is not used if there is a built tool, or ML_PLATFORM_BUILD is set", async () => {
    const tools = boxOf(["tool"]);
    vi.stubEnv("ML_PLATFORM_BUILD", "1");
    const file = (await tools.ensure(["tool"], box.report)).get("tool")!;
    vi.stubEnv("ML_PLATFORM_BUILD", "");
    publish("tool", content);
    expect((await tools.ensure(["tool"], box.report)).get("tool")).toBe(file);
    expect(site.requests).toEqual([]);
  });

  it("is downloaded through the proxy of the environment", async () => {
    publish("tool", content);
    vi.stubEnv("http_proxy", "http://127.0.0.1:9");
    vi.stubEnv("no_proxy", "");
    await boxOf(["tool"]).ensure(["tool"], box.report);
    expect(site.requests).toEqual([]);
    vi.stubEnv("no_proxy", "127.0.0.1");
    const again = boxOf(["again"]);
    publish("again", content);
    expect((await again.ensure(["again"], box.report)).get("again")).toContain("-release-");
  });
});

describe("an interrupted transfer", () => {
  it("is resumed", async () => {
    publish("tool", content);
    site.handlers.set(path("tool"), breaking(content, 2));
    const file = (await boxOf(["tool"]).ensure(["tool"], box.report)).get("tool")!;
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(site.requests.filter((asked) => asked.includes("bytes="))).toHaveLength(2);
    expect(builds()).toEqual([]);
  });

  it.each([
    ["repeatedly", () => breaking(content, 100)],
    [
      "that stalls",
      () => (response: ServerResponse) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 1000));
      },
    ],
    [
      "that is too slow",
      () => (response: ServerResponse) => {
        response.writeHead(200, { "content-length": content.length });
        const timer = setInterval(() => response.write("x"), 50);
        response.on("close", () => clearInterval(timer));
      },
    ],
  ])("%s: fails, leaves no file, and the tool is built", async (_case, answer) => {
    publish("tool", content);
    site.handlers.set(path("tool"), answer());
    const file = (await boxOf(["tool"]).ensure(["tool"], box.report)).get("tool")!;
    expect(file).not.toContain("-release-");
    expect(inCache().filter((name) => name.includes("-release-"))).toEqual([]);
    expect(box.lines[1]).toMatch(/^tool 1\.2\.3: no download, so built here\. Reason: .*broke off/);
    expect(site.requests.length).toBeLessThan(8);
  });
});

describe("a wrong checksum", () => {
  const failure = async (tools: Toolbox<"tool">) => {
    const error = await tools.ensure(["tool"], box.report).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ToolError);
    expect(await tools.find("tool")).toBeUndefined();
    expect(inCache()).toEqual([]);
    expect(builds()).toEqual([]);
    return (error as Error).message;
  };

  it("is an error with the file, both checksums, and what to do", async () => {
    publish("tool", content, sum("other"));
    const message = await failure(boxOf(["tool"]));
    expect(message).toContain(`${site.origin}${path("tool")}: wrong checksum`);
    expect(message).toMatch(new RegExp(`expected ${sum("other")} .*\\n.*found +${sum(content)}`));
    expect(message).toContain("ML_PLATFORM_BUILD=1");
  });

  it("is an error if the published one is not the pinned one", async () => {
    publish("tool", content);
    const message = await failure(boxOf(["tool"], { sha256: { [arch]: sum("known") } }));
    expect(message).toMatch(new RegExp(`expected ${sum("known")} \\(pinned in this repository`));
    expect(site.requests).toEqual([path("tool.sha256")]);
  });

  it("is accepted if the pinned one is equal", async () => {
    publish("tool", content);
    const tools = boxOf(["tool"], { sha256: { [arch]: sum(content) } });
    expect((await tools.ensure(["tool"], box.report)).get("tool")).toContain("-release-");
  });
});

describe("no usable release", () => {
  it.each([
    ["a missing file", () => site.handlers.delete(path("tool")), /HTTP status 404/],
    ["no checksum", () => site.handlers.delete(path("tool.sha256")), /HTTP status 404/],
    [
      "a page instead of the checksum",
      () => site.handlers.set(path("tool.sha256"), whole("<html>log in</html>")),
      /no sha256 of tool/,
    ],
  ])("%s: builds, and reports the reason", async (_case, change, reason) => {
    publish("tool", content);
    change();
    await boxOf(["tool"]).ensure(["tool"], box.report);
    expect(box.lines[1]).toMatch(reason);
    expect(builds()).toHaveLength(1);
  });

  it("an overloaded site with a long Retry-After: builds at once", async () => {
    site.handlers.set(path("tool.sha256"), (response) => {
      response.writeHead(503, { "retry-after": "3600" }).end();
    });
    await boxOf(["tool"]).ensure(["tool"], box.report);
    expect(builds()).toHaveLength(1);
    expect(site.requests.length).toBeLessThan(6);
  });

  it("a site that never responds: one request, one line, all tools are built at once", async () => {
    const tools = boxOf(["one", "two", "three"]);
    for (const name of tools.names) {
      site.handlers.set(path(`${name}.sha256`), () => undefined);
    }
    const start = Date.now();
    await tools.ensure(["one", "two"], box.report);
    expect(Date.now() - start).toBeLessThan(5_000);
    await tools.ensure(["three"], box.report);
    expect(site.requests).toEqual([path("one.sha256")]);
    const said = box.lines.filter((line) => line.includes("does not answer"));
    expect(said).toEqual([
      expect.stringMatching(/^one, two: no download, .* does not answer \(.*[Tt]imeout/),
      expect.stringMatching(/^three 1\.2\.3: no download/),
    ]);
    expect(builds()).toHaveLength(2);
  });

  it("a closed port, or an unknown host: builds at once", async () => {
    await site.close();
    await boxOf(["one"]).ensure(["one"], box.report);
    expect(box.lines[1]).toMatch(/does not answer \(.*ECONNREFUSED/);
    const url = "http://releases.invalid/tool";
    await boxOf(["two"], { url, checksums: `${url}.sha256` }).ensure(["two"], box.report);
    expect(box.lines.join("\n")).toMatch(/http:\/\/releases\.invalid does not answer/);
    expect(builds()).toHaveLength(2);
  });

  it("an executable that needs libraries is not used for an image", async () => {
    publish("tool", readFileSync("/usr/bin/tar"));
    const tools = boxOf(["tool"], { static: true });
    expect((await tools.ensure(["tool"], box.report)).get("tool")).not.toContain("-release-");
    expect(box.lines[1]).toContain("not statically linked");
  });
});

describe("isStatic", () => {
  it("distinguishes static executables from dynamic ones and other files", () => {
    expect(isStatic("/usr/bin/tar")).toBe(false);
    expect(isStatic(box.script("script", "#!/bin/sh\n"))).toBe(false);
    expect(isStatic(box.write("empty", ""))).toBe(false);
    // The header of a static executable with one loadable segment.
    const elf = Buffer.alloc(64 + 56);
    elf.write("\x7fELF\x02\x01\x01", "latin1");
    elf.writeBigUInt64LE(64n, 32);
    elf.writeUInt16LE(56, 54);
    elf.writeUInt16LE(1, 56);
    elf.writeUInt32LE(1, 64);
    const file = join(box.folder, "elf");
    writeFileSync(file, elf);
    expect(isStatic(file)).toBe(true);
  });
});

describe("findChecksum", () => {
  const [a, b] = [sum("a"), sum("b")];

  it.each([
    ["only the checksum", `${a}\n`, a],
    ["a list", `${b}  other\n${a}  tool\n`, a],
    ["a list of binary files", `${b} *other\n${a} *tool\n`, a],
    ["a list with folders", `${b}  release/other\n${a}  release/tool`, a],
    ["capitals", `${a.toUpperCase()}  tool`, a],
    ["another file only", `${b}  tool.sig\n`, undefined],
    ["several checksums without names", `${a}\n${b}\n`, undefined],
    ["a page", "<html>tool</html>", undefined],
    ["an incomplete checksum", `${a.slice(1)}  tool`, undefined],
  ])("%s", (_case, text, found) => {
    expect(findChecksum(text, "tool")).toBe(found);
  });
});

describe("the releases of a lab's tools", () => {
  const released = Object.entries<GoPin>(pins).filter(([, pin]) => pin.release);

  it.each(released)("%s: has version and architecture filled in, over https", (_name, pin) => {
    for (const of of ["amd64", "arm64"] as const) {
      const { url, checksums, member = "" } = resolveRelease(pin, of)!;
      expect(new URL(url).protocol).toBe("https:");
      expect(new URL(checksums).origin).toBe(new URL(url).origin);
      expect(`${url}${checksums}${member}`).not.toMatch(/[{}]/);
      expect(url).toContain(pin.version);
      expect(url).toContain(of);
    }
  });
});
