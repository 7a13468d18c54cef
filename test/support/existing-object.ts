import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { environment } from "../../cli/stack";
import type { LabInfo } from "../../lab/cluster/lab";
import { ensurePulumi } from "../../toolchain/pulumi";

/** The result of a stack that creates an existing namespace. */
export interface Created {
  /** Version of the Kubernetes provider. */
  readonly version: string;
  /** Why the update failed; undefined if the stack took over the namespace. */
  readonly failure: string | undefined;
}

/** Creates an existing namespace in a stack without our checks, and destroys the stack. */
export async function createInOtherStack(lab: LabInfo, name: string): Promise<Created> {
  const folder = mkdtempSync(join(tmpdir(), "existing-object-"));
  process.env.PATH = environment(await ensurePulumi(console.log), false).PATH;
  const program = async () => {
    const provider = new k8s.Provider("to", { kubeconfig: readFileSync(lab.kubeconfig, "utf8") });
    new k8s.core.v1.Namespace("namespace", { metadata: { name } }, { provider });
  };
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "existing", projectName: "existing-object", program },
    {
      workDir: folder,
      envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "existing" },
    },
  );
  try {
    const failure = await stack.up().then(
      () => undefined,
      (error: Error) => error.message,
    );
    const plugins = await stack.workspace.listPlugins();
    const { version = "" } = plugins.find(({ name }) => name === "kubernetes") ?? {};
    return { version, failure };
  } finally {
    await stack.destroy();
    rmSync(folder, { recursive: true });
  }
}
