import { z } from "zod";
import { checkPods, pod } from "../../config/pod";
import { resources } from "../../config/resources";
import { dnsLabel, existingName, hostname, httpUrl, port, storage } from "../../config/types";

const postgresName = z
  .string()
  .regex(/^\w{1,63}$/, "must be letters, digits and underscores, such as mlflow")
  .default("mlflow");

const postgres = z.strictObject({
  host: hostname.describe("PostgreSQL host name"),
  port: port.default(5432).describe("PostgreSQL port"),
  database: postgresName.describe("Database name"),
  user: postgresName.describe("User name"),
});

const s3 = z.strictObject({
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9](\/[-\w][-\w.]*)*$/,
      "must be a bucket, with an optional prefix, such as acme-mlflow/fraud",
    )
    .describe("Bucket, with an optional prefix"),
  endpoint: httpUrl("https://s3.example.com").optional().describe("Endpoint URL; default: AWS"),
  region: dnsLabel.optional().describe("Region"),
});

/** What the container of the tracking server has already; passwords are only taken as secrets. */
const OWN = {
  paths: ["/tmp", "/mlflow", "/opt/venv"],
  env: [
    "PGPASSWORD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "MLFLOW_BACKEND_STORE_URI",
    "MLFLOW_ARTIFACTS_DESTINATION",
    "MLFLOW_SERVE_ARTIFACTS",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    "MLFLOW_S3_ENDPOINT_URL",
    "AWS_DEFAULT_REGION",
    "HOME",
  ],
};

/** The settings of a tracking server. */
export const trackingSettings = z
  .strictObject({
    storage: storage
      .default("10Gi")
      .describe("Size of the volume of the SQLite database and the artifacts"),
    storageClass: existingName
      .optional()
      .describe("Storage class of the volume; default: the cluster's"),
    resources: resources({
      cpu: "100m",
      cpuLimit: "1",
      memory: "1Gi",
      ephemeralStorage: "512Mi",
    })
      .prefault({})
      .describe("Resources of the server"),
    expose: z
      .boolean()
      .default(false)
      .describe("Serve its UI through the Ingress, without authentication"),
    postgres: postgres
      .optional()
      .describe("PostgreSQL for runs and the model registry; default: SQLite on the volume"),
    s3: s3.optional().describe("S3 for artifacts; default: the volume"),
    pod,
  })
  .superRefine(checkPods(OWN));

export const trackingSchema = trackingSettings.prefault({}).describe("MLflow server");

export type TrackingConfig = z.output<typeof trackingSettings>;
