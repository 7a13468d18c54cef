import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { pinned } from "../../images/pinned";
import { allowIngress } from "../../kubernetes/network";
import { outputOf } from "../../kubernetes/output";
import { Workload } from "../../kubernetes/workload";
import {
  contractArgs,
  type GatewayReference,
  type PlatformContract,
} from "../../platform/contract";
import { addressOf } from "../../platform/ingress/address";
import { allowTracking, checkedTrackingUri } from "../tracking/client";
import { missingForModel } from "./feature";
import { modelGateway } from "./model-gateway";
import { type Exposure, HTTP_PORT, modelRoute, type RoutedVariant } from "./model-route";
import { ModelVariant } from "./model-variant";
import { clientsOf, MODEL_SERVICE, SERVING_PORT } from "./network";
import { PUBLIC_PATHS } from "./paths";
import { type ModelConfig, modelSchema } from "./schema";
import { fixedVariant, variantsOf } from "./variants";

export interface ModelServiceArgs extends Omit<z.input<typeof modelSchema>, "image"> {
  /** Namespace, which exists. */
  readonly namespace: pulumi.Input<string>;
  /** Serving image. A tag is resolved to its digest. */
  readonly image: pulumi.Input<string>;
  /** URL of the tracking server, from whose registry the model is loaded. Default: that of the namespace. */
  readonly trackingUri?: pulumi.Input<string>;
  /** What the cluster offers: plain values, which decide what is created. Default: an ingress controller, and neither request rates, a Gateway nor GPUs. */
  readonly platform?: z.input<typeof contractArgs>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
}

/** Serves a registered model over HTTP: one version, or several that share the requests. */
export class ModelService extends pulumi.ComponentResource {
  /** URL for predictions inside the cluster. Without an Ingress, every pod may call it. */
  readonly url: pulumi.Output<string>;
  /** URL for predictions outside of the cluster, if an Ingress or a route serves it. */
  readonly externalUrl: pulumi.Output<string> | undefined;

  /** @throws pulumi.RunError if the settings are invalid, or need what the cluster does not offer */
  constructor(name: string, args: ModelServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:ModelService", name, {}, opts);
    const { namespace, image, platform = {}, ...rest } = args;
    const { owner = "ml-platform", trackingUri: uri, ...own } = rest;
    const trackingUri = checkedTrackingUri(name, uri);
    const contract = parseArgs(contractArgs, platform, name);
    // Request rates need the custom metrics API; a fixed number of pods needs nothing.
    const scaling = contract.requestRate ? {} : { autoscale: { kind: "none" } };
    const settings = parseArgs(modelSchema, { ...scaling, ...own }, name);
    const missing = missingForModel(settings, contract);
    if (missing.length > 0) {
      throw new pulumi.RunError([`${name}:`, ...missing].join("\n  "));
    }
    const child = { parent: this };
    const identity = {
      name: MODEL_SERVICE,
      instance: settings.name,
      component: MODEL_SERVICE,
      owner,
    };
    const workload = new Workload(name, namespace, identity, child);

    const clients = clientsOf(settings, contract);
    workload.networkPolicy("callers", allowIngress(workload.selector, clients, SERVING_PORT));
    const proxied = variantsOf(settings).some(({ pod }) => pod.proxy);
    allowTracking(workload, trackingUri, proxied);
    const variants = runVariants(name, { namespace, image, trackingUri }, settings, workload, {
      parent: this,
    });
    const { identity: fixed, pods } = fixedVariant(variants);
    const fixedWorkload = new Workload(name, namespace, fixed, child);
    const service = fixedWorkload.service(settings.name, HTTP_PORT, [pods]);
    const address = pulumi
      .output(namespace)
      .apply((team) => addressOf(contract.ingress, settings.name, team));
    const { host } = address;
    if (settings.ingress) {
      // An Ingress serves a single version, even if the platform has a Gateway.
      const gateway = variants.length > 1 ? contract.gateway : undefined;
      const exposure = { id: name, model: settings.name, host, namespace, opts: child };
      if (gateway) {
        routeVariants({ ...exposure, metadata: workload.metadata }, gateway, contract, variants);
      } else {
        workload.ingress(contract.ingress, host, settings.name, PUBLIC_PATHS, [service]);
      }
    }
    this.url = outputOf(this, pulumi.interpolate`http://${settings.name}.${namespace}.svc`);
    this.externalUrl = settings.ingress ? outputOf(this, address.url) : undefined;
    this.registerOutputs({ url: this.url, externalUrl: this.externalUrl });
  }
}

/** Splits requests between variants, at the platform's Gateway or, with TLS, at one of the model's own. */
function routeVariants(
  exposure: Exposure,
  { tls, ...shared }: GatewayReference,
  { ingress }: PlatformContract,
  variants: readonly RoutedVariant[],
): void {
  const gateway = tls && ingress.issuer ? modelGateway(exposure, tls, ingress) : shared;
  modelRoute(exposure, gateway, variants);
}

/** The pods of each version, with one service account. */
function runVariants(
  name: string,
  common: Record<"namespace" | "image" | "trackingUri", pulumi.Input<string>>,
  settings: ModelConfig,
  workload: Workload,
  opts: { parent: pulumi.Resource },
): RoutedVariant[] {
  const account = workload.serviceAccount().metadata.name;
  return variantsOf(settings).map((variant) => {
    const identity = { ...workload.identity, variant: variant.name };
    const image = pinned(variant.image ?? common.image, opts);
    const args = { ...common, identity, model: settings.name, image, settings: variant, account };
    const pods = new ModelVariant(`${name}-${variant.name}`, args, opts);
    return { ...variant, identity, pods };
  });
}
