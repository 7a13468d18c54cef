import { describe, expect, test } from "vitest";
import { neededImages } from "../../../components/config/checks";
import { addressOf } from "../../../components/platform/ingress/address";
import { samplesLimit } from "../../../components/platform/monitoring/prometheus";
import { contractOf, platformSchema } from "../../../components/platform/schema";
import { teamSchema } from "../../../components/team/schema";
import { declare } from "../../support/declare";
import type { Inputs, Registration } from "../../support/mocks";
import { objects, only } from "../../support/objects";
import { imageLock, smallStack } from "../../support/stacks";

const EXISTING = { mode: "existing", url: "http://prometheus.watch:9090", namespace: "watch" };
const OFF = { mode: "off" };

/** The resources that the program declares for a stack with only a platform. */
function declared(platform: Inputs, images: Inputs = {}): Promise<Registration[]> {
  return declare({ config: { platform, images: { lock: imageLock(), ...images } } });
}

const installed = (all: Registration[]) =>
  all
    .filter(({ type }) => type.startsWith("mlplatform:platform:"))
    .map(({ type }) => type.split(":")[2])
    .filter((name) => name !== "Platform")
    .sort();

describe("each feature is installed, existing, or off", () => {
  test.each([
    [{}, ["MetricsAdapter", "Prometheus"]],
    [{ devicePlugin: { mode: "install" } }, ["DevicePlugin", "MetricsAdapter", "Prometheus"]],
    [{ prometheus: EXISTING }, ["MetricsAdapter"]],
    [{ metricsAdapter: { mode: "existing" } }, ["Prometheus"]],
    [{ metricsAdapter: OFF }, ["Prometheus"]],
    [{ prometheus: OFF, metricsAdapter: OFF }, []],
    [{ prometheus: OFF, metricsAdapter: { mode: "existing" } }, []],
    [{ prometheus: EXISTING, metricsAdapter: OFF, devicePlugin: { mode: "existing" } }, []],
  ])("%j", async (platform, expected) => {
    expect(installed(await declared(platform))).toEqual(expected);
  });
});

test("the contract has what the platform offers to teams", () => {
  const contract = (platform: Inputs) => contractOf(platformSchema.parse(platform));
  const ingress = { namespace: "traefik", domain: "localhost" };
  const namespace = "ml-platform";
  expect(contract({ namespace: "ml" }).namespace).toBe("ml");
  expect(contract({})).toEqual({
    namespace,
    requestRate: true,
    gpus: false,
    ingress,
    prometheusUrl: "http://prometheus.ml-platform.svc:9090",
    monitoringNamespace: "ml-platform",
  });
  expect(contract({ prometheus: EXISTING, devicePlugin: { mode: "existing" } })).toEqual({
    namespace,
    requestRate: true,
    gpus: true,
    ingress,
    prometheusUrl: "http://prometheus.watch:9090",
    monitoringNamespace: "watch",
  });
  expect(contract({ prometheus: OFF, metricsAdapter: OFF })).toEqual({
    namespace,
    requestRate: false,
    gpus: false,
    ingress,
  });
});

test("only the images that a stack runs must have digests", () => {
  const needed = (platform: Inputs) => neededImages({ platform: platformSchema.parse(platform) });
  expect(needed({})).toEqual(["prometheus", "metricsAdapter"]);
  expect(needed({ prometheus: EXISTING, metricsAdapter: OFF })).toEqual([]);
  expect(needed({ devicePlugin: { mode: "install" } })).toContain("devicePlugin");
  const { serving, ...others } = smallStack().config.team.images;
  const base = (images: Inputs) => neededImages({ team: teamSchema.parse({ name: "a", images }) });
  expect(base({ serving, ...others })).toEqual([]);
  expect(base(others)).toEqual(["python"]);
});

test("an address has the scheme, the host name and the port of a URL", () => {
  const ingress = { namespace: "traefik", domain: "ml.example.com" };
  expect(addressOf(ingress, "churn", "demo")).toEqual({
    host: "churn.demo.ml.example.com",
    url: "http://churn.demo.ml.example.com",
  });
  expect(addressOf({ ...ingress, issuer: "le" }, "churn").url).toBe("https://churn.ml.example.com");
  expect(addressOf({ ...ingress, port: 8080 }).url).toBe("http://ml.example.com:8080");
});

test("images come from the mirror under their full upstream names", async () => {
  const images = async (all: Promise<Registration[]>) =>
    objects(await all, "Deployment").map(
      ({ inputs }) => inputs.spec.template.spec.containers[0].image.split("@")[0],
    );
  const upstream = await images(declared({}));
  expect(upstream.map((image) => image.split("/")[0]).sort()).toEqual([
    "quay.io",
    "registry.k8s.io",
  ]);
  expect(await images(declared({}, { mirror: "mirror.example.com:5000/proxy" }))).toEqual(
    upstream.map((image) => `mirror.example.com:5000/proxy/${image}`),
  );
});

