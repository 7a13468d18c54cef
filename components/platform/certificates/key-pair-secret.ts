import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Metadata } from "../../kubernetes/workload";
import type { KeyPair } from "./self-signed";

/** A Secret with a key pair. */
export interface KeyPairSecret {
  readonly secretName: pulumi.Output<string>;
  /** Its certificate, PEM. */
  readonly certificate: pulumi.Output<string>;
}

/**
 * A Secret with a key pair that is made when the Secret is created. Every run makes another pair, which `ignoreChanges`
 * discards. So the key needs neither an authority in the cluster nor a plugin, and Pulumi encrypts it in the state.
 */
export function keyPairSecret(
  name: string,
  metadata: Metadata,
  made: Promise<KeyPair>,
  opts: pulumi.CustomResourceOptions,
): KeyPairSecret {
  const pair = pulumi.output(made);
  const base64 = (text: pulumi.Output<string>) =>
    text.apply((value) => Buffer.from(value).toString("base64"));
  const secret = new k8s.core.v1.Secret(
    name,
    {
      metadata,
      type: "kubernetes.io/tls",
      data: {
        "tls.crt": base64(pair.certificate),
        "tls.key": pulumi.secret(base64(pair.key)),
      },
    },
    { ...opts, ignoreChanges: ["data"] },
  );
  return {
    secretName: secret.metadata.name,
    // The certificate is public; only the key is not.
    certificate: pulumi
      .unsecret(secret.data)
      .apply((data) => Buffer.from(data["tls.crt"] ?? "", "base64").toString()),
  };
}
