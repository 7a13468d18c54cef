import { beforeAll, describe, expect, test } from "vitest";
import * as ml from "../../../components";
import { DIGEST, type Registration, run } from "../../support/mocks";
import { connects, type Peer } from "../../support/network";
import { podTemplates } from "../../support/objects";

const IMAGE = `registry.example.com/acme/image@${DIGEST}`;
const TRACKING = { namespace: "fraud", image: IMAGE };
const JOB = { ...TRACKING, model: "churn" };
const SERVICE = { ...TRACKING, name: "churn" };
const pod = { proxy: { https: "http://proxy.example.com:3128" } };
const trackingUri = "http://mlflow.ml:5000";

const OUTSIDE: Peer = { namespace: "", labels: {} };
const DNS: Peer = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
const OTHER: Peer = { namespace: "fraud", labels: { app: "other" } };
/** An MLflow that no component of this project made. */
const MLFLOW: Peer = { namespace: "fraud", labels: { app: "mlflow" } };

/** Components in an existing namespace, which has no network policy of its own. */
const COMPONENTS: [string, () => unknown][] = [
  ["a tracking server", () => new ml.TrackingServer("a", TRACKING)],
  [
    "a tracking server with PostgreSQL",
    () =>
      new ml.TrackingServer("a", {
        ...TRACKING,
        postgres: { host: "db" },
        secrets: { postgresPassword: "x" },
      }),
  ],
  ["a tracking server with a proxy", () => new ml.TrackingServer("a", { ...TRACKING, pod })],
  ["a training job", () => new ml.TrainingJob("a", JOB)],
  ["a training job with a proxy", () => new ml.TrainingJob("a", { ...JOB, pod })],
  ["a model service", () => new ml.ModelService("a", SERVICE)],
  ["a model service with a proxy", () => new ml.ModelService("a", { ...SERVICE, pod })],
  [
    "a model service without an Ingress",
    () => new ml.ModelService("a", { ...SERVICE, ingress: false }),
  ],
  [
    "a model service with another tracking server",
    () => new ml.ModelService("a", { ...SERVICE, trackingUri }),
  ],
];

describe.each(COMPONENTS)("in an existing namespace %s", (_, create) => {
  let all: Registration[];
  let own: Peer[];
  beforeAll(async () => {
    const { error, registrations } = await run(async () => void create());
    expect(error).toBeUndefined();
    all = registrations;
    own = podTemplates(all);
    expect(own).toHaveLength(1);
  });

  test("lets its pods connect to the cluster's DNS", () => {
    for (const from of own) {
      expect(connects(all, from, DNS, { number: 53 })).toBe(true);
    }
  });

  test("restricts no other pod", () => {
    expect(connects(all, OTHER, OUTSIDE, { number: 443 })).toBe(true);
    expect(connects(all, DNS, OTHER, { number: 443 })).toBe(true);
  });
});

test.each([
  ["training job", () => new ml.TrainingJob("a", { ...JOB, pod })],
  ["model service", () => new ml.ModelService("a", { ...SERVICE, pod })],
])(
  "with a proxy, the pods of a %s may connect to the MLflow of their namespace",
  async (_, create) => {
    const { registrations } = await run(async () => void create());
    const [from] = podTemplates(registrations);
    const reaches = (to: Peer, number: number) =>
      connects(registrations, from as Peer, to, { number });
    expect(reaches(MLFLOW, 5000)).toBe(true);
    expect(reaches(OUTSIDE, 3128)).toBe(true);
    expect(reaches(OUTSIDE, 5000)).toBe(false);
  },
);

test("the clients of a tracking server may connect to it and to the cluster's DNS", async () => {
  const { registrations } = await run(async () => {
    new ml.TrackingServer("a", TRACKING);
    new ml.TrainingJob("b", JOB);
  });
  const [server, job] = podTemplates(registrations);
  expect(connects(registrations, job as Peer, server as Peer, { number: 5000 })).toBe(true);
  expect(connects(registrations, job as Peer, DNS, { number: 53 })).toBe(true);
});

test("the pods of a team's namespace may connect to its models without an Ingress", async () => {
  const { registrations } = await run(async () => {
    new ml.TeamNamespace("ns", { team: "fraud" });
    new ml.ModelService("a", { ...SERVICE, ingress: false });
    new ml.ModelService("b", { ...SERVICE, name: "other" });
  });
  const [inside, exposed] = podTemplates(registrations);
  expect(connects(registrations, OTHER, inside as Peer, { number: 8080 })).toBe(true);
  expect(connects(registrations, OTHER, inside as Peer, { number: 8081 })).toBe(false);
  expect(connects(registrations, OTHER, exposed as Peer, { number: 8080 })).toBe(false);
});

describe("Prometheus and the metrics adapter in an existing namespace", () => {
  const ADAPTER: Peer = {
    namespace: "fraud",
    labels: { "app.kubernetes.io/name": "prometheus-adapter" },
  };
  const INGRESS: Peer = { namespace: "traefik", labels: {} };
  const PEERS = { ADAPTER, INGRESS, OTHER, OUTSIDE, DNS };

  /** The peers that may connect to the only pod at a port. */
  async function admitted(create: () => unknown, number: number) {
    const { registrations } = await run(async () => void create());
    const [to] = podTemplates(registrations);
    return Object.entries(PEERS).flatMap(([name, from]) =>
      connects(registrations, from, to as Peer, { number }) ? name : [],
    );
  }

  test("Prometheus admits the adapter, and the ingress controller if its UI is exposed", async () => {
    const prometheus = (expose: boolean) => () => new ml.Prometheus("a", { ...TRACKING, expose });
    expect(await admitted(prometheus(false), 9090)).toEqual(["ADAPTER"]);
    expect(await admitted(prometheus(true), 9090)).toEqual(["ADAPTER", "INGRESS"]);
    expect(await admitted(prometheus(true), 9091)).toEqual([]);
  });

  test("the adapter admits every client, at its port only", async () => {
    const adapter = () =>
      new ml.MetricsAdapter("a", { ...TRACKING, prometheusUrl: "http://prometheus:9090" });
    expect(await admitted(adapter, 6443)).toEqual(Object.keys(PEERS));
    expect(await admitted(adapter, 6444)).toEqual([]);
  });
});
