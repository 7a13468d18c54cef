import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { type Blueprint, configFile, type Part } from "./part";
import { grpcProbe, httpProbe } from "./probe";
import { LOOK_TIMEOUT, run } from "./shell";

/** How images come in (registry, BuildKit) and how the host reaches what runs (forwarders). */
export function delivery(blueprint: Blueprint): Part[] {
  const { link, registryPort, ingressPort } = blueprint;
  return [
    registry(blueprint),
    buildkit(blueprint),
    forwarder("registry-forwarder", registryPort, `${link.node}:${registryPort}`),
    forwarder("ingress-forwarder", ingressPort, `${link.node}:80`),
  ];
}

/** Listens on the same port as on the host, so that one image reference serves everybody. */
function registry({ lab, link, registryPort }: Blueprint): Part {
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

function buildkit({ lab, registryPort, resolvers, cgroupRoot, tool }: Blueprint): Part {
  return {
    name: "buildkitd",
    after: [],
    command: [
      tool("buildkitd"),
      `--config=${configFile(lab, "buildkitd.toml")}`,
      `--addr=unix://${lab.paths.buildkitSocket}`,
      `--root=${join(lab.paths.data, "buildkit")}`,
      // By default in /run/buildkit, which would stay on the machine.
      `--otel-socket-path=${join(dirname(lab.paths.buildkitSocket), "otel.sock")}`,
    ],
    files: { "buildkitd.toml": renderBuildkit(cgroupRoot, `127.0.0.1:${registryPort}`, resolvers) },
    probe: grpcProbe(lab.paths.buildkitSocket),
  };
}

/** BuildKit's configuration; JSON strings and arrays are TOML's. */
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

/** Connections that may wait for socat: with its own 5, the rest of a burst would wait for seconds to knock again. */
const BACKLOG = 1024;

/** Brings a port of the host's loopback, and of nothing else, to the lab. */
function forwarder(name: string, port: number, target: string): Part {
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
    const listeners = await run("ss", ["-Hltn", "src", "127.0.0.1", "and", filter], LOOK_TIMEOUT);
    if (!listeners.trim()) throw new Error(`nothing listens on 127.0.0.1:${port}`);
  };
}
