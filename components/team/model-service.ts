import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { externalUrl, type PlatformContract } from "../contract";
import { type Identity, labels, selectorLabels } from "../kubernetes/labels";
import { allowEgress, allowIngress, namespace as inNamespace, pods } from "../kubernetes/network";
import { SERVING_PORT } from "./model-pod";
import { modelIngress, modelRoute, modelService } from "./model-route";
import { ModelVariant } from "./model-variant";
import type { ModelConfig } from "./schema";
import { fixedVariant, variantsOf } from "./variants";

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
    const child = { parent: this };

    allowCallers(name, args, identity, child);
    const variants = runVariants(name, args, identity, child);
    const { identity: fixed, pods } = fixedVariant(variants);
    const service = modelService(`${name}-service`, namespace, settings.name, fixed, {
      ...child,
      dependsOn: [pods],
    });
    this.url = settings.ingress
      ? externalUrl(platform.ingress, settings.name, namespace)
      : `http://${settings.name}.${namespace}.svc`;
    if (settings.ingress) {
      const way = {
        id: name,
        model: settings.name,
        host: `${settings.name}.${namespace}.${platform.ingress.domain}`,
        metadata: { namespace, labels: labels(identity) },
        opts: child,
      };
      // One version is served by a plain Ingress, whatever else the platform has.
      const gateway = variants.length > 1 ? platform.gateway : undefined;
      if (gateway) modelRoute(way, gateway, variants);
      else modelIngress(way, platform.ingress, service);
    }
    this.registerOutputs({ url: this.url });
  }
}

/** The pods of each version, which run as one account. */
function runVariants(
  name: string,
  { namespace, settings, trackingUri, image }: ModelServiceArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
) {
  const metadata = { namespace, labels: labels(identity) };
  const account = new k8s.core.v1.ServiceAccount(
    `${name}-account`,
    { metadata, automountServiceAccountToken: false },
    opts,
  );
  return variantsOf(settings).map((variant) => {
    const own = { ...identity, variant: variant.name };
    const pods = new ModelVariant(
      `${name}-${variant.name}`,
      {
        namespace,
        identity: own,
        model: settings.name,
        image: image(variant.image),
        settings: variant,
        account: account.metadata.name,
        trackingUri,
      },
      opts,
    );
    return { ...variant, identity: own, pods };
  });
}

/** Who may call the model's pods, whatever their version. */
function allowCallers(
  name: string,
  args: ModelServiceArgs,
  identity: Identity,
  opts: pulumi.CustomResourceOptions,
): void {
  const selector = selectorLabels(identity);
  const metadata = { namespace: args.namespace, labels: labels(identity) };
  new k8s.networking.v1.NetworkPolicy(
    `${name}-callers`,
    { metadata, spec: allowIngress(selector, callers(args), SERVING_PORT) },
    opts,
  );
  if (!args.settings.ingress) {
    new k8s.networking.v1.NetworkPolicy(
      `${name}-team`,
      // The team's own pods may connect to nothing that is not named.
      { metadata, spec: allowEgress({}, [pods(selector)], [SERVING_PORT]) },
      opts,
    );
  }
}

/**
 * For predictions the ingress controller and the Gateway's proxies or, without an Ingress, any pod of the cluster; for
 * metrics Prometheus.
 */
function callers({ settings, platform }: ModelServiceArgs) {
  const { ingress, gateway, monitoringNamespace } = platform;
  const monitoring = monitoringNamespace ? [monitoringNamespace] : [];
  const proxies = [ingress.namespace, ...(gateway?.proxyNamespace ? [gateway.proxyNamespace] : [])];
  return settings.ingress
    ? [...new Set([...proxies, ...monitoring])].map(inNamespace)
    : [{ namespaceSelector: {} }, ...monitoring.map(inNamespace)];
}
