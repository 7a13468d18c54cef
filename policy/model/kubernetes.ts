/**
 * The fields of the Kubernetes API that rules read. Every field is optional and may be null, because
 * rules evaluate the input of a resource, which the API server may not accept.
 */

export type Maybe<T> = T | null | undefined;

export interface Metadata {
  readonly name?: Maybe<string>;
  readonly namespace?: Maybe<string>;
  readonly labels?: Maybe<Record<string, string>>;
  readonly annotations?: Maybe<Record<string, string>>;
}

interface Typed {
  readonly type?: Maybe<string>;
}

interface WindowsOptions {
  readonly hostProcess?: Maybe<boolean>;
}

export interface SELinuxOptions extends Typed {
  readonly user?: Maybe<string>;
  readonly role?: Maybe<string>;
}

/** Fields of the security contexts of both pods and containers. */
export interface SharedSecurityContext {
  readonly appArmorProfile?: Maybe<Typed>;
  readonly seLinuxOptions?: Maybe<SELinuxOptions>;
  readonly seccompProfile?: Maybe<Typed>;
  readonly windowsOptions?: Maybe<WindowsOptions>;
  readonly runAsNonRoot?: Maybe<boolean>;
  readonly runAsUser?: Maybe<number>;
  readonly runAsGroup?: Maybe<number>;
}

export interface PodSecurityContext extends SharedSecurityContext {
  readonly fsGroup?: Maybe<number>;
  readonly supplementalGroups?: Maybe<number[]>;
  readonly sysctls?: Maybe<{ name?: Maybe<string> }[]>;
}

export interface ContainerSecurityContext extends SharedSecurityContext {
  readonly allowPrivilegeEscalation?: Maybe<boolean>;
  readonly privileged?: Maybe<boolean>;
  readonly procMount?: Maybe<string>;
  readonly readOnlyRootFilesystem?: Maybe<boolean>;
  readonly capabilities?: Maybe<{ add?: Maybe<string[]>; drop?: Maybe<string[]> }>;
}

interface Hosted {
  readonly host?: Maybe<string>;
}

export interface Handler {
  readonly httpGet?: Maybe<Hosted & { path?: Maybe<string>; port?: Maybe<number | string> }>;
  readonly tcpSocket?: Maybe<Hosted>;
  readonly exec?: Maybe<{ command?: Maybe<string[]> }>;
  readonly sleep?: Maybe<{ seconds?: Maybe<number> }>;
}

export interface EnvVar {
  readonly name?: Maybe<string>;
  readonly value?: Maybe<string>;
  readonly valueFrom?: Maybe<{
    readonly secretKeyRef?: Maybe<{ name?: Maybe<string> }>;
    readonly configMapKeyRef?: Maybe<{ name?: Maybe<string> }>;
  }>;
}

export interface EnvSource {
  readonly secretRef?: Maybe<{ name?: Maybe<string> }>;
  readonly configMapRef?: Maybe<{ name?: Maybe<string> }>;
}

export type Quantities = Record<string, Maybe<string | number>>;

export interface ContainerSpec {
  readonly name?: Maybe<string>;
  readonly image?: Maybe<string>;
  readonly imagePullPolicy?: Maybe<string>;
  readonly args?: Maybe<string[]>;
  readonly command?: Maybe<string[]>;
  readonly env?: Maybe<EnvVar[]>;
  readonly envFrom?: Maybe<EnvSource[]>;
  readonly lifecycle?: Maybe<{ postStart?: Maybe<Handler>; preStop?: Maybe<Handler> }>;
  readonly livenessProbe?: Maybe<Handler>;
  readonly readinessProbe?: Maybe<Handler>;
  readonly startupProbe?: Maybe<Handler>;
  readonly ports?: Maybe<{ containerPort?: Maybe<number>; hostPort?: Maybe<number> }[]>;
  readonly resources?: Maybe<{ requests?: Maybe<Quantities>; limits?: Maybe<Quantities> }>;
  readonly restartPolicy?: Maybe<string>;
  readonly securityContext?: Maybe<ContainerSecurityContext>;
}

/** A volume: its name and exactly one source, whose key is its type. */
export type Volume = { name?: Maybe<string> } & Record<string, unknown>;

export interface PodSpec {
  readonly automountServiceAccountToken?: Maybe<boolean>;
  readonly containers?: Maybe<ContainerSpec[]>;
  readonly ephemeralContainers?: Maybe<ContainerSpec[]>;
  readonly hostAliases?: Maybe<unknown[]>;
  readonly hostIPC?: Maybe<boolean>;
  readonly hostNetwork?: Maybe<boolean>;
  readonly hostPID?: Maybe<boolean>;
  readonly initContainers?: Maybe<ContainerSpec[]>;
  readonly nodeName?: Maybe<string>;
  readonly os?: Maybe<{ name?: Maybe<string> }>;
  readonly restartPolicy?: Maybe<string>;
  readonly securityContext?: Maybe<PodSecurityContext>;
  readonly serviceAccountName?: Maybe<string>;
  readonly terminationGracePeriodSeconds?: Maybe<number>;
  readonly topologySpreadConstraints?: Maybe<unknown[]>;
  readonly affinity?: Maybe<{ podAntiAffinity?: Maybe<unknown> }>;
  readonly volumes?: Maybe<Volume[]>;
}

/** A Kubernetes object in the inputs of a resource. */
export interface KubernetesValue {
  readonly apiVersion?: Maybe<string>;
  readonly kind?: Maybe<string>;
  readonly metadata?: Maybe<Metadata>;
  [field: string]: unknown;
}
