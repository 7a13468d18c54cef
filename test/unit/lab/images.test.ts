import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toolsOf } from "../../../lab/images/index";
import { debianCommand, stageFiles } from "../../../lab/images/layer";
import { writeLayout } from "../../../lab/images/oci";
import { type FilesLayer, optionalRecipes, recipes } from "../../../lab/images/recipes";
import { remoteDigest, splitReference } from "../../../lab/images/registry";
import { pins } from "../../../lab/tools/pins";
import type { GoPin } from "../../../toolchain/pin";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "images-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const allRecipes = [...recipes, ...optionalRecipes];
const filesRecipes = allRecipes.filter(({ layer }) => layer.kind === "files");

describe("recipes", () => {
  it("have different names", () => {
    expect(new Set(allRecipes.map(({ reference }) => reference)).size).toBe(allRecipes.length);
  });

  it("include the five images of cert-manager, which start different commands of one binary", () => {
    const found = allRecipes.filter(({ reference }) => reference.includes("cert-manager"));
    expect(found.map(({ reference, config }) => [reference, config.Entrypoint])).toEqual(
      ["controller", "webhook", "cainjector", "acmesolver", "startupapicheck"].map((command) => [
        `quay.io/jetstack/cert-manager-${command}:v1.21.2`,
        ["/cert-manager", command],
      ]),
    );
  });

  it("are built for a lab only if it provides them", () => {
    const built = new Set(recipes.flatMap(toolsOf));
    expect(built.has("cert-manager")).toBe(true);
    expect(built.has("pebble")).toBe(false);
    expect(optionalRecipes.map(({ reference }) => reference)).toEqual([
      "ghcr.io/letsencrypt/pebble:2.10.3",
    ]);
  });

  it.each(allRecipes)("$reference: a repository below a registry, and a fixed tag", (recipe) => {
    const { repository, tag } = splitReference(recipe.reference);
    expect(repository).toContain("/");
    expect(tag).not.toBe("latest");
  });

  it.each(filesRecipes)(
    "$reference: runs a file of the image as a user that is not root",
    (recipe) => {
      const { files } = recipe.layer as FilesLayer;
      expect(Object.keys(files)).toContain(recipe.config.Entrypoint?.[0]);
      expect(recipe.config.User).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    },
  );

  it.each(filesRecipes)("$reference: its tools are never from PATH", (recipe) => {
    for (const name of toolsOf(recipe)) {
      const pin: GoPin = pins[name];
      expect(pin.onPath).toBeUndefined();
      // The executable of a release is used if it is static.
      if (pin.release) {
        expect(pin.release.static).toBe(true);
      }
    }
  });
});

describe("splitReference", () => {
  it.each([
    ["quay.io/a/b:v1", "quay.io/a/b", "v1"],
    ["localhost:5000/b:1", "localhost:5000/b", "1"],
  ])("%s", (reference, repository, tag) => {
    expect(splitReference(reference)).toEqual({ repository, tag });
  });

  it.each(["quay.io/a/b", "localhost:5000/b"])("refuses %s", (reference) => {
    expect(() => splitReference(reference)).toThrow(`${reference}: an image without a tag.`);
  });
});

describe("debianCommand", () => {
  it("mounts in its own namespace, with fixed times, and writes to standard output", () => {
    const layer = { kind: "debian", suite: "trixie", packages: ["a", "b"], finish: ["x"] } as const;
    const { command, args, env } = debianCommand(layer);
    expect([command, ...args].slice(0, 3)).toEqual(["unshare", "--mount", "mmdebstrap"]);
    expect(args).toContain("--include=a,b");
    expect(args.slice(-3)).toEqual(["--customize-hook=x", "trixie", "-"]);
    expect(env).toMatchObject({ SOURCE_DATE_EPOCH: "0" });
  });
});

