import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { externalUrl, type PlatformContract } from "../contract";
import { GATEWAY_API, splitSpec } from "../kubernetes/gateway";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { allowEgress, allowIngress, namespace as inNamespace, pods } from "../kubernetes/network";
import { route } from "../kubernetes/route";
import { SERVING_PORT } from "./model-pod";
import { ModelVariant } from "./model-variant";
import type { ModelConfig } from "./schema";
import { heaviest, variantsOf } from "./variants";

/** What of a service is for callers: predictions, in both protocols, and what describes them. Its metrics are not. */
const PUBLIC_PATHS = ["/predict", "/v2", "/docs", "/openapi.json"];

export interface ModelServiceArgs {
  namespace: string;
  /** The serving image: a variant's own by its reference, or the team's. */
  image: (own: string | undefined) => pulumi.Input<string>;
  owner: string;
  settings: ModelConfig;
  /** The tracking server's address, whose registry the model is loaded from. */
  trackingUri: string;
  platform: PlatformContract;
}

/** Serves a registered model over HTTP: one version, or several that share the requests. */
export class ModelService extends pulumi.ComponentResource {
  /** Where predictions are asked for, from outside or, without an Ingress, inside the cluster. */
  readonly url: string;

  constructor(name: string, args: ModelServiceArgs, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:ModelService", name, {}, opts);
    const { namespace, settings, platform } = args;
    const identity: Identity = {
      name: "model-service",
      instance: settings.name,
      component: "model-service",
      owner: args.owner,
    };
    const metadata = { namespace, labels: labels(identity) };
    const selector = selectorLabels(identity);
    const child = { parent: this };

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      child,
    );
    new k8s.networking.v1.NetworkPolicy(
      `${name}-callers`,
      { metadata, spec: allowIngress(selector, callers(args), SERVING_PORT) },
      child,
    );
    if (!settings.ingress) {
      new k8s.networking.v1.NetworkPolicy(
        `${name}-team`,
        // The team's own pods may connect to nothing that is not named.
        { metadata, spec: allowEgress({}, [pods(selector)], [SERVING_PORT]) },
        child,
      );
    }

    const variants = variantsOf(settings).map((variant) => {
      const own = { ...identity, variant: variant.name };
      const pods = new ModelVariant(
        `${name}-${variant.name}`,
        {
          namespace,
          identity: own,
          model: settings.name,
          image: args.image(variant.image),
          settings: variant,
          account: account.metadata.name,
          trackingUri: args.trackingUri,
        },
        child,
      );
      return { ...variant, identity: own, pods };
    });
    const service = (id: string, serviceName: string, { identity, pods }: (typeof variants)[0]) =>
      new k8s.core.v1.Service(
        `${name}-${id}`,
        {
          metadata: { namespace, labels: labels(identity), name: serviceName },
          spec: {
            selector: selectorLabels(identity),
            ports: [{ name: "http", port: 80, targetPort: "http" }],
          },
        },
        { ...child, dependsOn: [pods] },
      );
    const main = service("service", settings.name, heaviest(variants));
    this.url = settings.ingress
      ? externalUrl(platform.ingress, settings.name, namespace)
      : `http://${settings.name}.${namespace}.svc`;
    const host = `${settings.name}.${namespace}.${platform.ingress.domain}`;
    if (variants.length > 1 && platform.gateway) {
      const backends = variants.map((variant) => ({
        ...variant,
        service: `${settings.name}-${variant.name}`,
      }));
      const services = backends.map((backend) =>
        service(`${backend.name}-service`, backend.service, backend),
      );
      new k8s.apiextensions.CustomResource(
        `${name}-route`,
        {
          apiVersion: GATEWAY_API,
          kind: "HTTPRoute",
          metadata,
          spec: splitSpec(platform.gateway, host, PUBLIC_PATHS, backends),
        },
        { ...child, dependsOn: services },
      );
    } else if (settings.ingress) {
      const { annotations, spec } = route(platform.ingress, host, settings.name, PUBLIC_PATHS);
      new k8s.networking.v1.Ingress(
        `${name}-ingress`,
        { metadata: { ...metadata, annotations }, spec },
        { ...child, dependsOn: [main] },
      );
    }
    this.registerOutputs({ url: this.url });
  }
}

/** For predictions the ingress controller or, without an Ingress, any pod of the cluster; for metrics Prometheus. */
function callers({ settings, platform }: ModelServiceArgs) {
  return [
    settings.ingress ? inNamespace(platform.ingress.namespace) : { namespaceSelector: {} },
    ...(platform.monitoringNamespace ? [inNamespace(platform.monitoringNamespace)] : []),
  ];
}
