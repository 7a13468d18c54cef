import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { ProbeIdentity } from "./probe";

/** A kubeconfig with one context and embedded certificates, so that the file can be copied. */
export function renderKubeconfig(label: string, address: string, identity: ProbeIdentity): string {
  const base64 = (path: string) => readFileSync(path).toString("base64");
  const user = `${label}-admin`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: label,
        cluster: {
          server: `https://${address}:6443`,
          "certificate-authority-data": base64(identity.ca),
        },
      },
    ],
    users: [
      {
        name: user,
        user: {
          "client-certificate-data": base64(identity.cert),
          "client-key-data": base64(identity.key),
        },
      },
    ],
    contexts: [{ name: label, context: { cluster: label, user } }],
    "current-context": label,
  });
}
