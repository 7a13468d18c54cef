import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { environment } from "../../cli/stack";
import { ensurePulumi } from "../../toolchain/pulumi";

/** A Kubernetes object of a chart. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: its fields are those of its kind.
  [field: string]: any;
}

/**
 * Renders the chart in a folder as the Kubernetes provider does, without a cluster. Helm hooks are left out, as the provider
 * does not create them.
 */
export async function renderChart(chart: string, values: object): Promise<Rendered[]> {
  const folder = mkdtempSync(join(tmpdir(), "chart-"));
  const copy = join(folder, "chart");
  cpSync(chart, copy, { recursive: true });
  // Without a cluster the provider assumes Kubernetes 1.20, which charts refuse.
  const file = join(copy, "Chart.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^kubeVersion:.*\n/m, ""));
  const program = async () => {
    const provider = new k8s.Provider("to", { renderYamlToDirectory: join(folder, "out") });
    const args = { chart: copy, name: "release", namespace: "release", values };
    new k8s.helm.v4.Chart("release", args, { provider });
  };
  process.env.PATH = environment(await ensurePulumi(console.log), false).PATH;
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "chart", projectName: "chart", program },
    {
      workDir: folder,
      envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "chart" },
    },
  );
  const objects: Rendered[] = [];
  try {
    await stack.preview({
      onEvent: ({ resourcePreEvent }) => {
        const inputs = resourcePreEvent?.metadata.new?.inputs;
        if (inputs?.kind) {
          objects.push(inputs as Rendered);
        }
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return objects;
}
