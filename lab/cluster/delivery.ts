import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { type ClusterConfig, type Component, configFile } from "./component";
import { grpcProbe, httpProbe } from "./probe";
import { QUERY_TIMEOUT, run } from "./shell";

/** Components for images (registry, BuildKit), and for access from the host (forwarders). */
export function delivery(cluster: ClusterConfig): Component[] {
  const { link, registryPort, ingressPort, httpsPort } = cluster;
  return [
    registry(cluster),
    buildkit(cluster),
    forwarder("registry-forwarder", registryPort, `${link.node}:${registryPort}`),
    forwarder("ingress-forwarder", ingressPort, `${link.node}:80`),
    forwarder("https-forwarder", httpsPort, `${link.node}:443`),
  ];
}

/** Listens on the same port as on the host, so that an image has one reference everywhere. */
function registry({ lab, link, registryPort }: ClusterConfig): Component {
  const config = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(lab.paths.data, "registry") },
      delete: { enabled: true },
    },
    http: { addr: `0.0.0.0:${registryPort}` },
  };
  return {
    name: "registry",
    after: [],
    command: ["docker-registry", "serve", configFile(lab, "registry.yaml")],
    files: { "registry.yaml": stringify(config) },
    probe: httpProbe(`http://${link.node}:${registryPort}/v2/`),
  };
}

function buildkit({ lab, registryPort, resolvers, cgroupRoot, tool }: ClusterConfig): Component {
  return {
    name: "buildkitd",
    after: [],
    command: [
      tool("buildkitd"),
      `--config=${configFile(lab, "buildkitd.toml")}`,
      `--addr=unix://${lab.paths.buildkitSocket}`,
      `--root=${join(lab.paths.data, "buildkit")}`,
      // The default in /run/buildkit would remain on the machine.
      `--otel-socket-path=${join(dirname(lab.paths.buildkitSocket), "otel.sock")}`,
    ],
    files: { "buildkitd.toml": renderBuildkit(cgroupRoot, `127.0.0.1:${registryPort}`, resolvers) },
    probe: grpcProbe(lab.paths.buildkitSocket),
  };
}

/** BuildKit's configuration. JSON strings and arrays are valid TOML. */
export function renderBuildkit(
  cgroupRoot: string,
  registry: string,
  resolvers: readonly string[],
): string {
  const quote = JSON.stringify;
  return `[registry.${quote(registry)}]
  http = true
[dns]
  nameservers = ${quote(resolvers)}
[worker.containerd]
  enabled = false
[worker.oci]
  enabled = true
  defaultCgroupParent = ${quote(join(cgroupRoot, "buildkit"))}
`;
}

/** Backlog of socat: with its default of 5, the other connections of a burst would wait seconds for a retransmission. */
const BACKLOG = 1024;

/** Forwards a port of the host's loopback address to the lab. */
function forwarder(name: string, port: number, target: string): Component {
  const listen = `TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,backlog=${BACKLOG}`;
  return {
    name,
    after: [],
    command: ["socat", listen, `TCP4:${target}`],
    inside: false,
    probe: listens(port),
  };
}

function listens(port: number) {
  const filter = `sport = :${port}`;
  return async () => {
    const listeners = await run("ss", ["-Hltn", "src", "127.0.0.1", "and", filter], QUERY_TIMEOUT);
    if (!listeners.trim()) {
      throw new Error(`nothing listens on 127.0.0.1:${port}`);
    }
  };
}
