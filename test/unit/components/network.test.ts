import { beforeAll, describe, expect, test } from "vitest";
import { declare } from "../../support/declare";
import type { Registration } from "../../support/mocks";
import { connects, type Peer, type Port } from "../../support/network";
import { only, podTemplates } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const OTHER_PEERS: Record<string, Peer> = {
  outside: { namespace: "somewhere", labels: { app: "outside" } },
  ingress: { namespace: "traefik", labels: { "app.kubernetes.io/name": "traefik" } },
  dns: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
  // The API server is not in a namespace.
  apiServer: { namespace: "", labels: {} },
  unrelated: { namespace: "demo", labels: { app: "unrelated" } },
};
const TARGETS = {
  model: { number: 8080, name: "http" },
  mlflow: { number: 5000, name: "http" },
  prometheus: { number: 9090, name: "http" },
  adapter: { number: 6443, name: "https" },
  training: { number: 8080 },
  postgres: { number: 5432 },
};
const POSTGRES: Peer = { namespace: "databases", labels: {} };

let closed: Registration[];
let open: Registration[];

beforeAll(async () => {
  closed = await declare(smallStack());
  const { config } = smallStack();
  config.platform = { prometheus: { mode: "install", expose: true } };
  config.team.models[0].ingress = false;
  config.team.tracking = { expose: true, postgres: { host: "db.databases.svc" } };
  open = await declare({ config, secrets: { postgresPassword: "x" } });
});

/** The pods of the stack and other sources of connections, by short names. */
function peers(all: Registration[]): Record<string, Peer> {
  const pods = Object.fromEntries(podTemplates(all).map((one) => [one.workload, one]));
  const pick = (workload: string) => pods[workload] as Peer;
  return {
    model: pick("demo-serve-churn-main"),
    mlflow: pick("demo-tracking"),
    training: pick("demo-train-fit"),
    prometheus: pick("platform-prometheus"),
    adapter: pick("platform-metrics-adapter"),
    postgres: POSTGRES,
    ...OTHER_PEERS,
  };
}

/** The allowed connections, as `from -> to`. */
function connections(all: Registration[]): string[] {
  const known = peers(all);
  return Object.entries(TARGETS).flatMap(([target, port]) =>
    Object.entries(known)
      .filter(([name, from]) => {
        const to = known[target];
        return name !== target && to && connects(all, from, to, port);
      })
      .map(([name]) => `${name} -> ${target}`),
  );
}

/**
 * Connections that no policy restricts: to the adapter, which authenticates its callers, as no selector matches the API
 * server; and from pods outside of a team's namespace to other hosts.
 */
const UNRESTRICTED = [
  ...["prometheus", "outside", "ingress", "dns", "apiServer", "postgres"].map(
    (name) => `${name} -> adapter`,
  ),
  ...["prometheus", "adapter", "outside", "ingress", "dns", "apiServer"].map(
    (name) => `${name} -> postgres`,
  ),
];

const PLATFORM_PODS = ["prometheus", "adapter"];
const TEAM_PODS = ["training", "mlflow", "unrelated"];
const OTHER_PODS = ["outside", "ingress", "dns", "postgres"];

describe("connections between pods", () => {
  test("are allowed only where they are needed", () => {
    expect(connections(closed).sort()).toEqual(
      [
        ...UNRESTRICTED,
        "ingress -> model",
        "prometheus -> model",
        // The policy admits the whole namespace of Prometheus, which the adapter shares.
        "adapter -> model",
        "model -> mlflow",
        "training -> mlflow",
        "adapter -> prometheus",
      ].sort(),
    );
  });

  test("are also allowed to exposed UIs, models without an Ingress, and external stores", () => {
    expect(connections(open).sort()).toEqual(
      [
        ...UNRESTRICTED,
        // A model without an Ingress admits every pod of the cluster, including the team's.
        ...[...PLATFORM_PODS, ...TEAM_PODS, ...OTHER_PODS].map((name) => `${name} -> model`),
        "ingress -> mlflow",
        "model -> mlflow",
        "training -> mlflow",
        "mlflow -> postgres",
        "adapter -> prometheus",
        "ingress -> prometheus",
      ].sort(),
    );
  });

  test.each(["model", "training", "mlflow", "unrelated"])(
    "are allowed from %s to the cluster's DNS, at port 53 only",
    (name) => {
      const from = peers(closed)[name] as Peer;
      const dns = OTHER_PEERS.dns as Peer;
      expect(connects(closed, from, dns, { number: 53 })).toBe(true);
      expect(connects(closed, from, dns, { number: 443 })).toBe(false);
      expect(connects(closed, from, OTHER_PEERS.outside as Peer, { number: 53 })).toBe(false);
    },
  );
});

