import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import * as ml from "../../../components";
import { known } from "../../support/known";
import { DIGEST, type Registration, run } from "../../support/mocks";
import { objects, only, type Pods, podTemplates } from "../../support/objects";

const IMAGE = `registry.example.com/acme/image@${DIGEST}`;

/** A component, and the resources that it declares. */
async function created<T>(make: () => T): Promise<{ all: Registration[]; made: T }> {
  const result: { made?: T } = {};
  const { error, registrations } = await run(async () => {
    result.made = make();
  });
  if (error) {
    throw error;
  }
  return { all: registrations, made: result.made as T };
}

const kinds = (all: readonly Registration[]) =>
  objects(all)
    .map(({ inputs }) => inputs.kind)
    .sort();

function onlyPod(all: readonly Registration[]): Pods {
  const [pods, ...others] = podTemplates(all);
  if (!pods || others.length > 0) {
    throw new Error("not one workload");
  }
  return pods;
}

describe("a component can be created with its required arguments", () => {
  test("Prometheus", async () => {
    const { all, made } = await created(
      () => new ml.Prometheus("prometheus", { namespace: "watch", image: IMAGE }),
    );
    expect(kinds(all)).toEqual([
      "ClusterRole",
      "ClusterRoleBinding",
      "ConfigMap",
      "Deployment",
      "NetworkPolicy",
      "PersistentVolumeClaim",
      "Service",
      "ServiceAccount",
    ]);
    const service = only(all, "Service").inputs;
    const [{ port }] = service.spec.ports;
    expect(await known(made.url)).toBe(`http://${service.metadata.name}.watch.svc:${port}`);
    expect(made.externalUrl).toBeUndefined();
    expect(only(all, "PersistentVolumeClaim").options.protect).toBe(true);
  });

  test("Prometheus, exposed", async () => {
    const args = { namespace: "watch", image: IMAGE, expose: true, ingress: { port: 8080 } };
    const { all, made } = await created(() => new ml.Prometheus("prometheus", args));
    expect(await known(made.externalUrl)).toBe("http://prometheus.localhost:8080");
    expect(only(all, "Ingress").inputs.spec.rules[0].host).toBe("prometheus.localhost");
  });

  test("MetricsAdapter", async () => {
    const prometheusUrl = "http://prometheus.watch.svc:9090";
    const args = { namespace: "watch", image: IMAGE, prometheusUrl };
    const { all } = await created(() => new ml.MetricsAdapter("adapter", args));
    expect(only(all, "APIService").inputs.spec.service.namespace).toBe("watch");
    const { spec } = onlyPod(all);
    expect(spec.containers[0].args).toContain(`--prometheus-url=${prometheusUrl}`);
  });

  test("DevicePlugin", async () => {
    const { all } = await created(
      () => new ml.DevicePlugin("gpus", { namespace: "gpus", image: IMAGE }),
    );
    expect(only(all, "Namespace").inputs.metadata.name).toBe("gpus");
    expect(objects(all, "DaemonSet")).toHaveLength(1);
  });

  test("Platform", async () => {
    const lock = Object.fromEntries(Object.values(ml.CATALOGUE).map((image) => [image, DIGEST]));
    const imageSource = new ml.ImageSource(lock, undefined);
    const { all, made } = await created(() => new ml.Platform("platform", { imageSource }));
    expect(objects(all, "Deployment")).toHaveLength(2);
    expect(made.contract).toMatchObject({ requestRate: true, gpus: false });
    expect(await known(made.prometheus?.url)).toBe(made.contract.prometheusUrl);
    expect(made.prometheus?.externalUrl).toBeUndefined();
  });

  test("TrackingServer", async () => {
    const { all, made } = await created(
      () => new ml.TrackingServer("tracking", { namespace: "fraud", image: IMAGE }),
    );
    const { metadata, spec } = only(all, "Service").inputs;
    expect(await known(made.uri)).toBe(`http://${metadata.name}:${spec.ports[0].port}`);
    expect(made.externalUrl).toBeUndefined();
    expect(objects(all, "Secret")).toEqual([]);
  });

  test("TrainingJob, named after its model and with an empty data volume", async () => {
    const args = { namespace: "fraud", image: IMAGE, model: "churn" };
    const { all } = await created(() => new ml.TrainingJob("train", args));
    const { labels, spec } = onlyPod(all);
    expect(labels["app.kubernetes.io/instance"]).toBe("churn");
    expect(spec.volumes).toContainEqual({ name: "data", emptyDir: {} });
    expect(spec.containers[0].env).toContainEqual({ name: "EXPERIMENT_NAME", value: "churn" });
  });

  test("ModelService", async () => {
    const args = { namespace: "fraud", image: IMAGE, name: "churn" };
    const { all, made } = await created(() => new ml.ModelService("churn", args));
    expect(await known(made.url)).toBe("http://churn.fraud.svc");
    expect(await known(made.externalUrl)).toBe("http://churn.fraud.localhost");
    expect(only(all, "Ingress").inputs.spec.rules[0].host).toBe("churn.fraud.localhost");
    const { spec } = onlyPod(all);
    expect(spec.containers[0]).toMatchObject({ image: IMAGE });
    expect(spec.containers[0].env).toContainEqual({
      name: "MLFLOW_TRACKING_URI",
      value: "http://mlflow:5000",
    });
  });

  test("ModelService, without an Ingress", async () => {
    const args = { namespace: "fraud", image: IMAGE, name: "churn", ingress: false };
    const { made } = await created(() => new ml.ModelService("churn", args));
    expect(await known(made.url)).toBe("http://churn.fraud.svc");
    expect(made.externalUrl).toBeUndefined();
  });

  test("TrackingServer, exposed", async () => {
    const args = { namespace: "fraud", image: IMAGE, expose: true };
    const { made } = await created(() => new ml.TrackingServer("tracking", args));
    expect(await known(made.uri)).toBe("http://mlflow:5000");
    expect(await known(made.externalUrl)).toBe("http://mlflow.fraud.localhost");
  });

  test("ModelService, with the tracking server of another namespace", async () => {
    const args = { namespace: "fraud", image: IMAGE, name: "churn" };
    const trackingUri = "http://mlflow.ml:5001";
    const pod = { proxy: { https: "http://proxy:3128" } };
    const { all } = await created(
      () => new ml.ModelService("churn", { ...args, trackingUri, pod }),
    );
    const [rule] = only(all, "NetworkPolicy", "-tracking").inputs.spec.egress;
    expect(rule).toEqual({ ports: [{ protocol: "TCP", port: 5001 }] });
    const [{ env }] = onlyPod(all).spec.containers;
    const { value } = env.find(({ name }: { name: string }) => name === "no_proxy");
    expect(value).toMatch(/,mlflow\.ml$/);
  });

  test("Team, with images that are given", async () => {
    const images = { serving: IMAGE, training: IMAGE, tracking: IMAGE };
    const { all, made } = await created(
      () =>
        new ml.Team("fraud", {
          name: "fraud",
          images,
          models: [
            { name: "churn", autoscale: { kind: "none" } },
            { name: "inside", autoscale: { kind: "none" }, ingress: false },
          ],
        }),
    );
    expect(await known(made.models)).toEqual({
      churn: "http://churn.fraud.localhost",
      inside: "http://inside.fraud.svc",
    });
    expect(made.tracking.externalUrl).toBeUndefined();
    expect(only(all, "Namespace").inputs.metadata.name).toBe("fraud");
  });
});

