import { expect, test } from "vitest";
import { CATALOGUE } from "../../../components/images/catalogue";
import { ImageSource } from "../../../components/images/source";
import program from "../../../index";
import { declare } from "../../support/declare";
import { DIGEST, type Inputs, run } from "../../support/mocks";
import { objects, only, podTemplates } from "../../support/objects";
import { smallStack, stackFile } from "../../support/stacks";

test("the namespace admits only `restricted` pods, and has the label of its owner", async () => {
  const { config } = smallStack();
  const { metadata } = only(
    await declare({ config: { ...config, owner: "team-fraud" } }),
    "Namespace",
    "demo-namespace",
  ).inputs;
  expect(metadata.name).toBe("demo");
  expect(metadata.labels).toMatchObject({
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/enforce-version": "v1.34",
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
    "ml-platform/owner": "team-fraud",
  });
});

test("every object has the labels of the project, the program and its owner", async () => {
  const all = objects(await declare(smallStack()));
  for (const { name, inputs } of all) {
    expect(inputs.metadata.labels, name).toMatchObject({
      "app.kubernetes.io/part-of": "ml-platform",
      "app.kubernetes.io/managed-by": "pulumi",
      "ml-platform/owner": "ml-platform",
    });
  }
});

test("viewers can read everything but Secrets, in the team's namespace only", async () => {
  const { config } = smallStack();
  config.team.viewers = ["analysts", "auditors"];
  const { metadata, roleRef, subjects } = only(
    await declare({ config }),
    "RoleBinding",
    "viewers",
  ).inputs;
  expect(metadata.namespace).toBe("demo");
  expect(roleRef).toMatchObject({ kind: "ClusterRole", name: "view" });
  expect(subjects.map(({ kind, name }: Inputs) => [kind, name])).toEqual([
    ["Group", "analysts"],
    ["Group", "auditors"],
  ]);
});

test("the image of a build that a preview skips is unknown, so that no policy checks an incomplete reference", async () => {
  // How the engine writes a value that is not known (`@pulumi/pulumi`, runtime/rpc.js).
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const all = await declare({ ...stackFile("dev"), preview: true });
  const running = podTemplates(all).filter(({ namespace }) => namespace === "demo");
  expect(running.map(({ spec }) => spec.containers[0].image)).toEqual([unknown, unknown, unknown]);
});

test("images are built from their targets on the pinned base, and run by the digest of the build", async () => {
  const all = await declare(stackFile("dev"));
  const images = all.filter(({ type }) => type === "docker-build:index:Image");
  const { inputs } = images[0] as (typeof images)[number];
  expect(images.map(({ inputs }) => inputs.target).sort()).toEqual([
    "mlflow",
    "serving",
    "training",
  ]);
  expect(inputs.buildArgs.PYTHON_BASE).toBe(`127.0.0.1:5001/${CATALOGUE.python}@${DIGEST}`);
  expect(inputs).toMatchObject({ push: true, buildOnPreview: false, builder: { name: "lab-dev" } });
  expect(inputs.secrets).toEqual({ ca: "certificates" });
  const running = podTemplates(all)
    .filter(({ namespace }) => namespace === "demo")
    .map(({ spec }) => spec.containers[0].image);
  expect(running.sort()).toEqual(
    ["serving", "tracking", "training"].map(
      (purpose) => `127.0.0.1:5001/ml-platform/demo-${purpose}:dev@${DIGEST}`,
    ),
  );
});

test("an image with a tag is resolved to its digest, and one with a digest is used as it is", async () => {
  const stack = smallStack();
  stack.config.team.images.serving = "registry.example.com/acme/serving:v3";
  stack.config.team.models.push({ name: "own", image: "registry.example.com/acme/own:v1" });
  const { calls, registrations, error } = await run(program, stack);
  expect(error).toBeUndefined();
  expect(calls).toEqual(Array(2).fill("docker:index/getRegistryImage:getRegistryImage"));
  expect(registrations.filter(({ type }) => type.startsWith("docker"))).toEqual([]);
  const image = (suffix: string) =>
    only(registrations, "Deployment", suffix).inputs.spec.template.spec.containers[0].image;
  expect(image("serve-churn-main")).toBe(`registry.example.com/acme/serving:v3@${DIGEST}`);
  expect(image("serve-own-main")).toBe(`registry.example.com/acme/own:v1@${DIGEST}`);
  expect(image("tracking")).toBe(stack.config.team.images.tracking);
});

test("a lock has the digests of images, and an invalid digest is refused", () => {
  const lock = { [CATALOGUE.prometheus]: DIGEST, [CATALOGUE.python]: "sha256:short" };
  const source = new ImageSource(lock, undefined);
  expect(source.reference("prometheus")).toBe(`${CATALOGUE.prometheus}@${DIGEST}`);
  expect([source.has("python"), source.has("devicePlugin")]).toEqual([false, false]);
  expect(() => source.reference("python")).toThrow(`no digest for ${CATALOGUE.python}`);
});

test("every image of the catalogue has its registry and a full version", () => {
  for (const image of Object.values(CATALOGUE)) {
    expect(image).toMatch(/^[a-z0-9]+(\.[a-z0-9]+)+\/[a-z0-9/-]+:v?\d+\.\d+[\w.-]*$/);
  }
});

test("a team has the same resources with its platform in the same stack and in another one", async () => {
  const { config } = smallStack();
  const [together, outputs] = [await run(program, { config }), { platform: {} as unknown }];
  outputs.platform = together.outputs.platform;
  const { platform: _, ...rest } = config;
  const separate = await run(program, {
    config: { ...rest, platformStack: "acme/ml-platform/platform" },
    references: { "acme/ml-platform/platform": outputs },
  });
  const ofTeam = (all: (typeof together)["registrations"]) =>
    all
      .filter(({ name }) => name.startsWith("demo"))
      .map(({ name, inputs }) => ({ name, inputs }))
      .sort((a, b) => a.name.localeCompare(b.name));
  expect(ofTeam(separate.registrations).length).toBeGreaterThan(20);
  expect(ofTeam(separate.registrations)).toEqual(ofTeam(together.registrations));
});
