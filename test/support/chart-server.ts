import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname } from "node:path";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

const sha256 = (data: string | Buffer) =>
  `sha256:${createHash("sha256").update(data).digest("hex")}`;

function manifestOf(config: string, chart: Buffer): string {
  const blob = (kind: string, data: string | Buffer) => ({
    mediaType: `application/vnd.cncf.helm.${kind}`,
    digest: sha256(data),
    size: data.length,
  });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: blob("config.v1+json", config),
    layers: [blob("chart.content.v1.tar+gzip", chart)],
  });
}

/** The files of a chart repository and of an OCI registry with one version of a chart, by path. */
function files(name: string, version: string, chart: Buffer): Record<string, string | Buffer> {
  const metadata = { apiVersion: "v2", name, version };
  const config = JSON.stringify(metadata);
  const entries = { [name]: [{ ...metadata, urls: [`${name}.tgz`] }] };
  return {
    "/charts/index.yaml": JSON.stringify({ apiVersion: "v1", entries }),
    [`/charts/${name}.tgz`]: chart,
    [`/v2/charts/${name}/manifests/${version}`]: manifestOf(config, chart),
    [`/v2/charts/${name}/blobs/${sha256(config)}`]: config,
    [`/v2/charts/${name}/blobs/${sha256(chart)}`]: chart,
  };
}

/** Serves the chart in a folder, below `/charts` of a chart repository and of an OCI registry. */
export async function serveChart(
  folder: string,
  version: string,
): Promise<{ server: Server; host: string }> {
  const name = basename(folder);
  const chart = execFileSync("tar", ["-cz", "-C", dirname(folder), name]);
  const known = files(name, version, chart);
  const server = createServer(({ url = "" }, response) => {
    const file = known[url];
    if (url.includes("/manifests/")) {
      response.setHeader("content-type", MANIFEST);
    }
    response.setHeader("content-length", file?.length ?? 0);
    response.writeHead(file ? 200 : 404).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}
