import type { types } from "@pulumi/kubernetes";
import type { CertManagerArgs } from "@pulumi/kubernetes-cert-manager";
import type { z } from "zod";
import { CERT_MANAGER_VERSION } from "../../images/catalogue";
import { environmentOf } from "../../kubernetes/pod-settings";
import { requirements } from "../../kubernetes/resources";
import { NON_ROOT_ID, restrictedContainer, restrictedPod } from "../../kubernetes/security";
import type { certManagerSettings } from "./schema";

/** The images of cert-manager's pods, by digest. */
export interface CertManagerImages {
  readonly controller: string;
  readonly webhook: string;
  readonly cainjector: string;
  /** Of the pods that answer ACME's HTTP-01 challenges. */
  readonly acmesolver: string;
  readonly startupapicheck: string;
}

type Settings = z.output<typeof certManagerSettings>;

/** What a stack decides about cert-manager. */
export interface ChartSettings extends Settings {
  readonly images: CertManagerImages;
  /** Whether Gateways get certificates too. Then the CRDs of the Gateway API must be there. */
  readonly gatewayApi: boolean;
  /** Whether the CRDs, and with them all certificates, outlive the release. */
  readonly keepCrds: boolean;
  /** Labels of its pods, besides those of the chart. */
  readonly labels: Record<string, string>;
}

/** Seconds until every pod must be ready: the images may have to be pulled. */
const TIMEOUT = 600;

/** An image as the chart takes it. */
function image(reference: string) {
  const [tagged = "", digest = ""] = reference.split("@");
  return { repository: tagged.replace(/:[^:/]+$/, ""), digest };
}

/**
 * The arguments of Pulumi's cert-manager component, all of them plain values. Its typed inputs win over `values` of the same
 * name, even where they are not set, so `values` has only what is no input.
 * @see https://www.pulumi.com/registry/packages/kubernetes-cert-manager/
 */
export function certManagerArgs(settings: ChartSettings): CertManagerArgs {
  const { gatewayApi, images, memory, namespace, pod, replicas } = settings;
  const { imagePullSecrets = [], priorityClassName } = pod;
  const resources = requirements({
    cpu: "25m",
    cpuLimit: "500m",
    memory,
    ephemeralStorage: "64Mi",
  });
  const containerSecurityContext = { ...restrictedContainer(), runAsUser: NON_ROOT_ID };
  const placed = placement(settings);
  const shared = { ...placed, containerSecurityContext, replicaCount: replicas, resources };
  return {
    ...shared,
    affinity: pod.affinity ?? apart("controller"),
    image: image(images.controller),
    webhook: {
      ...shared,
      affinity: pod.affinity ?? apart("webhook"),
      image: image(images.webhook),
    },
    cainjector: {
      ...shared,
      affinity: pod.affinity ?? apart("cainjector"),
      image: image(images.cainjector),
    },
    // It ends when the webhook answers, and with it the release.
    startupapicheck: {
      ...placed,
      ...(pod.affinity && { affinity: pod.affinity }),
      resources,
      image: image(images.startupapicheck),
      securityContext: restrictedPod(),
      timeout: "5m",
    },
    extraEnv: environmentOf({ proxy: pod.proxy }),
    // A flag and not the configuration file, as a changed file does not restart the controller.
    ...(gatewayApi && { extraArgs: ["--enable-gateway-api"] }),
    global: {
      leaderElection: { namespace },
      imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
      ...(priorityClassName && { priorityClassName }),
    },
    prometheus: { enabled: false },
    helmOptions: { ...release(settings), values: otherValues(settings) },
  };
}

/** Prefers another node for each pod of a workload, as Pulumi's component has no spread constraints. */
function apart(component: string): types.input.core.v1.Affinity {
  const podAffinityTerm = {
    topologyKey: "kubernetes.io/hostname",
    labelSelector: { matchLabels: selectorOf(component) },
  };
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }],
    },
  };
}

/** The name of the release, which the chart's labels have too. */
const RELEASE = "cert-manager";

/** The labels of the pods of one of the chart's workloads: `controller`, `webhook` or `cainjector`. */
export function selectorOf(component: string): Record<string, string> {
  return { "app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/component": component };
}

/** What the pods of all four workloads have in common. */
function placement({ labels, pod }: ChartSettings) {
  const { annotations = {}, labels: added = {}, tolerations = [] } = pod;
  return {
    podAnnotations: { ...annotations },
    podLabels: { ...labels, ...added },
    tolerations: [...tolerations],
  };
}

function release({ chart, namespace }: ChartSettings) {
  return {
    name: RELEASE,
    namespace,
    version: CERT_MANAGER_VERSION,
    timeout: TIMEOUT,
    // A first install that fails is removed, so that the next update can start it again.
    atomic: true,
    // The repository that the component has by default is for the chart's name alone.
    ...(chart && { chart, repositoryOpts: { repo: "" } }),
  };
}

function otherValues({ images, keepCrds }: ChartSettings) {
  return {
    crds: { enabled: true, keep: keepCrds },
    acmesolver: { image: image(images.acmesolver) },
  };
}
