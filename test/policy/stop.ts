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
/** Data of a test need not be protected. */
const CONFIG = join(PACK, "stacks", "e2e.json");

/** What became of a stack with a mandatory violation. */
export interface Stopped {
  /** What the failed preview and the failed update said. */
  readonly preview: string;
  readonly update: string;
  /** Whether the cluster has the namespace after the preview, which was declared first and is faultless. */
  readonly written: boolean;
  /** Whether it has the faulty object after the update. */
  readonly writtenByUpdate: boolean;
}

/**
 * Previews and updates a stack of a good namespace and a Pod that breaks every rule, on a real cluster.
 * `pulumi` and its plugins are on PATH.
 * @param kubeconfig path of a file; what was made is deleted afterwards
 */
export async function stopsBeforeWriting(kubeconfig: string): Promise<Stopped> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const folder = mkdtempSync(join(tmpdir(), "policy-stop-"));
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "stop", projectName: "policy-stop", program: faulty(kubeconfig) },
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
    // The Automation API's update has no preview: what comes before the faulty resource is written.
    const update = await failureOf(() => stack.up(options));
    const writtenByUpdate = await exists(() =>
      api.readNamespacedPod({ name: "faulty", namespace: NAMESPACE }),
    );
    return { preview, update, written, writtenByUpdate };
  } finally {
    await stack.destroy();
    rmSync(folder, { recursive: true });
  }
}

function faulty(kubeconfig: string) {
  return async () => {
    const provider = new k8s.Provider("to", { kubeconfig: readFileSync(kubeconfig, "utf8") });
    const { metadata } = namespace;
    const room = new k8s.core.v1.Namespace("room", { metadata: metadata as object }, { provider });
    new k8s.core.v1.Pod(
      "faulty",
      {
        metadata: { name: "faulty", namespace: NAMESPACE },
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
  throw new Error("a stack with a mandatory violation went through");
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
