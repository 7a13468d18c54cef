import { beforeAll, describe, expect, test } from "vitest";
import { DIGEST, type Run, run } from "../support/mocks";
import { containers, objects, podTemplates } from "../support/objects";
import { fullStack, stackFile } from "../support/stacks";

const STACKS = {
  dev: () => stackFile("dev"),
  platform: () => stackFile("platform"),
  team: () => stackFile("team"),
  full: fullStack,
};
const NAMES = Object.keys(STACKS) as (keyof typeof STACKS)[];
/** Runs as root, because the kubelet's socket directory belongs to root. */
const ROOT_WORKLOAD = "platform-device-plugin";

const runs = {} as Record<keyof typeof STACKS, Run>;

beforeAll(async () => {
  const { default: program } = await import("../../index");
  for (const name of NAMES) {
    runs[name] = await run(program, STACKS[name]());
  }
});

/** How many resources there are of each type, by the last word of its token. */
function counts({ registrations }: Run): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { type } of registrations.filter(({ custom }) => custom)) {
    const kind = type.split(":").at(-1) ?? "";
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return found;
}

test("the type tokens of components do not change, as another token replaces all resources of the component", () => {
  const tokens = NAMES.flatMap((name) => runs[name].registrations.map(({ type }) => type));
  expect([...new Set(tokens.filter((type) => type.startsWith("mlplatform:")))].sort()).toEqual([
    "mlplatform:platform:CertManager",
    "mlplatform:platform:DevicePlugin",
    "mlplatform:platform:Issuers",
    "mlplatform:platform:MetricsAdapter",
    "mlplatform:platform:Platform",
    "mlplatform:platform:Prometheus",
    "mlplatform:team:DataFetch",
    "mlplatform:team:ModelService",
    "mlplatform:team:ModelVariant",
    "mlplatform:team:Team",
    "mlplatform:team:TeamImages",
    "mlplatform:team:TeamNamespace",
    "mlplatform:team:TrackingServer",
    "mlplatform:team:TrainingJob",
  ]);
});

const MODEL_SERVICE = {
  Deployment: 1,
  HorizontalPodAutoscaler: 1,
  Ingress: 1,
  NetworkPolicy: 1,
  PodDisruptionBudget: 1,
  Service: 1,
  ServiceAccount: 1,
};
const TRACKING = {
  Deployment: 1,
  NetworkPolicy: 2,
  PersistentVolumeClaim: 1,
  Service: 1,
  ServiceAccount: 1,
};
const TEAM = {
  LimitRange: 1,
  Namespace: 1,
  NetworkPolicy: 2,
  PersistentVolumeClaim: 1,
  ResourceQuota: 1,
};
const TRAINING = { Job: 1, ServiceAccount: 1 };
const PLATFORM = { Namespace: 1, NetworkPolicy: 1 };
const PROMETHEUS = {
  ClusterRole: 1,
  ClusterRoleBinding: 1,
  ConfigMap: 1,
  Deployment: 1,
  NetworkPolicy: 1,
  PersistentVolumeClaim: 1,
  Service: 1,
  ServiceAccount: 1,
};
const ADAPTER = {
  APIService: 1,
  ClusterRole: 1,
  ClusterRoleBinding: 2,
  ConfigMap: 1,
  Deployment: 1,
  NetworkPolicy: 1,
  PodDisruptionBudget: 1,
  RoleBinding: 1,
  Secret: 1,
  Service: 1,
  ServiceAccount: 1,
};
/** cert-manager, whose release Pulumi's component creates, and the platform's CA. The adapter's certificate comes from it. */
const CERT_MANAGER = {
  Namespace: 1,
  NetworkPolicy: 2,
  PodDisruptionBudget: 3,
  ClusterIssuer: 1,
  Certificate: 1,
};
const DEVICE_PLUGIN = { ConfigMap: 1, DaemonSet: 1, Namespace: 1, ServiceAccount: 1 };
const VIEWERS = { RoleBinding: 1 };
/** The network policy for cert-manager's solvers, if certificates are issued. */
const SOLVERS = { NetworkPolicy: 1 };
const EXPOSED = { Ingress: 1 };
/** Traefik's redirect to HTTPS. */
const REDIRECT = { Middleware: 1 };

/** A second variant, and the route in place of the Ingress. */
const SPLIT = {
  Deployment: 1,
  HorizontalPodAutoscaler: 1,
  HTTPRoute: 1,
  Ingress: -1,
  PodDisruptionBudget: 1,
  Service: 2,
};
/** A further volume, and the job that fetches files into it. */
const FETCHED = { Job: 1, NetworkPolicy: 1, PersistentVolumeClaim: 1, ServiceAccount: 1 };
const MODELS = [MODEL_SERVICE, MODEL_SERVICE, MODEL_SERVICE];
/**
 * The passwords of PostgreSQL and S3, and the network policy for connections to them. The model with a fixed number of pods
 * has neither autoscaler nor Ingress.
 */
const DIFFERENCE = { Secret: 1, NetworkPolicy: 1, HorizontalPodAutoscaler: -1, Ingress: -1 };
const FEATURES: Record<keyof typeof STACKS, Record<string, number>[]> = {
  dev: [
    ...[PLATFORM, CERT_MANAGER, PROMETHEUS, EXPOSED, ADAPTER],
    ...[{ Image: 3 }, TEAM, TRACKING, EXPOSED, TRAINING, MODEL_SERVICE],
  ],
  platform: [PLATFORM, REDIRECT, ADAPTER, DEVICE_PLUGIN],
  team: [TEAM, VIEWERS, SOLVERS, TRACKING, MODEL_SERVICE, SPLIT],
  full: [
    ...[PLATFORM, CERT_MANAGER, PROMETHEUS, ADAPTER, DEVICE_PLUGIN],
    ...[TEAM, VIEWERS, TRACKING, EXPOSED, FETCHED, TRAINING, ...MODELS, DIFFERENCE],
  ],
};

