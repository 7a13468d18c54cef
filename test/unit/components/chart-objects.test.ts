import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { Chart, type ChartArgs } from "../../../components/platform/chart";
import { evaluate, evaluateStack } from "../../../policy/engine/evaluate";
import { Exemptions } from "../../../policy/engine/exemptions";
import { caseOf } from "../../../policy/engine/subjects";
import type { BuiltInExemption } from "../../../policy/exemptions/built-in";
import type { Resource } from "../../../policy/model/resource";
import { stackOf } from "../../../policy/model/stack";
import { prepare } from "../../../policy/model/unknown";
import { rulesWith } from "../../../policy/rules/list";
import { DEFAULTS } from "../../policy/harness";
import { serveChart } from "../../support/chart-server";
import { FOLDER, IMAGES, PINNED, SOURCE } from "../../support/example-chart";
import { type Rendered, type RenderedResource, renderProgram } from "../../support/rendered-chart";

const FEATURE = "mlplatform:platform:Example";

const common = {
  chart: { kind: "folder", path: FOLDER },
  namespace: "ml-platform",
  imageSource: SOURCE,
  images: Object.values(IMAGES),
} satisfies ChartArgs;

/** A feature that installs the chart. */
class Example extends pulumi.ComponentResource {
  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super(FEATURE, name, {}, opts);
    const args = { ...common, owner: "team-a", values: { hostNetwork: true } };
    new Chart("kept", args, { parent: this });
  }
}

let resources: RenderedResource[];

/** The resources of the objects of a release. */
const ofRelease = (name: string) =>
  resources.filter(({ urn }) => urn.split("::").at(-1)?.startsWith(`${name}:`));

/** The only object of a kind in a release. */
function only(release: string, kind: string): Rendered {
  const objects = ofRelease(release).map(({ object }) => object);
  const [found, ...more] = objects.filter((object) => object.kind === kind);
  if (!found || more.length > 0) {
    throw new Error(`${release} has not one ${kind}`);
  }
  return found;
}

beforeAll(async () => {
  const { server, host } = await serveChart(FOLDER, "1.2.3");
  const [name, version] = ["example", "1.2.3"];
  resources = await renderProgram((provider) => {
    const chart = (release: string, args: Partial<ChartArgs>) =>
      new Chart(release, { ...common, ...args }, { provider });
    new Example("example", { provider });
    chart("deleted", { crds: "delete", retainData: false });
    const url = `http://${host}/charts`;
    chart("repository", { chart: { kind: "repository", url, name, version } });
    chart("oci", { chart: { kind: "oci", registry: `${host}/charts`, name, version } });
  });
  server.close();
}, 60_000);

describe("the objects of a chart", () => {
  test.each(["kept", "deleted", "repository", "oci"])("%s have images by digest", (release) => {
    const { initContainers, containers } = only(release, "Deployment").spec.template.spec;
    expect(initContainers[0].image).toBe(PINNED.setup);
    expect(containers[0].image).toBe(PINNED.server);
    expect(containers[0].args).toEqual([`--worker-image=${PINNED.worker}`, "--port=8080"]);
    expect(only(release, "Job").spec.template.spec.containers[0].image).toBe(PINNED.setup);
  });

  test("do not have the hooks of the chart", () => {
    const kinds = ["CustomResourceDefinition", "Deployment", "Job", "PersistentVolumeClaim"];
    const found = ofRelease("kept").map(({ object }) => object.kind);
    expect(found.sort()).toEqual([...kinds, "ServiceAccount"]);
    expect(only("kept", "Job").metadata.name).toBe("kept-setup");
  });

  test("have labels with their name and owner beside those of the chart", () => {
    expect(only("kept", "Deployment").metadata.labels).toMatchObject({
      "app.kubernetes.io/name": "example",
      "ml-platform/owner": "team",
    });
    expect(only("kept", "PersistentVolumeClaim").metadata.labels).toEqual({
      "app.kubernetes.io/name": "kept",
      "app.kubernetes.io/instance": "kept",
      "app.kubernetes.io/component": "chart",
      "app.kubernetes.io/part-of": "ml-platform",
      "app.kubernetes.io/managed-by": "pulumi",
      "ml-platform/owner": "team-a",
    });
  });

  test("are kept and protected by default", () => {
    const protection = (release: string) =>
      ofRelease(release).flatMap(({ object, protect, retainOnDelete }) =>
        protect || retainOnDelete ? [[object.kind, { protect, retainOnDelete }]] : [],
      );
    expect(Object.fromEntries(protection("kept"))).toEqual({
      CustomResourceDefinition: { protect: false, retainOnDelete: true },
      PersistentVolumeClaim: { protect: true, retainOnDelete: false },
    });
    expect(protection("deleted")).toEqual([]);
  });

  test("have the schema of the chart's CRD", () => {
    const { versions } = only("kept", "CustomResourceDefinition").spec;
    const { image } = versions[0].schema.openAPIV3Schema.properties.spec.properties;
    expect(image).toEqual({ type: "string", default: IMAGES.server });
  });
});

/** The mandatory rules that objects of a release violate and no exemption covers. */
async function violations(release: string, exemptions: BuiltInExemption[]): Promise<string[]> {
  const rules = rulesWith(async () => 1).filter(({ level }) => level === "mandatory");
  const judged = ofRelease(release).map(
    ({ urn, type, object, protect }): Resource => ({
      ...{ urn, type, protect },
      name: urn.split("::").at(-1) ?? "",
      props: prepare(structuredClone(object), urn),
    }),
  );
  const reports = judged.map((resource) => evaluate(rules, caseOf(resource), DEFAULTS));
  const whole = evaluateStack(rules, stackOf(judged), DEFAULTS);
  const found = [...(await Promise.all(reports)), whole].flatMap(({ findings }) => findings);
  const active = new Exemptions(exemptions, [], "2026-01-01");
  return found
    .filter((finding) => !active.covers(finding))
    .map(({ rule, object }) => `${object?.kind}: ${rule.name}`)
    .sort();
}

describe("the policies", () => {
  const exemption = {
    component: FEATURE,
    object: "Job/*/*-setup",
    rules: ["host-namespaces"],
    reason: "The setup reads the addresses of the node.",
  };

  test("find the violations of a chart's objects", async () => {
    const found = ["Deployment: host-namespaces", "Job: host-namespaces"];
    expect(await violations("kept", [])).toEqual(found);
    expect(await violations("repository", [])).toEqual([]);
    expect(await violations("deleted", [])).toEqual(["PersistentVolumeClaim: protected-data"]);
  });

  test.each([FEATURE, "mlplatform:platform:Chart", "kubernetes:helm.sh/v4:Chart"])(
    "exempt one object by its ancestor %s",
    async (component) => {
      const found = await violations("kept", [{ ...exemption, component }]);
      expect(found).toEqual(["Deployment: host-namespaces"]);
    },
  );

  test("do not exempt objects of other components", async () => {
    const other = { ...exemption, component: "mlplatform:platform:Other" };
    expect(await violations("kept", [other])).toContain("Job: host-namespaces");
  });
});

test("an image that a chart does not declare is an error that names its object", async () => {
  const images = [IMAGES.server];
  const preview = renderProgram(
    (provider) => void new Chart("example", { ...common, images }, { provider }),
  );
  const command = `npm run images:lock -- --stack chart --image ${IMAGES.setup}`;
  await expect(preview).rejects.toThrow(
    new RegExp(
      `example: (Deployment/ml-platform/example|Job/ml-platform/example-setup) has an image that is not in the chart's images: ${IMAGES.setup}; add it there, and run \`${command}\``,
    ),
  );
}, 60_000);
