/**
 * The fields of the Kubernetes API that rules read. Every field is optional and may be null, because
 * rules evaluate the input of a resource, which the API server may not accept.
 */

export type Maybe<T> = T | null | undefined;

export interface Metadata {
  name?: Maybe<string>;
  namespace?: Maybe<string>;
  labels?: Maybe<Record<string, string>>;
  annotations?: Maybe<Record<string, string>>;
}

interface Typed {
  type?: Maybe<string>;
}

interface WindowsOptions {
  hostProcess?: Maybe<boolean>;
}

export interface SELinuxOptions extends Typed {
  user?: Maybe<string>;
  role?: Maybe<string>;
}

/** Fields of the security contexts of both pods and containers. */
export interface SharedSecurityContext {
  appArmorProfile?: Maybe<Typed>;
  seLinuxOptions?: Maybe<SELinuxOptions>;
  seccompProfile?: Maybe<Typed>;
  windowsOptions?: Maybe<WindowsOptions>;
  runAsNonRoot?: Maybe<boolean>;
  runAsUser?: Maybe<number>;
  runAsGroup?: Maybe<number>;
}

export interface PodSecurityContext extends SharedSecurityContext {
  fsGroup?: Maybe<number>;
  supplementalGroups?: Maybe<number[]>;
  sysctls?: Maybe<{ name?: Maybe<string> }[]>;
}

export interface ContainerSecurityContext extends SharedSecurityContext {
  allowPrivilegeEscalation?: Maybe<boolean>;
  privileged?: Maybe<boolean>;
  procMount?: Maybe<string>;
  readOnlyRootFilesystem?: Maybe<boolean>;
  capabilities?: Maybe<{ add?: Maybe<string[]>; drop?: Maybe<string[]> }>;
}

interface Hosted {
  host?: Maybe<string>;
}

export interface Handler {
  httpGet?: Maybe<Hosted & { path?: Maybe<string>; port?: Maybe<number | string> }>;
  tcpSocket?: Maybe<Hosted>;
  exec?: Maybe<{ command?: Maybe<string[]> }>;
  sleep?: Maybe<{ seconds?: Maybe<number> }>;
}

export interface EnvVar {
  name?: Maybe<string>;
  value?: Maybe<string>;
  valueFrom?: Maybe<{
    secretKeyRef?: Maybe<{ name?: Maybe<string> }>;
    configMapKeyRef?: Maybe<{ name?: Maybe<string> }>;
  }>;
}

export interface EnvSource {
  secretRef?: Maybe<{ name?: Maybe<string> }>;
  configMapRef?: Maybe<{ name?: Maybe<string> }>;
}

export type Quantities = Record<string, Maybe<string | number>>;

export interface ContainerSpec {
  name?: Maybe<string>;
  image?: Maybe<string>;
  imagePullPolicy?: Maybe<string>;
  args?: Maybe<string[]>;
  command?: Maybe<string[]>;
  env?: Maybe<EnvVar[]>;
  envFrom?: Maybe<EnvSource[]>;
  lifecycle?: Maybe<{ postStart?: Maybe<Handler>; preStop?: Maybe<Handler> }>;
  livenessProbe?: Maybe<Handler>;
  readinessProbe?: Maybe<Handler>;
  startupProbe?: Maybe<Handler>;
  ports?: Maybe<{ containerPort?: Maybe<number>; hostPort?: Maybe<number> }[]>;
  resources?: Maybe<{ requests?: Maybe<Quantities>; limits?: Maybe<Quantities> }>;
  restartPolicy?: Maybe<string>;
  securityContext?: Maybe<ContainerSecurityContext>;
}

/** A volume: its name and exactly one source, whose key is its type. */
export type Volume = { name?: Maybe<string> } & Record<string, unknown>;

export interface PodSpec {
  automountServiceAccountToken?: Maybe<boolean>;
  containers?: Maybe<ContainerSpec[]>;
  ephemeralContainers?: Maybe<ContainerSpec[]>;
  hostAliases?: Maybe<unknown[]>;
  hostIPC?: Maybe<boolean>;
  hostNetwork?: Maybe<boolean>;
  hostPID?: Maybe<boolean>;
  initContainers?: Maybe<ContainerSpec[]>;
  nodeName?: Maybe<string>;
  os?: Maybe<{ name?: Maybe<string> }>;
  restartPolicy?: Maybe<string>;
  securityContext?: Maybe<PodSecurityContext>;
  serviceAccountName?: Maybe<string>;
  terminationGracePeriodSeconds?: Maybe<number>;
  topologySpreadConstraints?: Maybe<unknown[]>;
  affinity?: Maybe<{ podAntiAffinity?: Maybe<unknown> }>;
  volumes?: Maybe<Volume[]>;
}

/** A Kubernetes object in the inputs of a resource. */
export interface KubernetesValue {
  apiVersion?: Maybe<string>;
  kind?: Maybe<string>;
  metadata?: Maybe<Metadata>;
  [field: string]: unknown;
}
