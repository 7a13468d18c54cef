import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { portOf } from "./network";

/** A value of a Secret. */
export interface SecretKey {
  /** Name of the Secret, in the pod's namespace. */
  readonly secret: string;
  readonly key: string;
}

/** A volume from an object that exists in the pod's namespace: exactly one of the three is set. */
export interface ExtraVolume {
  /** Where it is mounted in every container of the pod. */
  readonly mountPath: string;
  readonly claim?: string | undefined;
  readonly configMap?: string | undefined;
  readonly secret?: string | undefined;
  /** Always true for ConfigMaps and Secrets. */
  readonly readOnly?: boolean | undefined;
}

/** HTTP proxies, as URLs without a password. */
export interface ProxySettings {
  /** For `http://` URLs. */
  readonly http?: string | undefined;
  /** For `https://` URLs. */
  readonly https?: string | undefined;
  /** Hosts and domains that are reached directly, besides those of the cluster. */
  readonly noProxy?: readonly string[];
}

/**
 * What a stack may set for the pods of any workload. Names are plain values, as they are checked before the first resource is
 * registered.
 */
export interface PodSettings {
  readonly imagePullSecrets?: readonly string[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly types.input.core.v1.Toleration[];
  readonly affinity?: types.input.core.v1.Affinity | undefined;
  readonly priorityClassName?: string | undefined;
  readonly runtimeClassName?: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string | SecretKey>>;
  readonly volumes?: readonly ExtraVolume[];
  readonly proxy?: ProxySettings | undefined;
}

type Variable = types.input.core.v1.EnvVar;

/**
 * Environment variables that a stack adds to every container of a pod.
 * @param direct URLs whose hosts are excluded from the proxy
 */
export function environmentOf(
  { env = {}, proxy }: PodSettings,
  direct: readonly pulumi.Input<string>[] = [],
): Variable[] {
  const own = Object.entries(env).map(([name, value]) =>
    typeof value === "string"
      ? { name, value }
      : { name, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } },
  );
  return [...(proxy ? proxyEnvironment(proxy, direct) : []), ...own];
}

/** Hosts of the pod itself and of the cluster, which no proxy outside of it can reach. */
const CLUSTER_HOSTS = [
  "localhost",
  "127.0.0.1",
  // The kubelet replaces it by the address of the API server.
  "$(KUBERNETES_SERVICE_HOST)",
  ".svc",
  ".cluster.local",
];

/** Programs read the variables in lower case, in upper case, or both. */
function proxyEnvironment(
  { http, https, noProxy = [] }: ProxySettings,
  direct: readonly pulumi.Input<string>[],
): Variable[] {
  const listed = (hosts: readonly string[]) => [...CLUSTER_HOSTS, ...hosts, ...noProxy].join(",");
  const hosts = pulumi.all([...direct]).apply((urls) => urls.map((url) => new URL(url).hostname));
  const variables = {
    ...(http && { http_proxy: http }),
    ...(https && { https_proxy: https }),
    // A plain value where it can be one: not every component takes an output.
    no_proxy: direct.length > 0 ? hosts.apply(listed) : listed([]),
  };
  return Object.entries(variables).flatMap(([name, value]) => [
    { name, value },
    { name: name.toUpperCase(), value },
  ]);
}

/** The TCP ports of a stack's proxies. */
export function proxyPorts({ http, https }: ProxySettings): number[] {
  const ports = [http, https].flatMap((url) => (url ? [portOf(new URL(url))] : []));
  return [...new Set(ports)];
}

/** Volumes that a stack adds to a pod, and how each container mounts them. */
export function volumesOf({ volumes = [] }: PodSettings) {
  return volumes.map(({ mountPath, claim, configMap, secret, readOnly }, index) => {
    const name = `extra-${index}`;
    const source = {
      ...(claim && { persistentVolumeClaim: { claimName: claim } }),
      ...(configMap && { configMap: { name: configMap } }),
      ...(secret && { secret: { secretName: secret } }),
    };
    const mount = { name, mountPath, ...((readOnly || !claim) && { readOnly: true }) };
    return {
      volume: { name, ...source } satisfies types.input.core.v1.Volume,
      mount: mount satisfies types.input.core.v1.VolumeMount,
    };
  });
}
