import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import { CertManager, type CertManagerArgs } from "@pulumi/kubernetes-cert-manager";
import { output, secret } from "@pulumi/pulumi";
import { type EngineEvent, LocalWorkspace } from "@pulumi/pulumi/automation";
import { describe, expect, it } from "vitest";
import { environment } from "../../../cli/stack";
import { releaseArgs } from "../../../toolchain/cert-manager/release-args";
import { ensurePulumi } from "../../../toolchain/pulumi";

describe("releaseArgs", () => {
  it("has the official chart by default", () => {
    expect(releaseArgs({})).toEqual({
      chart: "cert-manager",
      repositoryOpts: { repo: "https://charts.jetstack.io" },
      values: {},
    });
  });

  it("passes inputs as values, and does not change options", () => {
    const webhook = { replicaCount: 2, url: { host: "example.com" } };
    const helmOptions = { name: "certs", namespace: "cert-manager", timeout: 90, version: "1.2.3" };
    const args = releaseArgs({ installCRDs: true, http_proxy: "http://p:1", webhook, helmOptions });
    expect(args).toEqual({
      ...helmOptions,
      chart: "cert-manager",
      repositoryOpts: { repo: "https://charts.jetstack.io" },
      values: { installCRDs: true, http_proxy: "http://p:1", webhook },
    });
  });

  it("uses a chart folder if the repository is empty, and adds credentials to the default one", () => {
    const folder = { chart: "/charts/cert-manager", repositoryOpts: { repo: "" } };
    expect(releaseArgs({ helmOptions: folder })).toEqual({ ...folder, values: {} });
    const credentials = { username: "a", password: "b" };
    expect(releaseArgs({ helmOptions: { repositoryOpts: credentials } }).repositoryOpts).toEqual({
      repo: "https://charts.jetstack.io",
      ...credentials,
    });
  });

  it("ignores a value with the name of an input, as the official plugin does", () => {
    const values = { crds: { enabled: true }, webhook: { replicaCount: 2 }, image: { tag: "a" } };
    expect(releaseArgs({ image: { tag: "b" }, helmOptions: { values } }).values).toEqual({
      crds: { enabled: true },
      image: { tag: "b" },
    });
  });

  it("ignores value files, as the official plugin does", () => {
    expect(releaseArgs({ helmOptions: { valueYamlFiles: [] } })).not.toHaveProperty(
      "valueYamlFiles",
    );
  });

  it.each([
    ["args.helmOptions.namespace", { helmOptions: { namespace: output("a") } }],
    ["args.webhook.extraArgs.1", { webhook: { extraArgs: ["a", secret("b")] } }],
  ] satisfies [string, CertManagerArgs][])("refuses an output: %s", (path, args) => {
    expect(() => releaseArgs(args)).toThrow(`CertManager: ${path} is an output.`);
  });
});

/** A cluster that does not respond. */
const NOWHERE = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "nowhere",
  clusters: [{ name: "nowhere", cluster: { server: "https://127.0.0.1:1" } }],
  contexts: [{ name: "nowhere", context: { cluster: "nowhere", user: "" } }],
});

/** The smallest chart. */
function writeChart(folder: string): string {
  mkdirSync(join(folder, "templates"), { recursive: true });
  writeFileSync(join(folder, "Chart.yaml"), "apiVersion: v2\nname: cert-manager\nversion: 1.2.3\n");
  writeFileSync(join(folder, "templates/a.yaml"), "kind: ConfigMap\napiVersion: v1\n");
  return folder;
}

describe("the engine", () => {
  it("finds the plugin, which creates one release with the given provider", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cert-manager-"));
    const chart = writeChart(join(folder, "chart"));
    const program = async () => {
      const kubernetes = new k8s.Provider("to", { kubeconfig: NOWHERE });
      const helmOptions = { chart, repositoryOpts: { repo: "" }, namespace: "certs" };
      new CertManager("certs", { replicaCount: 2, helmOptions }, { providers: { kubernetes } });
    };
    process.env.PATH = environment(await ensurePulumi(console.log), false).PATH;
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: "certs", projectName: "certs", program },
      {
        workDir: folder,
        envVars: { PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "certs" },
      },
    );
    const created: NonNullable<EngineEvent["resourcePreEvent"]>["metadata"][] = [];
    try {
      await stack.preview({
        onEvent: ({ resourcePreEvent }) => {
          if (resourcePreEvent) {
            created.push(resourcePreEvent.metadata);
          }
        },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
    const [release] = created.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    expect(release?.urn).toMatch(
      /::kubernetes-cert-manager:index:CertManager\$kubernetes:helm\.sh\/v3:Release::certs-helm$/,
    );
    expect(release?.provider).toMatch(/::pulumi:providers:kubernetes::to::/);
    expect(release?.new?.inputs).toMatchObject({
      chart,
      namespace: "certs",
      values: { replicaCount: 2 },
      version: "1.2.3",
    });
  }, 120_000);
});
