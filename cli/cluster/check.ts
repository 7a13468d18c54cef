import type { KubeConfig, KubernetesObject, VersionInfo } from "@kubernetes/client-node";
import { missingFiles } from "../../components/config/checks";
import type { StackConfig } from "../../components/config/schema";
import { answer, kubeConfigOf } from "../../components/kubernetes/client";
import { redirecting } from "../../components/platform/ingress/redirect";
import { imagesToBuild } from "../../components/team/images/schema";
import { requirePush } from "../images/registry";

/** The oldest minor version of Kubernetes 1 that supports all fields that the program sets, `preStop.sleep` among them. */
const OLDEST_MINOR = 30;

/**
 * Checks a stack's configuration against its cluster and its registry. Nothing is written.
 * @throws Error naming every problem, and what exists instead
 */
export async function checkCluster(config: StackConfig): Promise<void> {
  const cluster = await kubeConfigOf(config.cluster);
  // First, as it fails where the cluster cannot be reached.
  await requireVersion(cluster);
  const found = await Promise.all([
    ...missingFiles(config),
    ...namedObjects(config).map((named) => missing(cluster, named)),
    pushProblem(config),
  ]);
  const problems = found.filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw refusal(problems);
  }
}

function refusal(problems: readonly string[]): Error {
  const lines = problems.map((problem) => `  ${problem}`);
  return new Error(["Nothing was written or changed:", ...lines].join("\n"));
}

async function requireVersion(cluster: KubeConfig): Promise<void> {
  const { VersionApi } = await import("@kubernetes/client-node");
  const version = await answer<VersionInfo>(cluster, () =>
    cluster.makeApiClient(VersionApi).getCode(),
  );
  if (Number.parseInt(version?.minor ?? "", 10) < OLDEST_MINOR) {
    throw new Error(
      `the cluster runs Kubernetes ${version?.gitVersion}; 1.${OLDEST_MINOR} or newer is needed`,
    );
  }
}

/** An object of the cluster that a key of the configuration names. Without a name it is the cluster's default. */
interface NamedObject {
  readonly key: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string | undefined;
}

function namedObjects({ platform, team }: StackConfig): NamedObject[] {
  const storage = (key: string, name: string | undefined): NamedObject => ({
    ...{ key: `${key}.storageClass`, name },
    ...{ apiVersion: "storage.k8s.io/v1", kind: "StorageClass" },
  });
  const { ingress, gateway, prometheus } = platform ?? {};
  return [
    ...(ingress ? ingressObjects(ingress) : []),
    ...(platform ? certificateObjects(platform) : []),
    ...(gateway?.mode === "install"
      ? [
          {
            ...{ key: "platform.gateway.className", name: gateway.className },
            ...{ apiVersion: "gateway.networking.k8s.io/v1", kind: "GatewayClass" },
          },
        ]
      : []),
    ...(prometheus?.mode === "install"
      ? [storage("platform.prometheus", prometheus.storageClass)]
      : []),
    ...(team
      ? [
          storage("team.tracking", team.tracking.storageClass),
          storage("team.data", team.data.storageClass),
        ]
      : []),
  ];
}

/** What certificates and the redirect to HTTPS need, and the platform does not install. */
function certificateObjects({
  certManager,
  ingress,
}: NonNullable<StackConfig["platform"]>): NamedObject[] {
  const crd = (key: string, name: string): NamedObject => ({
    ...{ key, name },
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
  });
  const key = "platform.certManager";
  return [
    ...(certManager.mode === "existing"
      ? [
          {
            key: `${key}.namespace`,
            apiVersion: "v1",
            kind: "Namespace",
            name: certManager.namespace,
          },
          crd(`${key}.mode`, "certificates.cert-manager.io"),
        ]
      : []),
    ...(redirecting(ingress) === "traefik"
      ? [crd("platform.ingress.redirect", "middlewares.traefik.io")]
      : []),
  ];
}

function ingressObjects({
  className,
  namespace,
  issuer,
}: NonNullable<StackConfig["platform"]>["ingress"]): NamedObject[] {
  const key = "platform.ingress";
  return [
    {
      ...{ key: `${key}.className`, name: className },
      ...{ apiVersion: "networking.k8s.io/v1", kind: "IngressClass" },
    },
    { key: `${key}.namespace`, apiVersion: "v1", kind: "Namespace", name: namespace },
    // An issuer that the platform creates is not there yet.
    ...(typeof issuer === "string"
      ? [
          {
            ...{ key: `${key}.issuer`, name: issuer },
            ...{ apiVersion: "cert-manager.io/v1", kind: "ClusterIssuer" },
          },
        ]
      : []),
  ];
}

async function missing(
  cluster: KubeConfig,
  { key, apiVersion, kind, name }: NamedObject,
): Promise<string | undefined> {
  const { KubernetesObjectApi } = await import("@kubernetes/client-node");
  const api = KubernetesObjectApi.makeApiClient(cluster);
  const listed = await answer(cluster, () => api.list(apiVersion, kind), 404);
  const items = listed?.items ?? [];
  if (items.some((item) => (name ? item.metadata?.name === name : isDefault(item)))) {
    return undefined;
  }
  const names = items.map(({ metadata }) => metadata?.name).join(", ") || "none";
  return name
    ? `${key}: the cluster has no ${kind} ${name}; there are: ${names}`
    : `${key}: is not set, and the cluster has no default ${kind}; there are: ${names}`;
}

/** Whether a class is annotated as the cluster's default. */
function isDefault({ metadata }: KubernetesObject): boolean {
  const annotations = Object.entries(metadata?.annotations ?? {});
  return annotations.some(([key, value]) => /\/is-default-class$/.test(key) && value === "true");
}

async function pushProblem({ team, images }: StackConfig): Promise<string | undefined> {
  const [purpose] = team ? imagesToBuild(team.images) : [];
  if (!team || !purpose) {
    return undefined;
  }
  try {
    await requirePush(`${images.registry}/${team.name}-${purpose}`);
    return undefined;
  } catch (error) {
    return `images.registry: ${(error as Error).message}`;
  }
}
