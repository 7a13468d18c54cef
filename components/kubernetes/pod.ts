import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { environmentOf, type PodSettings, volumesOf } from "./pod-settings";
import { type Resources, requirements } from "./resources";
import { restrictedContainer, restrictedPod } from "./security";

type Container = types.input.core.v1.Container;
type PodSpec = types.input.core.v1.PodSpec;

/** A container, with its environment as a record and its resources as requests and limits of one kind. */
export interface ContainerArgs extends Omit<Container, "env" | "resources" | "image"> {
  readonly name: string;
  readonly image: pulumi.Input<string>;
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly resources: Resources;
}

/** A container for the Pod Security Standard `restricted`, with a read-only root file system. */
export function container({ env, resources, ...rest }: ContainerArgs): Container {
  const variables = Object.entries(env ?? {}).map(([name, value]) => ({ name, value }));
  return {
    ...rest,
    ...(variables.length > 0 && { env: variables }),
    resources: requirements(resources),
    securityContext: rest.securityContext ?? restrictedContainer(),
  };
}

/** A pod, before the settings of the stack are applied. */
export interface PodArgs {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Name of the service account. */
  readonly account: pulumi.Input<string>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly types.input.core.v1.Volume[];
  readonly tolerations?: readonly types.input.core.v1.Toleration[];
  /** What the stack sets for the pod. */
  readonly settings?: PodSettings | undefined;
  /** URLs in the cluster that the pod calls by host names without a domain: they are excluded from the proxy. */
  readonly directUrls?: readonly pulumi.Input<string>[];
  /** Fields that deviate from those of a restricted pod; `undefined` leaves a field out. */
  readonly spec?: Partial<PodSpec>;
}

/**
 * A pod template for the Pod Security Standard `restricted`: it runs as a user without privileges, gets no token of the API
 * server, and no environment variables of other Services.
 */
export function podTemplate(args: PodArgs): types.input.core.v1.PodTemplateSpec {
  const { account, initContainers, containers, spec, settings = {}, directUrls } = args;
  const env = environmentOf(settings, directUrls);
  const volumes = [...(args.volumes ?? []), ...volumesOf(settings).map(({ volume }) => volume)];
  const annotations = { ...settings.annotations, ...args.annotations };
  const extended = (list: readonly Container[]) => list.map((one) => extend(one, env, settings));
  return {
    metadata: {
      labels: { ...settings.labels, ...args.labels },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: {
      serviceAccountName: account,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: restrictedPod(),
      ...scheduling(settings, args.tolerations ?? []),
      ...(initContainers && { initContainers: extended(initContainers) }),
      containers: extended(containers),
      ...(volumes.length > 0 && { volumes }),
      ...spec,
    },
  };
}

/** A container with the environment and the volumes that the stack adds. */
function extend(
  one: Container,
  env: ReturnType<typeof environmentOf>,
  settings: PodSettings,
): Container {
  const mounts = volumesOf(settings).map(({ mount }) => mount);
  return {
    ...one,
    ...(env.length > 0 && { env: [...((one.env as typeof env | undefined) ?? []), ...env] }),
    ...(mounts.length > 0 && {
      volumeMounts: [...((one.volumeMounts as typeof mounts | undefined) ?? []), ...mounts],
    }),
  };
}

/**
 * Where a pod runs, and with which Secrets its image is pulled. A list or record that is empty is left out: the API server
 * drops it, and a refresh would show a change.
 */
function scheduling(
  settings: PodSettings,
  own: readonly types.input.core.v1.Toleration[],
): Partial<PodSpec> {
  const { affinity, priorityClassName, runtimeClassName } = settings;
  const { imagePullSecrets = [], nodeSelector = {} } = settings;
  const tolerations = [...own, ...(settings.tolerations ?? [])];
  return {
    ...(imagePullSecrets.length > 0 && {
      imagePullSecrets: imagePullSecrets.map((name) => ({ name })),
    }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    ...(tolerations.length > 0 && { tolerations }),
    ...(affinity && { affinity }),
    ...(priorityClassName && { priorityClassName }),
    ...(runtimeClassName && { runtimeClassName }),
  };
}