/** Stages and packs a small image from a copy of its inputs with this mode and time. */
async function pack(name: string, mode: number, time: number) {
  const [host, stage, layout] = ["host", "stage", "layout"].map((part) => join(folder, name, part));
  for (const path of [stage!, layout!]) {
    mkdirSync(path, { recursive: true, mode });
  }
  writeFileSync(host!, "binary");
  chmodSync(host!, mode);
  utimesSync(host!, time, time);
  const layer: FilesLayer = {
    kind: "files",
    files: { "/bin/tool": { tool: "coredns" }, "/etc/tool.yml": { text: "a: 1\n" } },
    folders: ["/data"],
  };
  const tar = stageFiles(layer, new Map([["coredns", host!]]), stage!);
  const manifest = await writeLayout(layout!, tar, { User: "1:1", Entrypoint: ["/bin/tool"] });
  const blob = (digest: string) => readFileSync(join(layout!, "blobs", digest.replace(":", "/")));
  return { manifest, blob, layout: layout! };
}

const sha256 = (content: Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

describe("writeLayout", () => {
  it("has the same digest for the same content with other times and modes", async () => {
    const first = await pack("first", 0o755, 1_000_000);
    const second = await pack("second", 0o700, 2_000_000);
    expect(second.manifest).toEqual(first.manifest);
  });

  it("describes every blob by its digest and size", async () => {
    const { manifest, blob, layout } = await pack("image", 0o755, 1);
    expect(sha256(blob(manifest.digest))).toBe(manifest.digest);
    const { config, layers } = JSON.parse(blob(manifest.digest).toString());
    for (const part of [config, ...layers]) {
      expect(sha256(blob(part.digest))).toBe(part.digest);
      expect(blob(part.digest)).toHaveLength(part.size);
    }
    const { rootfs, config: run } = JSON.parse(blob(config.digest).toString());
    expect(rootfs.diff_ids).toEqual([sha256(gunzipSync(blob(layers[0].digest)))]);
    expect(run).toEqual({ User: "1:1", Entrypoint: ["/bin/tool"] });
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
    expect(index.manifests).toEqual([manifest]);
  });

  it("packs content instead of links, owned by root, readable and not writable by others", async () => {
    const { manifest, blob } = await pack("image", 0o700, 1);
    const { layers } = JSON.parse(blob(manifest.digest).toString());
    const input = blob(layers[0].digest);
    const list = execFileSync("tar", ["--list", "--gzip", "--verbose", "--numeric-owner"], {
      input,
    });
    const rows = list
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/));
    const entries = rows.map(([mode, owner, , , , path]) => [path, mode, owner]);
    expect(entries).toEqual([
      ["./", "drwxr-xr-x", "0/0"],
      ["./bin/", "drwxr-xr-x", "0/0"],
      ["./bin/tool", "-rwxr-xr-x", "0/0"],
      ["./data/", "drwxr-xr-x", "0/0"],
      ["./etc/", "drwxr-xr-x", "0/0"],
      ["./etc/tool.yml", "-rw-r--r--", "0/0"],
    ]);
  });

  it("fails with the error output of the command", async () => {
    const tar = { command: "sh", args: ["-c", "echo no space >&2; exit 3"] };
    await expect(writeLayout(folder, tar, {})).rejects.toThrow(/failed \(exit 3\):\nno space/);
  });

  it("fails if the command is missing", async () => {
    const tar = { command: join(folder, "nothing"), args: [] };
    await expect(writeLayout(folder, tar, {})).rejects.toThrow(/ENOENT/);
  });
});

describe("remoteDigest", () => {
  let server: Server;
  let registry: string;

  beforeEach(async () => {
    server = createServer((request, response) => {
      const known = request.url === "/v2/docker.io/library/python/manifests/3.13-slim";
      if (known) {
        response.setHeader("docker-content-digest", "sha256:abc");
      }
      response.statusCode = request.url?.includes("/broken/") ? 500 : known ? 200 : 404;
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => server.close());

  it("returns the digest, or undefined", async () => {
    expect(await remoteDigest(registry, "docker.io/library/python:3.13-slim")).toBe("sha256:abc");
    expect(await remoteDigest(registry, "docker.io/library/python:3.14-slim")).toBeUndefined();
  });

  it("throws if the registry fails or does not respond", async () => {
    await expect(remoteDigest(registry, "a/broken/b:1")).rejects.toThrow(/HTTP 500/);
    server.close();
    server.closeAllConnections();
    await expect(remoteDigest(registry, "a/b:1")).rejects.toThrow(/does not respond/);
  });
});