describe("a value that one component hands to another", () => {
  /** The names of the resources that a resource depends on. */
  const dependencies = (one: Registration) =>
    one.options.dependencies.map((urn) => urn.split("::").at(-1));

  test("makes the resources of a namespace's user depend on all resources of the namespace", async () => {
    const { all } = await created(() => {
      const { name } = new ml.TeamNamespace("team", { team: "fraud" });
      const args = { namespace: name, image: IMAGE };
      new ml.TrackingServer("tracking", { ...args, expose: true });
      new ml.TrainingJob("train", { ...args, model: "churn" });
      new ml.ModelService("serve", { ...args, name: "churn" });
      new ml.Prometheus("prometheus", args);
    });
    const users = objects(all).filter(
      ({ name, inputs }) => !name.startsWith("team") && !/^ClusterRole/.test(inputs.kind),
    );
    expect(users.length).toBeGreaterThan(15);
    const own = ["team", "team-deny", "team-limits", "team-models", "team-quota"];
    for (const one of users) {
      expect(one.inputs.metadata.namespace).toBe("fraud");
      expect(dependencies(one), one.name).toEqual(expect.arrayContaining(own));
    }
    const hosts = objects(all, "Ingress").map(({ inputs }) => inputs.spec.rules[0].host);
    expect(hosts.sort()).toEqual(["churn.fraud.localhost", "mlflow.fraud.localhost"]);
  });

  test("makes a tracking server's clients depend on it, and lets them connect to it", async () => {
    const { all } = await created(() => {
      const args = { namespace: "fraud", image: IMAGE };
      const { uri: trackingUri } = new ml.TrackingServer("tracking", args);
      new ml.TrainingJob("train", { ...args, model: "churn", trackingUri });
      new ml.ModelService("serve", { ...args, name: "churn", trackingUri });
    });
    for (const one of [only(all, "Job"), only(all, "Deployment", "serve-main")]) {
      const [{ env }] = one.inputs.spec.template.spec.containers;
      expect(env).toContainEqual({ name: "MLFLOW_TRACKING_URI", value: "http://mlflow:5000" });
      expect(dependencies(one)).toEqual(expect.arrayContaining(["tracking", "tracking-service"]));
    }
    const [rule] = only(all, "NetworkPolicy", "train-tracking").inputs.spec.egress;
    expect(rule).toEqual({
      to: [{ podSelector: { matchLabels: {} } }],
      ports: [{ protocol: "TCP", port: 5000 }],
    });
  });

  test("makes the metrics adapter depend on Prometheus", async () => {
    const { all } = await created(() => {
      const args = { namespace: "watch", image: IMAGE };
      const { url } = new ml.Prometheus("prometheus", args);
      new ml.MetricsAdapter("adapter", { ...args, prometheusUrl: url });
    });
    const adapter = only(all, "Deployment", "adapter");
    expect(adapter.inputs.spec.template.spec.containers[0].args).toContain(
      "--prometheus-url=http://prometheus.watch.svc:9090",
    );
    expect(dependencies(adapter)).toEqual(
      expect.arrayContaining(["prometheus", "prometheus-service"]),
    );
  });
});

