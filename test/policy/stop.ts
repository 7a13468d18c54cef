import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiException, CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import * as k8s from "@pulumi/kubernetes";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { CONFIG_VARIABLE } from "../../policy/config/load";
import { policyPack } from "../../toolchain/pulumi";
import { NAMESPACE, namespace } from "./objects";

const PACK = join(__dirname, "../../policy");
/** Configuration without protection of data. */
const CONFIG = join(PACK, "stacks", "e2e.json");

/** The result of a stack with a mandatory violation. */
export interface Stopped {
  /** The output of the failed preview and the failed update. */
  readonly preview: string;
  readonly update: string;
  /** Whether the cluster has the valid namespace, the first resource, after the preview. */
  readonly written: boolean;
  /** Whether it has the invalid object after the update. */
  readonly writtenByUpdate: boolean;
}

/**
 * Previews and updates a stack with a valid namespace and a Pod that violates many rules, on a real cluster.
 * `pulumi` and its plugins are on PATH.
 * @param kubeconfig path of a file; created objects are deleted afterwards
 */
export async function stopsBeforeWriting(kubeconfig: string): Promise<Stopped> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const folder = mkdtempSync(join(tmpdir(), "policy-stop-"));
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "stop", projectName: "policy-stop", program: invalidStack(kubeconfig) },
    {
      workDir: folder,
      envVars: {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "stop",
        [CONFIG_VARIABLE]: CONFIG,
      },
    },
  );
  const options = { policyPacks: [policyPack(PACK)], color: "never" as const };
  try {
    const preview = await failureOf(() => stack.preview(options));
    const written = await exists(() => api.readNamespace({ name: NAMESPACE }));
    // The update of the Automation API has no preview: resources before the invalid one are created.
    const update = await failureOf(() => stack.up(options));
    const writtenByUpdate = await exists(() =>
      api.readNamespacedPod({ name: "invalidStack", namespace: NAMESPACE }),
    );
    return { preview, update, written, writtenByUpdate };
  } finally {
    await stack.destroy();
    rmSync(folder, { recursive: true });
  }
}

function invalidStack(kubeconfig: string) {
  return async () => {
    const provider = new k8s.Provider("to", { kubeconfig: readFileSync(kubeconfig, "utf8") });
    const { metadata } = namespace;
    const room = new k8s.core.v1.Namespace("room", { metadata: metadata as object }, { provider });
    new k8s.core.v1.Pod(
      "invalidStack",
      {
        metadata: { name: "invalidStack", namespace: NAMESPACE },
        spec: {
          containers: [{ name: "app", image: "app", securityContext: { privileged: true } }],
        },
      },
      { provider, dependsOn: [room] },
    );
  };
}

async function failureOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    return `${error}`;
  }
  throw new Error("a stack with a mandatory violation succeeded");
}

async function exists(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) {
      return false;
    }
    throw error;
  }
}
