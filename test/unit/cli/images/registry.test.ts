import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import getPort from "get-port";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, requirePush } from "../../../../cli/images/registry";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const AUTH = Buffer.from("me:secret").toString("base64");
const before = process.env.DOCKER_CONFIG;
let server: Server | undefined;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "docker-"));
  process.env.DOCKER_CONFIG = folder;
});

afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true });
  if (before === undefined) {
    delete process.env.DOCKER_CONFIG;
  } else {
    process.env.DOCKER_CONFIG = before;
  }
});

type Answer = [status: number, headers?: Record<string, string>, body?: string];

/** A registry on the loopback address, which responds with the result of a function. */
async function registry(
  answer: (path: string, headers: IncomingHttpHeaders, method: string) => Answer,
): Promise<string> {
  const started = createServer(({ url = "", headers, method = "" }, response) => {
    const [status, answered = {}, body] = answer(url, headers, method);
    response.writeHead(status, answered).end(body);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** A registry that requires a password, or a token that it issues for the password. */
function privateRegistry(scheme: "basic" | "bearer", answer: Answer): Promise<string> {
  return registry((path, { authorization, host }) => {
    if (path.startsWith("/token")) {
      return authorization === `Basic ${AUTH}` ? [200, {}, '{"token":"t"}'] : [401, {}, "{}"];
    }
    if (authorization === (scheme === "basic" ? `Basic ${AUTH}` : "Bearer t")) {
      return answer;
    }
    const challenge = scheme === "basic" ? "Basic" : `Bearer realm="http://${host}/token"`;
    return [401, { "www-authenticate": challenge }];
  });
}

/** Stores credentials as `docker login` does. */
function logIn(host: string): void {
  const auths = { [host]: { auth: AUTH } };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
}

describe("digestOf", () => {
  it("requests indexes and manifests of both formats, and returns the digest", async () => {
    let asked: unknown[] = [];
    const host = await registry((path, { accept }, method) => {
      asked = [method, path, accept];
      return [200, { "docker-content-digest": DIGEST }];
    });
    expect(await digestOf(`${host}/quay.io/prometheus/prometheus:v3`)).toBe(DIGEST);
    expect(asked.slice(0, 2)).toEqual(["HEAD", "/v2/quay.io/prometheus/prometheus/manifests/v3"]);
    expect(`${asked[2]}`.split(", ").sort()).toEqual([
      "application/vnd.docker.distribution.manifest.list.v2+json",
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.oci.image.index.v1+json",
      "application/vnd.oci.image.manifest.v1+json",
    ]);
  });

  it("requests a token without credentials if the registry requires one for anonymous access", async () => {
    const host = await registry((path, { authorization, host: self }) => {
      if (path.startsWith("/token")) {
        return [200, {}, JSON.stringify({ token: `for ${path}` })];
      }
      const challenge = `Bearer realm="http://${self}/token",service="reg",scope="repository:a/b:pull"`;
      return authorization === "Bearer for /token?service=reg&scope=repository%3Aa%2Fb%3Apull"
        ? [200, { "docker-content-digest": DIGEST }]
        : [401, { "www-authenticate": challenge }];
    });
    expect(await digestOf(`${host}/a/b:1`)).toBe(DIGEST);
  });

  it.each(["basic", "bearer"] as const)(
    "uses Docker's credentials for a private registry (%s), and names `docker login` if there are none",
    async (scheme) => {
      const host = await privateRegistry(scheme, [200, { "docker-content-digest": DIGEST }]);
      await expect(digestOf(`${host}/a/b:1`)).rejects.toThrow(
        `${host}/a/b:1: ${host} answered 401 without a digest; log in with \`docker login ${host}\`, with the right to pull`,
      );
      logIn(host);
      expect(await digestOf(`${host}/a/b:1`)).toBe(DIGEST);
    },
  );

  it.each(["quay.io/a/b", "quay.io/a/b@sha256:abc", "a b:1"])("refuses %s", async (text) => {
    await expect(digestOf(text)).rejects.toThrow(
      `${text}: is not an image of the form registry/repository:tag`,
    );
  });

  it("names the image and the status if the registry does not have the image", async () => {
    const host = await registry(() => [404]);
    await expect(digestOf(`${host}/a/b:1`)).rejects.toThrow(
      new RegExp(`^${host}/a/b:1: ${host} answered 404 without a digest$`),
    );
  });

  it("names the image if the registry cannot be reached", async () => {
    const reference = `127.0.0.1:${await getPort()}/a/b:1`;
    await expect(digestOf(reference)).rejects.toThrow(
      `${reference}: the registry cannot be reached (ECONNREFUSED)`,
    );
  });

  it("names the Docker configuration if it is not valid", async () => {
    writeFileSync(join(folder, "config.json"), "{");
    await expect(digestOf("127.0.0.1:1/a/b:1")).rejects.toThrow(
      "127.0.0.1:1/a/b:1: the Docker configuration, config.json, is not valid",
    );
  });
});

describe("requirePush", () => {
  it("starts an upload and cancels it", async () => {
    const asked: string[] = [];
    const host = await registry((path, _headers, method) => {
      asked.push(`${method} ${path}`);
      return [method === "POST" ? 202 : 204, { location: "/v2/acme/serving/blobs/uploads/1" }];
    });
    await requirePush(`${host}/acme/serving`);
    expect(asked).toEqual([
      "POST /v2/acme/serving/blobs/uploads/",
      "DELETE /v2/acme/serving/blobs/uploads/1",
    ]);
  });

  it("sends no request to another server if the registry names one", async () => {
    const host = await registry((_path, _headers, method) => {
      if (method !== "POST") {
        throw new Error("was asked again");
      }
      return [202, { location: "http://127.0.0.1:1/upload" }];
    });
    await expect(requirePush(`${host}/acme/serving`)).resolves.toBeUndefined();
  });

  it.each([
    [401, /refuses a push with status 401; log in with `docker login 127/],
    [403, /refuses a push with status 403; log in with `docker login 127/],
    [404, /refuses a push with status 404; create the repository first/],
    [200, /refuses a push with status 200/],
  ])("names the remedy for the status %d", async (status, message) => {
    const host = await registry(() => [status]);
    await expect(requirePush(`${host}/acme/serving`)).rejects.toThrow(message);
  });

  it.each(["basic", "bearer"] as const)("uses Docker's credentials (%s)", async (scheme) => {
    const host = await privateRegistry(scheme, [202, { location: "/upload" }]);
    logIn(host);
    await expect(requirePush(`${host}/acme/serving`)).resolves.toBeUndefined();
  });
});
