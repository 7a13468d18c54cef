import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { KubernetesValue } from "../../../policy/model/kubernetes";
import { resourceOf } from "../harness";
import {
  account,
  budget,
  completeNamespace,
  configMap,
  deployment,
  ingress,
  namespace,
  networkPolicy,
  service,
} from "../objects";

/** The objects of one model service; its ConfigMap is mounted. */
const UNIT = [deployment, service, account, budget, ingress, networkPolicy, configMap];

/** This many objects without mandatory violations. */
export function objects(count: number): KubernetesValue[] {
  const made: KubernetesValue[] = [...completeNamespace];
  for (let index = 0; made.length < count; index += 1) {
    const value = UNIT[index % UNIT.length] ?? namespace;
    made.push(renamed(value, `app-${Math.floor(index / UNIT.length)}`));
  }
  return made.slice(0, count);
}

/** An object with another name in all of its fields. */
function renamed(value: KubernetesValue, name: string): KubernetesValue {
  return JSON.parse(JSON.stringify(value).replaceAll('"app"', JSON.stringify(name)));
}

/** A resource of any type, by its token. */
class Untyped extends pulumi.CustomResource {}

/**
 * A program with these objects.
 * @param provider arguments of the provider: a cluster, or a folder to write files to
 */
export function program(values: readonly KubernetesValue[], provider: k8s.ProviderArgs) {
  return async () => {
    const to = new k8s.Provider("to", provider);
    for (const [index, value] of values.entries()) {
      new Untyped(
        resourceOf(value).type,
        `resource-${index}`,
        { ...value },
        // Required for namespaces by the rules for data.
        { provider: to, protect: value.kind === "Namespace" },
      );
    }
  };
}
