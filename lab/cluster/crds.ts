import { join, resolve } from "node:path";
import { go } from "../../toolchain";
import { lab as tools } from "../tools/modules";
import type { ClusterConfig } from "./component";
import { apply, get, kubectlOf, withRetries } from "./install";
import { START_TIMEOUTS, waitFor } from "./wait";

/** CRDs in a Go module. */
interface CrdSource {
  /** Folder of the `go.mod` that pins the module. */
  readonly folder: string;
  readonly module: string;
  /** Path of the CRDs in the module: a file, or a folder. */
  readonly path: string;
  /** Number of objects. */
  readonly count: number;
  /** One of its resources. */
  readonly resource: string;
}

const SOURCES: readonly CrdSource[] = [
  {
    folder: resolve(__dirname, "../addons/gateway-api"),
    module: "sigs.k8s.io/gateway-api",
    path: "config/crd/standard",
    count: 12,
    resource: "/apis/gateway.networking.k8s.io/v1/gatewayclasses",
  },
  {
    folder: tools.folder,
    module: "github.com/traefik/traefik/v3",
    path: "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",
    count: 10,
    resource: "/apis/traefik.io/v1alpha1/middlewares",
  },
];

/** The annotation with the version of the module that a CRD is from. */
const VERSION = "lab/version";

/** Installs the CRDs of the Gateway API and of Traefik, from the cache of verified Go modules, unless they are there already. */
export async function installCrds(cluster: ClusterConfig): Promise<void> {
  for (const source of SOURCES) {
    await install(cluster, source);
  }
}

async function install(
  cluster: ClusterConfig,
  { folder, module, path, count, resource }: CrdSource,
): Promise<void> {
  const kubectl = kubectlOf(cluster);
  const answer = await go(folder, ["mod", "download", "-json", module]);
  const { Dir, Version } = JSON.parse(answer) as { Dir: string; Version: string };
  const file = join(Dir, path);
  const versions = "jsonpath={.items[*].metadata.annotations.lab/version}";
  const list = ["get", "--ignore-not-found", "-f", file, "-o", versions];
  const found = await withRetries(cluster, () => kubectl(...list));
  if (found.split(" ").filter((version) => version === Version).length === count) {
    return;
  }
  await apply(cluster, file);
  const annotate = ["annotate", "--overwrite", "-f", file, `${VERSION}=${Version}`];
  await withRetries(cluster, () => kubectl(...annotate));
  await waitFor(async () => void (await get(cluster, resource)), START_TIMEOUTS);
}
