import * as pulumi from "@pulumi/pulumi";
import { portOf } from "../../kubernetes/network";
import type { TrackingConfig } from "./schema";

type Stores = Pick<TrackingConfig, "postgres" | "s3">;

/**
 * The environment of the tracking server, without its passwords: where it stores runs and artifacts, and by which host names
 * clients may call it.
 * @param hosts those names, with any port
 * @param externalUrls of its UI: MLflow refuses a POST from pages of any other origin
 */
export function serverEnvironment(
  { postgres, s3 }: Stores,
  hosts: readonly pulumi.Input<string>[],
  externalUrls: pulumi.Input<readonly string[]> | undefined,
): Record<string, pulumi.Input<string>> {
  const allowed = pulumi.all([...hosts]).apply((all) => all.flatMap((host) => [host, `${host}:*`]));
  return {
    MLFLOW_BACKEND_STORE_URI: postgres
      ? `postgresql+psycopg://${postgres.user}@${postgres.host}:${postgres.port}/${postgres.database}`
      : "sqlite:////mlflow/mlflow.db",
    MLFLOW_ARTIFACTS_DESTINATION: s3 ? `s3://${s3.bucket}` : "/mlflow/artifacts",
    MLFLOW_SERVE_ARTIFACTS: "true",
    MLFLOW_SERVER_ALLOWED_HOSTS: allowed.apply((all) => all.join(",")),
    ...(externalUrls && {
      MLFLOW_SERVER_CORS_ALLOWED_ORIGINS: pulumi
        .output(externalUrls)
        .apply((urls) => urls.map((url) => new URL(url).origin).join(",")),
    }),
    ...(s3?.endpoint && { MLFLOW_S3_ENDPOINT_URL: s3.endpoint }),
    ...(s3?.region && { AWS_DEFAULT_REGION: s3.region }),
    HOME: "/tmp",
  };
}

/** The TCP ports of stores outside the namespace. */
export function storePorts({ postgres, s3 }: Stores): number[] {
  if (!s3) {
    return postgres ? [postgres.port] : [];
  }
  const port = portOf(new URL(s3.endpoint ?? "https://s3.amazonaws.com"));
  return postgres ? [postgres.port, port] : [port];
}

/** The passwords that the stores need, by their keys in the configuration. */
export function neededSecrets({ postgres, s3 }: Stores) {
  return [
    ...(postgres ? (["postgresPassword"] as const) : []),
    ...(s3 ? (["s3AccessKeyId", "s3SecretAccessKey"] as const) : []),
  ];
}