test("service accounts can only read pods, and that of the adapter can authenticate and authorize requests", async () => {
  const all = await declared({});
  const verbs = ["get", "list", "watch"];
  const rules = (name: string) => only(all, "ClusterRole", name).inputs.rules;
  expect(rules("prometheus-discovery")).toEqual([{ apiGroups: [""], resources: ["pods"], verbs }]);
  expect(rules("metrics-adapter-pods")).toEqual([
    { apiGroups: [""], resources: ["pods", "namespaces"], verbs },
  ]);
  const bindings = [...objects(all, "ClusterRoleBinding"), ...objects(all, "RoleBinding")];
  const bound = bindings.map(({ inputs }) => [inputs.roleRef.name, inputs.subjects[0].name]);
  const adapter = "platform-metrics-adapter-account-autonamed";
  expect(Object.fromEntries(bound)).toEqual({
    "platform-prometheus-discovery-autonamed": "platform-prometheus-account-autonamed",
    "platform-metrics-adapter-pods-autonamed": adapter,
    "system:auth-delegator": adapter,
    "extension-apiserver-authentication-reader": adapter,
  });
});

describe("Prometheus", () => {
  test("has the configured retention, size and storage class, and one pod at a time", async () => {
    const all = await declared({
      prometheus: { mode: "install", retention: "30d", storage: "50Gi", storageClass: "fast-ssd" },
    });
    expect(only(all, "PersistentVolumeClaim").inputs.spec).toEqual({
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast-ssd",
      resources: { requests: { storage: "50Gi" } },
    });
    const { spec } = only(all, "Deployment", "prometheus").inputs;
    expect(spec.strategy).toEqual({ type: "Recreate" });
    expect(spec.template.spec.containers[0].args).toEqual(
      expect.arrayContaining([
        "--storage.tsdb.retention.time=30d",
        "--storage.tsdb.retention.size=41943040KB",
      ]),
    );
    expect(spec).not.toHaveProperty("replicas");
  });

  // Prometheus' KB are KiB, and its limit 0 means no limit.
  test.each([
    ["10Gi", "8388608KB"],
    ["10G", "7812500KB"],
    ["1Ti", "858993459KB"],
    ["1Mi", "819KB"],
    ["2Mi", "1638KB"],
  ])("uses at most four fifths of a volume: of %s it uses %s", (storage, limit) => {
    expect(samplesLimit(storage)).toBe(limit);
  });

  test("uses the cluster's default storage class if none is set", async () => {
    const { spec } = only(await declared({}), "PersistentVolumeClaim").inputs;
    expect(spec).not.toHaveProperty("storageClassName");
  });

  test("is served through an Ingress only if `expose` is true", async () => {
    expect(objects(await declared({}), "Ingress")).toEqual([]);
    const all = await declared({ prometheus: { mode: "install", expose: true } });
    expect(only(all, "Ingress").inputs.spec.rules[0].host).toBe("prometheus.localhost");
  });
});

describe("the metrics adapter", () => {
  const settings = { mode: "install", rateWindow: "1m", relistInterval: "10m", replicas: 2 };

  test("queries the existing Prometheus with the configured window and interval", async () => {
    const all = await declared({ prometheus: EXISTING, metricsAdapter: settings });
    const { replicas, template } = only(all, "Deployment").inputs.spec;
    expect(replicas).toBe(2);
    const [{ args }] = template.spec.containers;
    const spread = template.spec.topologySpreadConstraints as Inputs[];
    expect(spread.map(({ topologyKey }) => topologyKey)).toContain("kubernetes.io/hostname");
    expect(template.metadata.labels).toMatchObject(spread[0]?.labelSelector.matchLabels);
    expect(args).toEqual(
      expect.arrayContaining([
        "--prometheus-url=http://prometheus.watch:9090",
        "--metrics-relist-interval=10m",
        // The adapter does not start if it is shorter than the interval.
        "--metrics-max-age=600s",
      ]),
    );
    expect(only(all, "ConfigMap").inputs.data["config.yaml"]).toContain("[1m]");
  });

  test("serves the custom metrics API over TLS that the API server can verify", async () => {
    const all = await declared({});
    const { inputs, options } = only(all, "APIService");
    expect(inputs.metadata.name).toBe("v1beta1.custom.metrics.k8s.io");
    expect(inputs.spec).toMatchObject({
      group: "custom.metrics.k8s.io",
      version: "v1beta1",
      service: { namespace: "ml-platform", name: "metrics-adapter", port: 443 },
      caBundle: only(all, "Secret").inputs.data["tls.crt"],
    });
    expect(inputs.spec).not.toHaveProperty("insecureSkipTLSVerify");
    // It is deleted before its server: without one it would block the deletion of every namespace.
    expect(options.dependencies.map((urn) => urn.split("::").at(-1))).toContain(
      "platform-metrics-adapter",
    );
  });

  test("has a new certificate only with another serial or in another namespace", async () => {
    const name = async (certificateSerial: number, namespace = "ml-platform") => {
      const metricsAdapter = { mode: "install", certificateSerial };
      const all = await declared({ metricsAdapter, namespace });
      const { name, options } = only(all, "Secret");
      expect(options.ignoreChanges).toEqual(["data"]);
      return name;
    };
    const names = [await name(1), await name(2), await name(1, "ml")];
    expect(new Set(names).size).toBe(3);
  });
});
