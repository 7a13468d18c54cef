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
  readonly metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: its fields are those of its kind.
  [field: string]: any;
}

/** A resource with a Kubernetes object. */
export interface RenderedResource {
  readonly urn: string;
  readonly type: string;
  readonly object: Rendered;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
}

/**
 * Renders the Kubernetes objects of a program, including those of its charts, as the Kubernetes provider does, without a cluster.
 * @throws Error with the engine's messages
 */
export async function renderProgram(
  program: (provider: k8s.Provider) => void,
): Promise<RenderedResource[]> {
  const folder = mkdtempSync(join(tmpdir(), "rendered-"));
  process.env.PATH = environment(await ensurePulumi(console.log), false).PATH;
  const renderYamlToDirectory = join(folder, "out");
  const stack = await LocalWorkspace.createOrSelectStack(
    {
      stackName: "chart",
      projectName: "chart",
      program: async () => program(new k8s.Provider("to", { renderYamlToDirectory })),
    },
    {
      workDir: folder,
      envVars: {
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "chart",
        HELM_CACHE_HOME: join(folder, "helm"),
      },
    },
  );
  const resources: RenderedResource[] = [];
  try {
    await stack.preview({
      onEvent: ({ resourcePreEvent }) => {
        const { new: state } = resourcePreEvent?.metadata ?? {};
        if (state?.inputs.kind) {
          const { urn, type, inputs, protect = false, retainOnDelete = false } = state;
          resources.push({ urn, type, object: inputs as Rendered, protect, retainOnDelete });
        }
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return resources;
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
  const args = { chart: copy, name: "release", namespace: "release", values };
  try {
    const resources = await renderProgram(
      (provider) => void new k8s.helm.v4.Chart("release", args, { provider }),
    );
    return resources.map(({ object }) => object);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
