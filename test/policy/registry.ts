import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const MB = 1e6;
const blob = (size: number, name = `${size}`) => ({ digest: `sha256:${name}`, size });
export const digestOf = (text: string) =>
  `sha256:${createHash("sha256").update(text).digest("hex")}`;

const layer = blob(100 * MB);
export const image = JSON.stringify({
  config: blob(10),
  layers: [layer, blob(40 * MB), { ...layer, size: 0 }],
});
const large = JSON.stringify({ config: blob(10), layers: [blob(900 * MB)] });
export const index = JSON.stringify({
  manifests: [
    { ...blob(1), digest: digestOf(image), platform: { os: "linux", architecture: "amd64" } },
    { ...blob(1), digest: digestOf(large), platform: { os: "linux", architecture: "arm64" } },
    { ...blob(1), digest: "sha256:none", platform: { os: "unknown", architecture: "unknown" } },
  ],
});

/** A stub registry with valid and invalid responses, depending on the path. */
export interface Registry {
  readonly host: string;
  /** The requested paths. */
  readonly asked: readonly string[];
  close(): void;
}

export async function startRegistry(): Promise<Registry> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const host = `${request.headers.host}`;
    answer(
      response,
      new URL(request.url ?? "", `http://${host}`),
      `${request.headers.authorization ?? ""}`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => server.close(),
  };
}

function answer(
  response: ServerResponse,
  { host, pathname, searchParams }: URL,
  authorization: string,
) {
  const [, repository, reference] = /^\/v2\/(.*)\/manifests\/(.*)$/.exec(pathname) ?? [];
  const known = [image, large, index].find((text) => digestOf(text) === reference);
  const challenge = `Bearer realm="http://${host}/token",service="registry",scope="repository:${repository}:pull"`;
  if (pathname === "/token") {
    const user = authorization === `Basic ${btoa("user:secret")}` ? "user" : "nobody";
    response.end(JSON.stringify({ token: `${user} for ${searchParams.get("scope")}` }));
  } else if (
    repository === "private" &&
    authorization !== "Bearer user for repository:private:pull"
  ) {
    response.writeHead(401, { "www-authenticate": challenge }).end();
  } else if (repository === "basic" && !authorization.startsWith("Basic")) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
  } else if (reference === "loop") {
    response.writeHead(307, { location: pathname }).end();
  } else if (reference === "broken") {
    response.writeHead(500).end();
  } else if (repository === "slow") {
    // No response.
  } else if (repository === "halting") {
    response.write("{");
  } else if (repository === "lie") {
    response.end(image.replace("100000000", "1"));
  } else if (repository === "endless") {
    response.end("x".repeat(5 * 1024 * 1024));
  } else {
    const rubbish: Record<string, string> = {
      text: "<html>",
      empty: "{}",
      nothing: '{"manifests":[]}',
    };
    const text = rubbish[reference ?? ""] ?? known;
    response.writeHead(text === undefined ? 404 : 200).end(text);
  }
}
