import { beforeAll, expect, test } from "vitest";
import { certManagerArgs } from "../../components/platform/certificates/chart-values";
import { certManagerSettings } from "../../components/platform/certificates/schema";
import { provideChart } from "../../lab/charts";
import { evaluate, evaluateStack, type Finding } from "../../policy/engine/evaluate";
import { Exemptions } from "../../policy/engine/exemptions";
import { caseOf } from "../../policy/engine/subjects";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import type { Resource } from "../../policy/model/resource";
import { stackOf } from "../../policy/model/stack";
import { prepare } from "../../policy/model/unknown";
import { rulesWith } from "../../policy/rules/list";
import { releaseArgs } from "../../toolchain/cert-manager/release-args";
import { type Rendered, renderChart } from "../support/rendered-chart";
import { fullStack } from "../support/stacks";
import { DEFAULTS, resourceOf } from "./harness";
import { resourcesOf } from "./program";

// The policies cannot see what is in a Helm release. Here they check each object of the same chart with the same values, its
// hooks included.

const RULES = rulesWith(async () => 1);
const TODAY = "2026-01-01";
const DIGEST = `sha256:${"d".repeat(64)}`;
const IMAGE_NAMES = ["controller", "webhook", "cainjector", "acmesolver", "startupapicheck"];

/** Objects of the chart that break a rule, and why they may. */
const EXEMPTIONS = [
  {
    object: "*Role/*/release-cert-manager-*",
    rules: ["secret-rights"],
    reason: "cert-manager writes each certificate and its key into a Secret in any namespace.",
  },
  {
    object: "ClusterRole//release-cert-manager-controller-challenges",
    rules: ["pod-rights"],
    reason: "cert-manager starts a pod that answers a challenge of an ACME server.",
  },
  {
    object: "ClusterRole//release-cert-manager-cainjector",
    rules: ["control-plane-rights"],
    reason: "It writes CAs into webhook configurations, APIServices and CRDs: that is its purpose.",
  },
  {
    object: "Deployment/*/release-cert-manager*",
    rules: ["service-account-token"],
    reason: "Each of the three calls the API server.",
  },
  {
    object: "Job/*/release-cert-manager-startupapicheck",
    rules: ["service-account-token", "job-deadline"],
    reason:
      "It asks the API server whether the webhook answers, for five minutes at most (--wait).",
  },
  {
    object: "Deployment/*/release-cert-manager*",
    rules: ["probes"],
    reason:
      "The CA injector has no probe in the chart, and the controller no readiness probe: nobody calls them.",
  },
  {
    object: "*/*/release-cert-manager*",
    rules: ["owner-labels"],
    reason:
      "The chart has labels of its own. The label of the owner is on the release's namespace and pods.",
  },
];

/** The check of the webhook as ordinary objects, as the provider renders no hooks. */
const NO_HOOK = Object.fromEntries(
  ["hook", "hook-weight", "hook-delete-policy"].map((key) => [`helm.sh/${key}`, null]),
);
const WITHOUT_HOOKS = {
  jobAnnotations: NO_HOOK,
  rbac: { annotations: NO_HOOK },
  serviceAccount: { annotations: NO_HOOK },
};

let objects: Rendered[];
let findings: Finding[];

/** The value that an object of the chart has below the component, as a resource. */
function chartResource(object: Rendered): Resource {
  const { kind } = object;
  const type = `kubernetes:chart:${kind}`;
  const name = object.metadata.name;
  const resource = resourceOf(object as unknown as KubernetesValue, { name });
  const parents = "mlplatform:platform:CertManager$kubernetes-cert-manager:index:CertManager";
  return { ...resource, urn: resource.urn.replace(resource.type, `${parents}$${type}`) };
}

beforeAll(async () => {
  const images = Object.fromEntries(
    IMAGE_NAMES.map((name) => [name, `quay.io/jetstack/cert-manager-${name}:v1.21.2@${DIGEST}`]),
  ) as unknown as Parameters<typeof certManagerArgs>[0]["images"];
  const settings = certManagerSettings.parse({ replicas: 2 });
  const args = certManagerArgs({
    ...settings,
    ...{ images, gatewayApi: true, keepCrds: true },
    labels: { "ml-platform/owner": "platform" },
  });
  const values = releaseArgs(args).values as Record<string, object>;
  const rendered = await renderChart(await provideChart("cert-manager"), {
    ...values,
    startupapicheck: { ...values?.startupapicheck, ...WITHOUT_HOOKS },
  });
  const { namespace } = args.helmOptions as { namespace: string };
  objects = JSON.parse(JSON.stringify(rendered).replaceAll('"release"', `"${namespace}"`));
  const own = (await resourcesOf(fullStack())).filter(({ urn }) => urn.includes(":CertManager$"));
  const resources = [...own, ...objects.map(chartResource)];
  for (const { props, name } of resources) {
    prepare(props, name);
  }
  const reports = await Promise.all(
    resources.map((resource) => evaluate(RULES, caseOf(resource), DEFAULTS)),
  );
  reports.push(evaluateStack(RULES, stackOf(resources), DEFAULTS));
  const mine = new Set(objects.map(({ metadata }) => metadata.name));
  findings = reports
    .flatMap((report) => report.findings)
    .filter(({ resource }) => mine.has(resource.name));
}, 600_000);

test("the chart has its CRDs, its workloads, and the images by digest", () => {
  const workloads = objects.filter(({ kind }) => ["Deployment", "Job"].includes(kind));
  const images = workloads.map(({ spec }) => spec.template.spec.containers[0].image);
  expect(images.sort()).toEqual(
    ["cainjector", "controller", "startupapicheck", "webhook"].map(
      (name) => `quay.io/jetstack/cert-manager-${name}@${DIGEST}`,
    ),
  );
  expect(objects.filter(({ kind }) => kind === "CustomResourceDefinition")).toHaveLength(6);
});

test("each of its objects is checked: what breaks a rule has an exemption, and each exemption is used", () => {
  const own = EXEMPTIONS.map((one) => ({ ...one, owner: "platform", expires: TODAY }));
  const exemptions = new Exemptions([], own, TODAY);
  const rest = findings.filter((finding) => !exemptions.covers(finding));
  expect(
    rest.map(({ rule, resource, message }) => `${rule.name} ${resource.name}: ${message}`),
  ).toEqual([]);
  expect(exemptions.unused()).toEqual([]);
});
