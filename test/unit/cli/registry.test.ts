import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { digestOf, parseReference, requirePush } from "../../../cli/registry";

const DIGEST = `sha256:${"ab".repeat(32)}`;
let server: Server;

/** A registry on loopback that answers every request for a manifest in one way. */
async function registry(
  answer: (
    path: string,
    headers: Record<string, unknown>,
    method: string,
  ) => [number, Record<string, string>, string?],
): Promise<string> {
  server = createServer((request, response) => {
    const [status, headers, body] = answer(
      request.url ?? "",
      request.headers,
      request.method ?? "",
    );
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => server?.close());

describe("parseReference", () => {
  it("tells registry, repository and tag apart, ports included", () => {
    expect(parseReference("127.0.0.1:5001/docker.io/library/python:3.13-slim")).toEqual({
      registry: "127.0.0.1:5001",
      repository: "docker.io/library/python",
      tag: "3.13-slim",
    });
  });

  it.each(["python", "python:3", "quay.io/a/b", "quay.io/a/b@sha256:abc"])("refuses %s", (text) => {
    expect(() => parseReference(text)).toThrow(`${text}: is no image of the form`);
  });
});

describe("digestOf", () => {
  it("asks for indexes and manifests of both formats, and returns the digest", async () => {
    let asked: [string, unknown] = ["", ""];
    const host = await registry((path, { accept }) => {
      asked = [path, accept];
      return [200, { "docker-content-digest": DIGEST }];
    });
    expect(await digestOf(`${host}/quay.io/prometheus/prometheus:v3`)).toBe(DIGEST);
    expect(asked[0]).toBe("/v2/quay.io/prometheus/prometheus/manifests/v3");
    expect(asked[1]).toMatch(/oci\.image\.index.*manifest\.list.*oci\.image\.manifest.*docker/);
  });

  it("gets itself a token where the registry asks for one", async () => {
    const host = await registry((path, { authorization, host: self }) => {
      if (path.startsWith("/token")) return [200, {}, JSON.stringify({ token: `for ${path}` })];
      const challenge = `Bearer realm="http://${self}/token",service="reg",scope="repository:a/b:pull"`;
      return authorization === "Bearer for /token?service=reg&scope=repository%3Aa%2Fb%3Apull"
        ? [200, { "docker-content-digest": DIGEST }]
        : [401, { "www-authenticate": challenge }];
    });
    expect(await digestOf(`${host}/a/b:1`)).toBe(DIGEST);
  });

  it("names the image and the answer where there is none", async () => {
    const host = await registry(() => [404, {}]);
    await expect(digestOf(`${host}/a/b:1`)).rejects.toThrow(`${host}/a/b:1: ${host} answered 404`);
  });

  it("names the registry that cannot be reached", async () => {
    await expect(digestOf("127.0.0.1:1/a/b:1")).rejects.toThrow("127.0.0.1:1 cannot be reached");
  });
});

describe("requirePush", () => {
  it("begins an upload, and takes it back", async () => {
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

  it.each([
    [401, /refuses a push with status 401; log in with `docker login 127/],
    [403, /refuses a push with status 403; log in with `docker login 127/],
    [404, /refuses a push with status 404; make the repository first/],
    [200, /refuses a push with status 200/],
  ])("names the remedy for the answer %d", async (status, message) => {
    const host = await registry(() => [status, {}]);
    await expect(requirePush(`${host}/acme/serving`)).rejects.toThrow(message);
  });

  it("uses Docker's credentials, for the registry itself and for its token service", async () => {
    const folder = mkdtempSync(join(tmpdir(), "docker-"));
    const auth = Buffer.from("me:secret").toString("base64");
    const before = process.env.DOCKER_CONFIG;
    process.env.DOCKER_CONFIG = folder;
    try {
      const challenges = (self: unknown) => ["Basic", `Bearer realm="http://${self}/token"`];
      for (const index of [0, 1]) {
        const host = await registry((path, { authorization, host: self }) => {
          if (path.startsWith("/token"))
            return authorization === `Basic ${auth}` ? [200, {}, '{"token":"t"}'] : [401, {}, "{}"];
          const accepted = index === 0 ? `Basic ${auth}` : "Bearer t";
          if (authorization === accepted) return [202, { location: "/upload" }];
          return [401, { "www-authenticate": challenges(self)[index] ?? "" }];
        });
        writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
        await requirePush(`${host}/acme/serving`);
        server.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
      if (before === undefined) delete process.env.DOCKER_CONFIG;
      else process.env.DOCKER_CONFIG = before;
    }
  });
});
