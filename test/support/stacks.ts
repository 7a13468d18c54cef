import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CATALOGUE } from "../../components/images/catalogue";
import { DIGEST, type Inputs, type Stack } from "./mocks";

const ROOT = join(__dirname, "../..");
const CACHE = join(ROOT, "node_modules", ".cache", "ml-platform-tests");

/** A file with this text. Its name is a hash of the text, so that concurrent tests can share it; it is not removed. */
export function fileWith(text: string): string {
  const path = join(CACHE, createHash("sha256").update(text).digest("hex"));
  const unfinished = `${path}-${randomUUID()}`;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
  return path;
}

/** A lock file with a digest for each image of the catalogue. */
export function imageLock(): string {
  const digests = Object.values(CATALOGUE).map((image) => [image, DIGEST]);
  return fileWith(JSON.stringify(Object.fromEntries(digests)));
}

/** The outputs of the stack `platform` of the team example. */
export const PLATFORM_OUTPUTS = {
  namespace: "ml-platform",
  requestRate: true,
  gpus: true,
  prometheusUrl: "http://prometheus-operated.monitoring.svc:9090",
  monitoringNamespace: "monitoring",
  ingress: {
    className: "traefik",
    namespace: "traefik",
    domain: "ml.example.com",
    issuer: "letsencrypt",
    annotations: {
      "traefik.ingress.kubernetes.io/router.middlewares":
        "ml-platform-redirect-https@kubernetescrd",
    },
  },
  gateway: { name: "shared", namespace: "traefik", proxyNamespace: "traefik" },
};

/** A stack file of the project, with existing files instead of those that other commands write. */
export function stackFile(name: "dev" | "platform" | "team"): Stack & { config: Inputs } {
  const text = readFileSync(join(ROOT, `Pulumi.${name}.yaml`), "utf8");
  const entries = Object.entries((parse(text) as { config: Inputs }).config);
  const ours = entries.filter(([key]) => key.startsWith("ml-platform:"));
  const config: Inputs = Object.fromEntries(
    ours.map(([key, value]) => [key.slice("ml-platform:".length), value]),
  );
  config.images = { ...config.images, lock: imageLock() };
  if (config.images.caFile) {
    config.images.caFile = fileWith("certificates");
  }
  if (config.platform?.certManager?.chart) {
    config.platform.certManager.chart = fileWith("chart");
  }
  if (config.cluster.kubeconfig) {
    config.cluster.kubeconfig = fileWith("clusters");
  }
  return {
    name,
    config,
    references: { "organization/ml-platform/platform": { platform: PLATFORM_OUTPUTS } },
  };
}

/** The smallest stack with a platform, and a team with a training job and a model. */
export function smallStack(): { config: Inputs } {
  const image = (purpose: string) => `registry.example.com/acme/${purpose}@${DIGEST}`;
  return {
    config: {
      images: { lock: imageLock() },
      platform: {},
      team: {
        name: "demo",
        images: {
          serving: image("serving"),
          training: image("training"),
          tracking: image("mlflow"),
        },
        training: [{ name: "fit", model: "churn" }],
        models: [{ name: "churn" }],
      },
    },
  };
}

/** Values of all secrets, which must not appear in plain text. */
export const SECRETS = {
  postgresPassword: "correct-horse",
  s3AccessKeyId: "battery-staple",
  s3SecretAccessKey: "tr0ub4dor-and-3",
};

/** A stack with all components, external stores, and every kind of autoscaling: the most resources of the program. */
export function fullStack(): Stack & { config: Inputs } {
  const { config } = smallStack();
  config.platform = {
    devicePlugin: { mode: "install" },
    prometheus: { mode: "install" },
    certManager: { mode: "install" },
  };
  Object.assign(config.team, {
    viewers: ["analysts"],
    data: {
      volumes: [{ name: "images", size: "20Gi", accessMode: "ReadWriteMany" }],
      sources: [{ url: "s3://acme/images.tar", sha256: "0".repeat(64), volume: "images" }],
    },
    tracking: { postgres: { host: "db.example.com" }, s3: { bucket: "runs" }, expose: true },
    models: [
      { name: "by-rate" },
      { name: "by-cpu", autoscale: { kind: "cpu" } },
      { name: "fixed", autoscale: { kind: "none", replicas: 3 }, ingress: false },
    ],
  });
  return { config, secrets: SECRETS };
}
