import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { podSecurityLabels } from "./labels";

/**
 * A namespace with Pod Security admission.
 * @param level the level that it enforces
 */
export function podSecurityNamespace(
  id: string,
  name: pulumi.Input<string>,
  labels: Record<string, string>,
  level: Parameters<typeof podSecurityLabels>[0],
  opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Namespace {
  const metadata = { name, labels: { ...labels, ...podSecurityLabels(level) } };
  return new k8s.core.v1.Namespace(id, { metadata }, opts);
}
