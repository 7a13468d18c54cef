import { x } from "tinyexec";
import { beforeAll, describe, expect, it } from "vitest";
import { provideChart } from "../../../lab/charts";
import { labTools } from "../../../lab/tools";
import { type Rendered, renderChart } from "../../support/rendered-chart";

/** Values with which the chart sets all flags that this build has. */
const VALUES = {
  crds: { enabled: true },
  config: { apiVersion: "controller.config.cert-manager.io/v1alpha1" },
  featureGates: "ServerSideApply=true",
  enableCertificateOwnerRef: true,
  disableAutoApproval: true,
  clusterResourceNamespace: "secrets",
  ingressShim: { defaultIssuerName: "a", defaultIssuerKind: "b", defaultIssuerGroup: "c" },
  acmesolver: { runtimeClassName: "d" },
  global: {
    commonLabels: { e: "f" },
    leaderElection: {
      namespace: "g",
      leaseDuration: "60s",
      renewDeadline: "40s",
      retryPeriod: "15s",
    },
  },
  prometheus: { enabled: false },
  webhook: { featureGates: "LiteralCertificateSubject=true", url: { host: "h" } },
  cainjector: { featureGates: "ServerSideApply=true" },
};

const COMMANDS = {
  "release-cert-manager": "controller",
  "release-cert-manager-webhook": "webhook",
  "release-cert-manager-cainjector": "cainjector",
};

let objects: Rendered[];
let binary: string;

beforeAll(async () => {
  objects = await renderChart(await provideChart("cert-manager"), VALUES);
  binary = (await labTools.ensure(["cert-manager"], console.log)).get("cert-manager")!;
}, 1_800_000);

const argumentsOf = (name: string): string[] => {
  const deployment = objects.find(({ kind, metadata }) => {
    return kind === "Deployment" && metadata.name === name;
  });
  return deployment?.spec.template.spec.containers[0].args;
};

describe("cert-manager's chart", () => {
  it("has its custom resources and its commands, in the version of the images", () => {
    const names = (kind: string) =>
      objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
    expect(names("CustomResourceDefinition")).toHaveLength(6);
    expect(names("Deployment").sort()).toEqual(Object.keys(COMMANDS).sort());
    const images = objects
      .filter(({ kind }) => kind === "Deployment")
      .map(({ spec }) => spec.template.spec.containers[0].image);
    expect(images.sort()).toEqual([
      "quay.io/jetstack/cert-manager-cainjector:v1.21.2",
      "quay.io/jetstack/cert-manager-controller:v1.21.2",
      "quay.io/jetstack/cert-manager-webhook:v1.21.2",
    ]);
  });

  it.each(Object.entries(COMMANDS))(
    "sets flags that the binary accepts: %s",
    async (name, command) => {
      const args = argumentsOf(name);
      expect(args.length).toBeGreaterThan(6);
      const { stdout, stderr, exitCode } = await x(binary, [command, ...args, "--help"]);
      expect({ stdout, exitCode, unknown: /unknown.*/.exec(stderr)?.[0] }).toEqual({
        stdout: "",
        exitCode: 0,
        unknown: undefined,
      });
    },
  );
});
