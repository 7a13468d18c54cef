import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type IngressClass, ingressFor } from "./ingress";
import { type Identity, labels, selectorLabels } from "./labels";
import { allowEgress } from "./network";
import { type ProxySettings, proxyPorts } from "./pod-settings";

/** Metadata of an object whose name the provider generates. */
export interface Metadata {
  readonly namespace: pulumi.Input<string>;
  readonly labels: Record<string, string>;
}

/**
 * The labels of a workload, computed once, and the objects that workloads have around their pods. Each object is named
 * after the workload.
 */
export class Workload {
  /** All labels. */
  readonly labels: Record<string, string>;
  /** The labels that find its pods. */
  readonly selector: Record<string, string>;
  readonly metadata: Metadata;

  /**
   * @param name first part of the names of its resources
   * @param opts of each of its resources
   */
  constructor(
    private readonly name: string,
    namespace: pulumi.Input<string>,
    readonly identity: Identity,
    private readonly opts: pulumi.CustomResourceOptions,
  ) {
    this.labels = labels(identity);
    this.selector = selectorLabels(identity);
    this.metadata = { namespace, labels: this.labels };
  }

  /** A service account without rights. Its pods get no token of the API server unless they mount one. */
  serviceAccount(): k8s.core.v1.ServiceAccount {
    const { metadata, name, opts } = this;
    const args = { metadata, automountServiceAccountToken: false };
    return new k8s.core.v1.ServiceAccount(`${name}-account`, args, opts);
  }

  /** Binds a ClusterRole to an account of this workload. */
  bindClusterRole(
    suffix: string,
    role: pulumi.Input<string>,
    account: k8s.core.v1.ServiceAccount,
  ): void {
    const { labels, metadata, name, opts } = this;
    new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-${suffix}`,
      {
        metadata: { labels },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [
          {
            kind: "ServiceAccount",
            name: account.metadata.name,
            namespace: metadata.namespace,
          },
        ],
      },
      opts,
    );
  }

  /**
   * Lets an account of this workload read objects of all namespaces.
   * @param resources of the core API group
   */
  allowReading(suffix: string, resources: string[], account: k8s.core.v1.ServiceAccount): void {
    const { labels, name, opts } = this;
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-${suffix}`,
      {
        metadata: { labels },
        rules: [{ apiGroups: [""], resources, verbs: ["get", "list", "watch"] }],
      },
      opts,
    );
    this.bindClusterRole(suffix, role.metadata.name, account);
  }

  /** A Deployment of one pod with a ReadWriteOnce volume, so that old and new pods must not overlap. */
  recreatedDeployment(template: k8s.types.input.core.v1.PodTemplateSpec): k8s.apps.v1.Deployment {
    const { metadata, name, opts, selector } = this;
    const spec = {
      selector: { matchLabels: selector },
      strategy: { type: "Recreate" },
      template,
    };
    return new k8s.apps.v1.Deployment(name, { metadata, spec }, opts);
  }

  /** Configuration files. A changed text makes a new ConfigMap, and so a rollout of the pods that mount it. */
  configFiles(data: Record<string, string>): k8s.core.v1.ConfigMap {
    const { metadata, name, opts } = this;
    return new k8s.core.v1.ConfigMap(`${name}-config`, { metadata, data }, opts);
  }

  /**
   * The Service of its pods.
   * @param service its name, and with it its host name in the cluster
   * @param port its port, and the name of the container port behind it
   */
  service(
    service: string,
    port: { name: string; port: number },
    dependsOn: pulumi.Resource[] = [],
  ): k8s.core.v1.Service {
    const { metadata, name, opts, selector } = this;
    return new k8s.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: service },
        spec: { selector, ports: [{ ...port, targetPort: port.name }] },
      },
      { ...opts, ...(dependsOn.length > 0 && { dependsOn }) },
    );
  }

  /** Lets a drain evict one pod at a time. Not `minAvailable`: a single pod could then never be evicted. */
  disruptionBudget(): k8s.policy.v1.PodDisruptionBudget {
    const { metadata, name, opts, selector } = this;
    const spec = { maxUnavailable: 1, selector: { matchLabels: selector } };
    return new k8s.policy.v1.PodDisruptionBudget(`${name}-budget`, { metadata, spec }, opts);
  }

  /** @param suffix last part of its name */
  networkPolicy(
    suffix: string,
    spec: pulumi.Input<k8s.types.input.networking.v1.NetworkPolicySpec>,
  ): void {
    const { metadata, name, opts } = this;
    new k8s.networking.v1.NetworkPolicy(`${name}-${suffix}`, { metadata, spec }, opts);
  }

  /** Lets its pods connect to the proxies of a stack, as their namespace denies connections that no policy allows. */
  allowProxies(proxy: ProxySettings | undefined): void {
    const ports = proxy ? proxyPorts(proxy) : [];
    if (ports.length > 0) {
      this.networkPolicy("proxies", allowEgress(this.selector, [], ports));
    }
  }

  /**
   * Serves paths of its Service at a host.
   * @param service name of the Service
   */
  ingress(
    ingress: IngressClass,
    host: pulumi.Input<string>,
    service: string,
    paths?: readonly string[],
    dependsOn: pulumi.Resource[] = [],
  ): void {
    const { annotations, spec } = ingressFor(ingress, host, service, paths);
    new k8s.networking.v1.Ingress(
      `${this.name}-ingress`,
      { metadata: { ...this.metadata, annotations }, spec },
      { ...this.opts, ...(dependsOn.length > 0 && { dependsOn }) },
    );
  }
}
