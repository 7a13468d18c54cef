import { beforeAll, describe, expect, test } from "vitest";
import { serverEnvironment, storePorts } from "../../../components/team/tracking/stores";
import { declare } from "../../support/declare";
import type { Inputs, Registration } from "../../support/mocks";
import { objects, only } from "../../support/objects";
import { SECRETS, smallStack } from "../../support/stacks";

const POSTGRES = { host: "db.example.com", port: 5433, database: "runs", user: "fraud" };

/** The tracking server of a team with these settings. */
async function declared(tracking: Inputs, platform: Inputs = {}): Promise<Registration[]> {
  const { config } = smallStack();
  config.team.tracking = tracking;
  return declare({ config: { ...config, platform }, secrets: SECRETS });
}

function pod(all: Registration[]): Inputs {
  return only(all, "Deployment", "tracking").inputs.spec.template.spec;
}

function env(all: Registration[]): Record<string, string> {
  const [{ env }] = pod(all).containers;
  return Object.fromEntries(env.map(({ name, value }: Inputs) => [name, value]));
}

describe("runs and artifacts are stored", () => {
  const stores = (settings: Parameters<typeof serverEnvironment>[0]) => {
    const all = serverEnvironment(settings, ["mlflow"], []);
    const { MLFLOW_BACKEND_STORE_URI, MLFLOW_ARTIFACTS_DESTINATION, ...rest } = all;
    return { runs: MLFLOW_BACKEND_STORE_URI, artifacts: MLFLOW_ARTIFACTS_DESTINATION, rest };
  };

  test("on the volume by default", () => {
    expect(stores({})).toMatchObject({
      runs: "sqlite:////mlflow/mlflow.db",
      artifacts: "/mlflow/artifacts",
    });
  });

  test("in PostgreSQL, with a URL without a password", () => {
    const { runs, artifacts } = stores({ postgres: POSTGRES });
    expect(artifacts).toBe("/mlflow/artifacts");
    expect(runs).toBe("postgresql+psycopg://fraud@db.example.com:5433/runs");
    expect(new URL(runs ?? "").password).toBe("");
  });

  test("in S3, at AWS or at the configured endpoint", () => {
    const aws = stores({ s3: { bucket: "acme/fraud" } });
    expect(aws.artifacts).toBe("s3://acme/fraud");
    expect(aws.rest).not.toHaveProperty("MLFLOW_S3_ENDPOINT_URL");
    const own = { bucket: "acme", endpoint: "http://minio:9000", region: "eu-west-1" };
    expect(stores({ s3: own }).rest).toMatchObject({
      MLFLOW_S3_ENDPOINT_URL: "http://minio:9000",
      AWS_DEFAULT_REGION: "eu-west-1",
    });
  });

  test.each([
    [{}, []],
    [{ postgres: POSTGRES }, [5433]],
    [{ s3: { bucket: "b" } }, [443]],
    [{ s3: { bucket: "b", endpoint: "http://minio" } }, [80]],
    [{ s3: { bucket: "b", endpoint: "https://minio" } }, [443]],
    [{ postgres: POSTGRES, s3: { bucket: "b", endpoint: "http://minio:9000" } }, [5433, 9000]],
  ])("with %j at the ports %j", (settings, ports) => {
    expect(storePorts(settings)).toEqual(ports);
  });
});

describe("the server", () => {
  let all: Registration[];
  beforeAll(async () => {
    all = await declared(
      { expose: true, postgres: POSTGRES, s3: { bucket: "acme" }, storage: "7Gi" },
      { ingress: { domain: "ml.example.com", issuer: "letsencrypt" } },
    );
  });

  test("has its passwords in a Secret, and none in its pod spec", () => {
    const [{ envFrom }] = pod(all).containers;
    expect(envFrom).toEqual([{ secretRef: { name: "demo-tracking-credentials-autonamed" } }]);
    expect(Object.keys(only(all, "Secret", "credentials").inputs.stringData).sort()).toEqual([
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "PGPASSWORD",
    ]);
    for (const secret of Object.values(SECRETS)) {
      expect(JSON.stringify(pod(all))).not.toContain(secret);
    }
  });

  test("has no Secret without passwords", async () => {
    const plain = await declare(smallStack());
    expect(objects(plain, "Secret").map(({ name }) => name)).toEqual([
      "platform-metrics-adapter-certificate-ml-platform-1",
    ]);
    expect(pod(plain).containers[0]).not.toHaveProperty("envFrom");
  });

  test("accepts requests for its Service's name and its host, with any port", () => {
    expect(env(all).MLFLOW_SERVER_ALLOWED_HOSTS?.split(",")).toEqual([
      "mlflow",
      "mlflow:*",
      "mlflow.demo.ml.example.com",
      "mlflow.demo.ml.example.com:*",
    ]);
  });

  test("accepts requests from its own UI, by the origin that browsers send", async () => {
    const origin = "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS";
    expect(env(all)[origin]).toBe("https://mlflow.demo.ml.example.com");
    const at = async (port: number) =>
      env(await declared({ expose: true }, { ingress: { port } }))[origin];
    expect(await at(8080)).toBe("http://mlflow.demo.localhost:8080");
    // Browsers omit the default port of the scheme.
    expect(await at(80)).toBe("http://mlflow.demo.localhost");
    expect(env(await declared({}))).not.toHaveProperty(origin);
  });

  test("has one pod at a time, as an SQLite file has one writer", () => {
    const { spec } = only(all, "Deployment", "tracking").inputs;
    expect(spec.strategy).toEqual({ type: "Recreate" });
    expect(spec).not.toHaveProperty("replicas");
    const claim = only(all, "PersistentVolumeClaim", "store").inputs.spec;
    expect(claim).toEqual({
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "7Gi" } },
    });
  });

  test("has two minutes to create its tables before it is restarted", () => {
    const [{ startupProbe }] = pod(all).containers;
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(120);
  });
});