test.each(NAMES)("stack %s declares exactly the resources of its features", (name) => {
  const expected: Record<string, number> = { kubernetes: 1 };
  for (const [kind, count] of FEATURES[name].flatMap((counts) => Object.entries(counts))) {
    expected[kind] = (expected[kind] ?? 0) + count;
  }
  const declared = Object.entries(expected).filter(([, count]) => count > 0);
  expect(counts(runs[name])).toEqual(Object.fromEntries(declared));
});

test("the outputs are the contract of the platform and the URLs", () => {
  expect(runs.dev.outputs).toEqual({
    certificateAuthority: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/),
    platform: {
      namespace: "ml-platform",
      requestRate: true,
      gpus: false,
      prometheusUrl: "http://prometheus.ml-platform.svc:9090",
      monitoringNamespace: "ml-platform",
      certificatesNamespace: "cert-manager",
      ingress: { ...stackFile("dev").config.platform.ingress, issuer: "ml-platform-ca" },
      gateway: {
        name: "ml-platform",
        namespace: "ml-platform",
        tls: { className: "traefik", port: 80, httpsPort: 443 },
      },
    },
    prometheusUrl: "https://prometheus.localhost:8443",
    trackingUrl: "https://mlflow.demo.localhost:8443",
    models: { diabetes: "https://diabetes.demo.localhost:8443" },
    data: {
      image: `127.0.0.1:5001/ml-platform/demo-training:dev@${DIGEST}`,
      claims: { data: "demo-data-autonamed" },
    },
  });
  expect(runs.team.outputs.models).toEqual({
    "card-fraud": "https://card-fraud.fraud.ml.example.com",
  });
  expect(runs.full.outputs.models.fixed).toBe("http://fixed.demo.svc");
});

test("the outputs of the example of a platform are those that the example of a team reads", () => {
  expect(stackFile("team").references).toEqual({
    "organization/ml-platform/platform": { platform: runs.platform.outputs.platform },
  });
});

describe.each(NAMES)("stack %s", (name) => {
  const all = () => runs[name].registrations;
  const ours = () => all().filter(({ type }) => type.startsWith("mlplatform:"));

  test("each resource has a component as parent, and Platform and Team have the stack", () => {
    const components = new Set(ours().map(({ urn }) => urn));
    const stack = all().find(({ type }) => type === "pulumi:pulumi:Stack")?.urn;
    const orphans = all()
      .filter(({ type }) => !type.startsWith("pulumi:"))
      .filter(({ custom, parent }) => !components.has(parent) && (custom || parent !== stack));
    expect(orphans).toEqual([]);
    const outermost = ours().filter(({ parent }) => parent === stack);
    expect(outermost.map(({ type }) => type.split(":")[2]).sort()).toEqual(
      [name !== "team" && "Platform", name !== "platform" && "Team"].filter(Boolean),
    );
  });

  test("the name of a resource starts with that of its parent", () => {
    const parents = new Map(ours().map(({ urn, name }) => [urn, name]));
    const strays = all().filter(({ name, parent }) => !name.startsWith(parents.get(parent) ?? ""));
    expect(strays.map(({ name }) => name)).toEqual([]);
  });

  test("each Kubernetes object has the provider of the configured cluster", () => {
    const [cluster, ...others] = all().filter(({ type }) => type.startsWith("pulumi:providers:"));
    expect(cluster?.name).toBe("cluster");
    expect(others).toEqual([]);
    const used = new Set(objects(all()).map(({ provider }) => provider));
    expect([...used]).toEqual([`${cluster?.urn}::cluster-id`]);
  });

  test("each container has requests and limits, which are equal for memory", () => {
    const wanted = expect.objectContaining({
      cpu: expect.any(String),
      memory: expect.any(String),
      "ephemeral-storage": expect.any(String),
    });
    for (const { resources } of podTemplates(all()).flatMap(containers)) {
      expect(resources).toEqual({ requests: wanted, limits: wanted });
      expect(resources.requests.memory).toBe(resources.limits.memory);
    }
  });

  test("each container is restricted, and has an image by digest", () => {
    for (const pods of podTemplates(all())) {
      const root = pods.workload === ROOT_WORKLOAD;
      const { seccompProfile, runAsNonRoot } = pods.spec.securityContext;
      expect(seccompProfile, pods.workload).toEqual({ type: "RuntimeDefault" });
      expect(runAsNonRoot ?? false, pods.workload).toBe(!root);
      for (const { image, securityContext } of containers(pods)) {
        expect(image).toMatch(/^[^/]+[.:][^/]*\/[^@]+@sha256:[0-9a-f]{64}$/);
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
          ...(!root && { runAsNonRoot: true }),
        });
      }
    }
  });

  test("a team's pods have no token of the API server, and no environment variables of other Services", () => {
    const pods = podTemplates(all()).filter(({ namespace }) => !/^ml-platform/.test(namespace));
    expect(pods.length > 0).toBe(name !== "platform");
    for (const { spec, workload } of pods) {
      expect(spec, workload).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
      });
    }
  });

  test("a Deployment with an autoscaler has no replicas", () => {
    const scaled = objects(all(), "HorizontalPodAutoscaler").map(
      ({ inputs }) => inputs.spec.scaleTargetRef.name,
    );
    const fixed = objects(all(), "Deployment").filter(({ inputs }) => "replicas" in inputs.spec);
    expect(fixed.filter(({ name }) => scaled.includes(`${name}-autonamed`))).toEqual([]);
  });
});