describe("an invalid argument is an error with component, key and remedy", () => {
  test.each<[string, () => unknown, string]>([
    [
      "a value",
      () => new ml.Prometheus("p", { namespace: "x", image: IMAGE, retention: "soon" }),
      "p has invalid arguments:\n  retention: must be a duration with one unit, such as 20s, 5m or 15d",
    ],
    [
      "a capability of the platform",
      () =>
        new ml.ModelService("m", {
          namespace: "x",
          image: IMAGE,
          name: "churn",
          autoscale: { kind: "requestRate" },
        }),
      "m:\n  autoscale.kind: the platform has no custom metrics API; install platform.metricsAdapter, or set kind to cpu",
    ],
    [
      "a URL",
      () =>
        new ml.TrainingJob("t", { namespace: "x", image: IMAGE, model: "m", trackingUri: "m:5" }),
      "t has invalid arguments:\n  trackingUri: must be a URL such as http://mlflow.example.com:5000",
    ],
    [
      "a namespace",
      () => new ml.TeamNamespace("n", { team: "kube-system", quota: { pods: 0 } }),
      "n has invalid arguments:\n  team: must not be a namespace that Kubernetes owns; choose another name\n  quota.pods: must be at least 1; expected: Number of pods",
    ],
    [
      "a name that is too long",
      () => new ml.TrainingJob("t".repeat(55), { namespace: "x", image: IMAGE, model: "m" }),
      `${"t".repeat(55)}: the name of the component has more than 54 characters, which is too long for a Job; shorten it`,
    ],
    [
      "a password",
      () => new ml.TrackingServer("s", { namespace: "x", image: IMAGE, postgres: { host: "db" } }),
      "s: secrets.postgresPassword: is missing; set it",
    ],
    [
      "an image",
      () => new ml.TeamImages("i", { team: "fraud", serving: IMAGE }),
      "i: training, tracking: no image; set it, or set imageSource and imageBuild.registry",
    ],
  ])("%s", async (_, make, message) => {
    const error: Error = await created(make).then(
      () => new Error("not refused"),
      (reason: Error) => reason,
    );
    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(error.message).toBe(message);
  });
});