test("DNS is allowed over UDP and TCP", () => {
  const [rule] = only(closed, "NetworkPolicy", "-namespace-deny").inputs.spec.egress;
  expect(rule.ports).toEqual([
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ]);
});

test("a model without an Ingress admits every pod, and no other host", async () => {
  const { config } = smallStack();
  config.platform = { prometheus: { mode: "off" }, metricsAdapter: { mode: "off" } };
  Object.assign(config.team.models[0], { ingress: false, autoscale: { kind: "cpu" } });
  const all = await declare({ config });
  const model = podTemplates(all).find(
    ({ workload }) => workload === "demo-serve-churn-main",
  ) as Peer;
  const callers = (port: Port) =>
    Object.keys(OTHER_PEERS).filter((name) =>
      connects(all, OTHER_PEERS[name] as Peer, model, port),
    );
  expect(callers(TARGETS.model)).toEqual(["outside", "ingress", "dns", "unrelated"]);
  expect(callers({ number: 8081 })).toEqual([]);
});

describe("cert-manager's solvers", () => {
  const SOLVER = { "acme.cert-manager.io/http01-solver": "true" };
  const ISSUER = { issuer: "letsencrypt" };
  /** Which connections in a namespace are allowed. Only the first may be. */
  const reached = async (namespace: string, ingress: object, expose = true) => {
    const { config } = smallStack();
    config.platform = { ingress, prometheus: { mode: "install", expose } };
    const all = await declare({ config });
    const reaches = (from: string, labels: Peer["labels"], number: number) =>
      connects(all, OTHER_PEERS[from] as Peer, { namespace, labels }, { number });
    return {
      solver: reaches("ingress", SOLVER, 8089),
      anotherPort: reaches("ingress", SOLVER, 8090),
      anotherPod: reaches("ingress", {}, 8089),
      fromOthers: ["outside", "dns", "unrelated"].some((from) => reaches(from, SOLVER, 8089)),
    };
  };
  const none = { solver: false, anotherPort: false, anotherPod: false, fromOthers: false };

  test.each(["demo", "ml-platform"])("in %s admit the ingress controller only", async (name) => {
    expect(await reached(name, ISSUER)).toEqual({ ...none, solver: true });
    expect(await reached(name, {})).toEqual(none);
  });

  test("in the platform's namespace admit no connection if the platform serves no host", async () => {
    expect(await reached("ml-platform", ISSUER, false)).toEqual(none);
  });
});

test("models admit an existing Prometheus, and not the platform's namespace", async () => {
  const { config } = smallStack();
  config.platform = {
    prometheus: { mode: "existing", url: "http://prometheus.watch:9090", namespace: "watch" },
  };
  const all = await declare({ config });
  const model = podTemplates(all).find(
    ({ workload }) => workload === "demo-serve-churn-main",
  ) as Peer;
  const from = (namespace: string) =>
    connects(all, { namespace, labels: {} }, model, TARGETS.model);
  expect(["watch", "ml-platform", "monitoring", "traefik"].map(from)).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

describe("an existing Gateway", () => {
  /** Namespaces whose pods may connect to a model, with such a Gateway. */
  const admitted = async (gateway: object) => {
    const { config } = smallStack();
    config.platform = {
      gateway: { mode: "existing", name: "shared", namespace: "gateways", ...gateway },
    };
    const all = await declare({ config });
    const model = podTemplates(all).find(
      ({ workload }) => workload === "demo-serve-churn-main",
    ) as Peer;
    return ["traefik", "gateways", "proxies", "somewhere"].filter((namespace) =>
      connects(all, { namespace, labels: {} }, model, TARGETS.model),
    );
  };

  test("connects to models from its own namespace, or from that of its proxies", async () => {
    expect(await admitted({})).toEqual(["traefik", "gateways"]);
    expect(await admitted({ proxyNamespace: "proxies" })).toEqual(["traefik", "proxies"]);
  });
});
