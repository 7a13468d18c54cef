import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { digestOf, parseReference } from "../../../cli/registry";

const DIGEST = `sha256:${"ab".repeat(32)}`;
let server: Server;

/** A registry on loopback that answers every request for a manifest in one way. */
async function registry(
  answer: (
    path: string,
    headers: Record<string, unknown>,
  ) => [number, Record<string, string>, string?],
): Promise<string> {
  server = createServer((request, response) => {
    const [status, headers, body] = answer(request.url ?? "", request.headers);
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
