import { beforeAll, describe, expect, test } from "vitest";
import { declare } from "../../support/declare";
import type { Registration } from "../../support/mocks";
import { connects, type Peer, type Port } from "../../support/network";
import { only, podTemplates } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const OUTSIDERS: Record<string, Peer> = {
  stranger: { namespace: "somewhere", labels: { app: "stranger" } },
  ingress: { namespace: "traefik", labels: { "app.kubernetes.io/name": "traefik" } },
  dns: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
  // The API server is in no namespace at all.
  apiServer: { namespace: "", labels: {} },
  foreign: { namespace: "demo", labels: { app: "foreign" } },
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

/** The stack's pods by short names, and those around it. */
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
    ...OUTSIDERS,
  };
}

/** Who may connect to whom, as `from -> to`. */
function paths(all: Registration[]): string[] {
  const everybody = peers(all);
  return Object.entries(TARGETS).flatMap(([target, port]) =>
    Object.entries(everybody)
      .filter(([name, from]) => {
        const to = everybody[target];
        return name !== target && to && connects(all, from, to, port);
      })
      .map(([name]) => `${name} -> ${target}`),
  );
}

/** The adapter checks who asks, as no selector finds the API server; and out of a platform's namespace all is open. */
const EVERYWHERE = [
  ...["prometheus", "stranger", "ingress", "dns", "apiServer", "postgres"].map(
    (name) => `${name} -> adapter`,
  ),
  ...["prometheus", "adapter", "stranger", "ingress", "dns", "apiServer"].map(
    (name) => `${name} -> postgres`,
  ),
];

const PLATFORM_PODS = ["prometheus", "adapter"];
const TEAM_PODS = ["training", "mlflow", "foreign"];
const OTHER_PODS = ["stranger", "ingress", "dns", "postgres"];

describe("the paths between pods", () => {
  test("are the ones that are needed, and no others", () => {
    expect(paths(closed).sort()).toEqual(
      [
        ...EVERYWHERE,
        "ingress -> model",
        "prometheus -> model",
        // Prometheus and the adapter share a namespace, whose pods metrics are collected by.
        "adapter -> model",
        "model -> mlflow",
        "training -> mlflow",
        "adapter -> prometheus",
      ].sort(),
    );
  });

  test("follow what is exposed, and where data is kept", () => {
    expect(paths(open).sort()).toEqual(
      [
        ...EVERYWHERE,
        // Without an Ingress a model is there for the whole cluster, the team's own pods included.
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

  test.each(["model", "training", "mlflow", "foreign"])("let %s ask for names", (name) => {
    const from = peers(closed)[name] as Peer;
    const dns = OUTSIDERS.dns as Peer;
    expect(connects(closed, from, dns, { number: 53 })).toBe(true);
    expect(connects(closed, from, dns, { number: 443 })).toBe(false);
    expect(connects(closed, from, OUTSIDERS.stranger as Peer, { number: 53 })).toBe(false);
  });
});

test("DNS is let through by UDP as well", () => {
  const [rule] = only(closed, "NetworkPolicy", "-namespace-deny").inputs.spec.egress;
  expect(rule.ports).toEqual([
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ]);
});

test("a model without an Ingress is called by any pod, and by nothing that is none", async () => {
  const { config } = smallStack();
  config.platform = { prometheus: { mode: "off" }, metricsAdapter: { mode: "off" } };
  Object.assign(config.team.models[0], { ingress: false, autoscale: { kind: "cpu" } });
  const all = await declare({ config });
  const model = podTemplates(all).find(
    ({ workload }) => workload === "demo-serve-churn-main",
  ) as Peer;
  const callers = (port: Port) =>
    Object.keys(OUTSIDERS).filter((name) => connects(all, OUTSIDERS[name] as Peer, model, port));
  expect(callers(TARGETS.model)).toEqual(["stranger", "ingress", "dns", "foreign"]);
  expect(callers({ number: 8081 })).toEqual([]);
});

describe("cert-manager's solvers", () => {
  const SOLVER = { "acme.cert-manager.io/http01-solver": "true" };
  const ISSUER = { issuer: "letsencrypt" };
  /** Who reaches which pods of a namespace at which port, of all that must not but for the first. */
  const reached = async (namespace: string, ingress: object, expose = true) => {
    const { config } = smallStack();
    config.platform = { ingress, prometheus: { mode: "install", expose } };
    const all = await declare({ config });
    const reaches = (from: string, labels: Peer["labels"], number: number) =>
      connects(all, OUTSIDERS[from] as Peer, { namespace, labels }, { number });
    return {
      solver: reaches("ingress", SOLVER, 8089),
      anotherPort: reaches("ingress", SOLVER, 8090),
      anotherPod: reaches("ingress", {}, 8089),
      byAnother: ["stranger", "dns", "foreign"].some((from) => reaches(from, SOLVER, 8089)),
    };
  };
  const nobody = { solver: false, anotherPort: false, anotherPod: false, byAnother: false };

  test.each(["demo", "ml-platform"])("in %s are reached by the ingress alone", async (name) => {
    expect(await reached(name, ISSUER)).toEqual({ ...nobody, solver: true });
    expect(await reached(name, {})).toEqual(nobody);
  });

  test("are not expected where the platform itself serves no host", async () => {
    expect(await reached("ml-platform", ISSUER, false)).toEqual(nobody);
  });
});

test("metrics are let out to the Prometheus that the cluster has", async () => {
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

describe("a Gateway that the cluster has", () => {
  /** Namespaces whose pods reach a model, with such a Gateway. */
  const reaching = async (gateway: object) => {
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

  test("reaches models from its own namespace, or from that of its proxies", async () => {
    expect(await reaching({})).toEqual(["traefik", "gateways"]);
    expect(await reaching({ proxyNamespace: "proxies" })).toEqual(["traefik", "proxies"]);
  });
});
