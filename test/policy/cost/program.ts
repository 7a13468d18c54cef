import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { KubernetesValue } from "../../../policy/model/kubernetes";
import { resourceOf } from "../harness";
import {
  account,
  budget,
  configMap,
  deployment,
  ingress,
  namespace,
  networkPolicy,
  room,
  service,
} from "../objects";

/** What one served model has; its ConfigMap is mounted. */
const UNIT = [deployment, service, account, budget, ingress, networkPolicy, configMap];

/** As many objects as are asked for, that no mandatory rule objects to. */
export function objects(count: number): KubernetesValue[] {
  const made: KubernetesValue[] = [...room];
  for (let index = 0; made.length < count; index += 1) {
    const value = UNIT[index % UNIT.length] ?? namespace;
    made.push(renamed(value, `app-${Math.floor(index / UNIT.length)}`));
  }
  return made.slice(0, count);
}

/** An object with another name wherever it is named. */
function renamed(value: KubernetesValue, name: string): KubernetesValue {
  return JSON.parse(JSON.stringify(value).replaceAll('"app"', JSON.stringify(name)));
}

/** A resource of any type, by its token. */
class Untyped extends pulumi.CustomResource {}

/**
 * A program that declares them.
 * @param provider arguments of the provider: a cluster, or a folder to write to in place of one
 */
export function program(values: readonly KubernetesValue[], provider: k8s.ProviderArgs) {
  return async () => {
    const to = new k8s.Provider("to", provider);
    for (const [index, value] of values.entries()) {
      new Untyped(
        resourceOf(value).type,
        `resource-${index}`,
        { ...value },
        // What the policies for data ask of namespaces.
        { provider: to, protect: value.kind === "Namespace" },
      );
    }
  };
}
