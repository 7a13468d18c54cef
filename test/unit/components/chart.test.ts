import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { containerImages, fullReference, withImages } from "../../../components/images/rewrite";
import { Chart, type ChartArgs } from "../../../components/platform/chart";
import { FOLDER, IMAGES, PINNED, SOURCE } from "../../support/example-chart";
import { type Inputs, run } from "../../support/mocks";

const OCI = { kind: "oci", registry: "registry.k8s.io/kueue/charts", name: "kueue" } as const;
const REPOSITORY = { kind: "repository", url: "https://charts.example.com", name: "a" } as const;

/** Declares a chart with these arguments. */
const declared = (args: Inputs) =>
  run(async () => {
    const common = { namespace: "kueue-system", imageSource: SOURCE };
    new Chart("kueue", { ...common, ...args } as ChartArgs);
  });

describe("the arguments of a chart", () => {
  test.each([
    [{ ...OCI, version: "0.18.4" }, { chart: "oci://registry.k8s.io/kueue/charts/kueue" }],
    [
      { ...REPOSITORY, version: "0.18.4" },
      { chart: "a", repositoryOpts: { repo: "https://charts.example.com" } },
    ],
  ])("%j", async (chart, location) => {
    const { registrations } = await declared({ chart, release: "queues", values: { a: [1] } });
    const [, component, helm] = registrations;
    expect(component?.type).toBe("mlplatform:platform:Chart");
    expect([helm?.type, helm?.parent]).toEqual(["kubernetes:helm.sh/v4:Chart", component?.urn]);
    expect(helm?.inputs).toEqual({
      ...location,
      version: "0.18.4",
      name: "queues",
      namespace: "kueue-system",
      values: { a: [1] },
    });
  });

  test("of a folder: no version, and the name of the component as the release", async () => {
    const { registrations } = await declared({ chart: { kind: "folder", path: FOLDER } });
    expect(registrations[2]?.inputs).toEqual({
      chart: FOLDER,
      name: "kueue",
      namespace: "kueue-system",
      values: {},
    });
  });

  test.each([
    ["^0.18.0", "chart.version: must be an exact version such as 1.2.3; with a range or latest"],
    ["0.18", "chart.version: must be an exact version"],
    ["latest", "chart.version: must be an exact version"],
    ["", "chart.version: must be an exact version"],
    [undefined, "chart.version: is missing; expected: Exact version of the chart"],
  ])("refuse the version %j", async (version, reason) => {
    for (const source of [OCI, REPOSITORY]) {
      const { error } = await declared({ chart: { ...source, version } });
      expect(error?.message).toContain(`kueue has invalid arguments:\n  ${reason}`);
    }
  });

  test.each([
    [{ version: "1.2.3" }, "chart.version: not allowed with `kind: folder`"],
    [{ path: "no/chart" }, "kueue: chart.path: no/chart does not exist; correct the path"],
  ])("refuse a folder with %j", async (other, reason) => {
    const { error } = await declared({ chart: { kind: "folder", path: FOLDER, ...other } });
    expect(error?.message).toContain(reason);
  });

  test.each([
    [{ values: { a: () => 1 } }, "values: must be plain values, without outputs"],
    [{ values: { a: { b: pulumi.output("c") } } }, "values: must be plain values, without outputs"],
    [{ crds: "drop" }, "crds: must be one of keep, delete; expected: CRDs of the chart"],
    [{ namespace: "Kueue" }, "namespace: must be the name of a namespace"],
    [{ images: ["kueue:v1"] }, "images[0]: must be an image with its registry"],
    [{ images: [PINNED.server] }, "images[0]: must have a tag and no digest"],
    [{ replicas: 2 }, "replicas: unknown key"],
  ])("refuse %j", async (other, reason) => {
    const { error } = await declared({ chart: { kind: "folder", path: FOLDER }, ...other });
    expect(error?.message).toContain(`kueue has invalid arguments:\n  ${reason}`);
  });

  test("refuse images without a digest, with the command that adds them", async () => {
    const others = ["quay.io/acme/a:v1", "quay.io/acme/b:v2"];
    const images = [IMAGES.server, ...others];
    const { error } = await declared({ chart: { kind: "folder", path: FOLDER }, images });
    expect(error?.message).toBe(
      "kueue: the image lock has no digest for quay.io/acme/a:v1, quay.io/acme/b:v2; " +
        "run `npm run images:lock -- --stack dev --image quay.io/acme/a:v1 --image quay.io/acme/b:v2`",
    );
  });
});

describe("the images of an object", () => {
  const digest = `sha256:${"a".repeat(64)}`;

  test.each([
    ["busybox", "docker.io/library/busybox"],
    ["busybox:1.37", "docker.io/library/busybox:1.37"],
    ["grafana/grafana:12.1", "docker.io/grafana/grafana:12.1"],
    ["localhost/app:v1", "localhost/app:v1"],
    ["registry:5000/app:v1", "registry:5000/app:v1"],
    [`quay.io/acme/app:v1@${digest}`, "quay.io/acme/app:v1"],
    [`quay.io/acme/app@${digest}`, "quay.io/acme/app"],
  ])("%s is in full %s", (image, full) => {
    expect(fullReference(image)).toBe(full);
  });

  const references = new Map([["docker.io/library/app:v1", "mirror/app:v1@sha256:1"]]);
  test.each([
    ["app:v1", "mirror/app:v1@sha256:1"],
    [`app:v1@${digest}`, "mirror/app:v1@sha256:1"],
    ["--image=app:v1", "--image=mirror/app:v1@sha256:1"],
    ["-image=docker.io/app/app:v1", "-image=docker.io/app/app:v1"],
    ["app:v2", "app:v2"],
    ["run app:v1", "run app:v1"],
    [8080, 8080],
    [null, null],
  ])("%j is replaced by %j", (value, expected) => {
    expect(withImages({ spec: [{ value }] }, references)).toEqual({ spec: [{ value: expected }] });
  });

  test("are not replaced in metadata", () => {
    const object = { metadata: { annotations: { image: "app:v1" } } };
    expect(withImages(object, references)).toEqual(object);
  });

  test("are found in containers and image volumes of any kind", () => {
    const pod = {
      containers: [{ image: "a" }, { name: "without" }],
      initContainers: [{ image: "b" }],
      ephemeralContainers: [{ image: "c" }],
      volumes: [{ image: { reference: "d" } }, { emptyDir: {} }],
    };
    const object = { spec: { image: "operator's", workers: [{ template: { spec: pod } }] } };
    expect(containerImages(object)).toEqual(["a", "b", "c", "d"]);
  });
});
