import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lockImages } from "../../../../cli/images/lock";
import { CATALOGUE } from "../../../../components/images/catalogue";

/** Replaces the folder of the program, which has the user's files. */
const folder = vi.hoisted(() => ({ path: "" }));
vi.mock("../../../../cli/common/root", () => ({
  get ROOT() {
    return folder.path;
  },
}));

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const { prometheus, metricsAdapter, python } = CATALOGUE;
let server: Server;
let asked: string[];
/** The digest that the registry returns; undefined if it has no such image. */
let answer: string | undefined;

beforeEach(async () => {
  folder.path = mkdtempSync(join(tmpdir(), "locks-"));
  [asked, answer] = [[], digest("b")];
  server = createServer(({ url = "" }, response) => {
    asked.push(url.replace(/^\/v2\/(.+)\/manifests\/(.+)$/, "$1:$2"));
    if (answer) {
      response.setHeader("docker-content-digest", answer);
    }
    response.writeHead(answer ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  server.close();
  rmSync(folder.path, { recursive: true });
});

/** Writes a stack file with these blocks, whose images are in the registry. */
function stack(blocks: object): void {
  const mirror = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const images = { mirror, lock: "lock.json", registry: mirror };
  const config = { images, ...blocks };
  const keys = Object.entries(config).map(([key, value]) => [`ml-platform:${key}`, value]);
  writeFileSync(
    join(folder.path, "Pulumi.prod.yaml"),
    JSON.stringify({ config: Object.fromEntries(keys) }),
  );
}

const file = () => join(folder.path, "lock.json");
const lock = () => JSON.parse(readFileSync(file(), "utf8"));

describe("the lock file of a stack", () => {
  it("has only the digests that the stack needs", async () => {
    stack({ platform: {} });
    await lockImages("prod", () => {});
    expect(asked.sort()).toEqual([prometheus, metricsAdapter].sort());
    expect(lock()).toEqual({ [prometheus]: digest("b"), [metricsAdapter]: digest("b") });
  });

  it("has the base image if a team builds images", async () => {
    stack({ platformStack: "o/p/platform", team: { name: "demo" } });
    await lockImages("prod", () => {});
    expect(asked).toEqual([python]);
  });

  it("has additional images of the command line", async () => {
    const kueue = "registry.k8s.io/kueue/kueue:v0.18.4";
    stack({ platform: {} });
    await lockImages("prod", () => {}, { images: [kueue, prometheus] });
    expect(asked.sort()).toEqual([prometheus, metricsAdapter, kueue].sort());
    expect(lock()[kueue]).toBe(digest("b"));
  });

  it.each([
    [`quay.io/acme/app@${digest("a")}`, "must have a tag and no digest"],
    ["quay.io/acme/app", "must name a version"],
    ["quay.io/acme/app:latest", "must not be the mutable tag latest"],
    ["busybox:1.37", "must be an image with its registry"],
  ])("does not accept the image %s", async (image, reason) => {
    stack({ platform: {} });
    await expect(lockImages("prod", () => {}, { images: [image] })).rejects.toThrow(
      `--image ${image}: ${reason}`,
    );
    expect([asked, existsSync(file())]).toEqual([[], false]);
  });

  it("is not written if no image is needed", async () => {
    const built = `registry.example.com/acme/built@${digest("c")}`;
    const images = { serving: built, training: built, tracking: built };
    stack({ platformStack: "o/p/platform", team: { name: "demo", images } });
    await lockImages("prod", () => {});
    expect([asked, existsSync(file())]).toEqual([[], false]);
  });

  it("keeps its digests: those of other images always, those of the stack's images without --force", async () => {
    const known = { [prometheus]: digest("a"), [python]: digest("a") };
    stack({ platform: {} });
    writeFileSync(file(), JSON.stringify(known));
    await lockImages("prod", () => {});
    expect(asked).toEqual([metricsAdapter]);
    expect(lock()).toEqual({ ...known, [metricsAdapter]: digest("b") });
    answer = digest("d");
    await lockImages("prod", () => {}, { force: true });
    expect(lock()).toEqual({
      [prometheus]: digest("d"),
      [metricsAdapter]: digest("d"),
      [python]: digest("a"),
    });
  });

  it("is named and not changed if it is not JSON", async () => {
    stack({ platform: {} });
    writeFileSync(file(), "{");
    await expect(lockImages("prod", () => {})).rejects.toThrow(
      new RegExp(`^${file()} cannot be read \\(.+\\); correct it, or delete it`),
    );
    expect([asked, readFileSync(file(), "utf8")]).toEqual([[], "{"]);
  });

  it("is not changed if the registry does not have an image", async () => {
    stack({ platform: {} });
    writeFileSync(file(), "{}");
    answer = undefined;
    await expect(lockImages("prod", () => {})).rejects.toThrow("answered 404 without a digest");
    expect(lock()).toEqual({});
  });
});
