import { describe, expect, test } from "vitest";
import { splitSpec } from "../../../components/kubernetes/gateway";
import { fixedVariant, variantsOf } from "../../../components/team/serving/variants";
import { declare } from "../../support/declare";
import type { Inputs, Registration } from "../../support/mocks";
import { objects, only, podTemplates, selects } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const CANDIDATE = {
  name: "candidate",
  version: 8,
  weight: 10,
  header: { name: "x-variant", value: "candidate" },
};

/** The small stack, whose model has these variants, on a platform that installs a Gateway. */
function split(variants: Inputs[], model: Inputs = {}, platform: Inputs = {}) {
  const { config } = smallStack();
  config.platform = { gateway: { mode: "install", className: "traefik" }, ...platform };
  Object.assign(config.team.models[0], { variants, ...model });
  return declare({ config });
}

const weighted = ([main, candidate]: number[]) =>
  split([
    { name: "main", weight: main },
    { ...CANDIDATE, weight: candidate },
  ]);
const both = () => weighted([90, 10]);
const backends = (all: Registration[]) =>
  only(all, "HTTPRoute").inputs.spec.rules.map(({ backendRefs }: Inputs) =>
    backendRefs.map(({ name, weight }: Inputs) => [name, weight]),
  );

describe("the variants of a model", () => {
  test("have the settings of the model unless they have their own", () => {
    const model = { version: 7, image: undefined, ingress: true };
    expect(variantsOf({ ...model, variants: [{ name: "a", weight: 1, version: 9 }] })).toEqual([
      { ...model, name: "a", weight: 1, version: 9 },
    ]);
    expect(variantsOf({ ...model, name: "churn", variants: [] })).toEqual([
      { ...model, name: "main", weight: 100 },
    ]);
  });

  test("include a fixed one, which does not depend on weights: main, else the first", () => {
    const of = (...names: string[]) => fixedVariant(names.map((name) => ({ name }))).name;
    expect([of("main"), of("a", "main"), of("b", "a")]).toEqual(["main", "main", "b"]);
  });
});

describe("two variants of a model", () => {
  test("each have a Deployment, an autoscaler and a disruption budget, which select only their own pods", async () => {
    const all = await both();
    for (const kind of ["HorizontalPodAutoscaler", "PodDisruptionBudget"]) {
      const own = objects(all, kind).filter(({ name }) => name.startsWith("demo-serve-churn-"));
      expect(own.map(({ name }) => name.split("-")[3])).toEqual(["main", "candidate"]);
    }
    const pods = podTemplates(all).filter(({ workload }) => workload.includes("-serve-"));
    const selected = pods.map(({ selector }) =>
      pods.filter(({ labels }) => selects(selector, labels)).map(({ workload }) => workload),
    );
    expect(selected).toEqual([["demo-serve-churn-main"], ["demo-serve-churn-candidate"]]);
    const versions = pods.map(
      ({ spec }) =>
        spec.containers[0].env.find(({ name }: Inputs) => name === "MODEL_VERSION").value,
    );
    expect(versions).toEqual(["champion", "8"]);
  });

  test("share the requests of one host by weight, except requests with the header of a variant", async () => {
    const all = await both();
    const { apiVersion, spec } = only(all, "HTTPRoute").inputs;
    expect(objects(all, "Ingress")).toEqual([]);
    expect(apiVersion).toBe("gateway.networking.k8s.io/v1");
    expect(spec.hostnames).toEqual(["churn.demo.localhost"]);
    expect(spec.parentRefs).toMatchObject([{ name: "ml-platform", namespace: "ml-platform" }]);
    expect(backends(all)).toEqual([
      [["churn-candidate", 1]],
      [
        ["churn-main", 90],
        ["churn-candidate", 10],
      ],
    ]);
    const header = { type: "Exact", name: "x-variant", value: "candidate" };
    const [pinned, rest] = spec.rules;
    for (const match of pinned.matches) {
      expect(match.headers).toEqual([header]);
    }
    expect(rest.matches.map(({ path }: Inputs) => path.value)).toContain("/predict");
    expect(JSON.stringify(spec)).not.toContain("metrics");
  });

  test("each have a Service; callers inside the cluster reach main", async () => {
    const services = objects(await both(), "Service")
      .map(({ inputs }) => inputs)
      .filter(({ metadata }) => metadata.name.startsWith("churn"));
    expect(
      services.map(({ metadata, spec }) => [metadata.name, spec.selector["ml-platform/variant"]]),
    ).toEqual([
      ["churn", "main"],
      ["churn-main", "main"],
      ["churn-candidate", "candidate"],
    ]);
  });

  test("replace an Ingress only after a Gateway has accepted their route", async () => {
    const { metadata } = only(await both(), "HTTPRoute").inputs;
    expect(metadata.annotations).toEqual({
      "pulumi.com/waitFor":
        'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True',
    });
  });

  test("can be added and removed without a change to the pods of main", async () => {
    const pods = (all: Registration[]) => only(all, "Deployment", "churn-main").inputs.spec;
    const single = await split([]);
    expect(pods(await both())).toEqual(pods(single));
    expect(objects(single, "HTTPRoute")).toEqual([]);
    expect(objects(single, "Ingress")).toHaveLength(1);
  });

  test.each([
    [90, 10, 100, 0],
    // A rollback of a promotion. It changes no Service, so callers inside the cluster reach the same pods.
    [0, 100, 100, 0],
    [10, 90, 90, 10],
  ])("change only the route when the weights change from %i/%i to %i/%i", async (...weights) => {
    const before = await weighted(weights.slice(0, 2));
    const after = await weighted(weights.slice(2));
    const kept = new Map(
      before.map(({ name, type, inputs }) => [`${type} ${name}`, JSON.stringify(inputs)]),
    );
    // Each run makes another certificate, which the engine ignores.
    const changed = after.filter(
      ({ name, type, inputs }) =>
        name.startsWith("demo-") && kept.get(`${type} ${name}`) !== JSON.stringify(inputs),
    );
    expect(changed.map(({ inputs }) => inputs.kind)).toEqual(["HTTPRoute"]);
  });

  test("can have images, resources and autoscalers of their own", async () => {
    const image = `registry.example.com/acme/other@sha256:${"e".repeat(64)}`;
    const own = { image, autoscale: { kind: "none", replicas: 3 }, resources: { memory: "1Gi" } };
    const all = await split([
      { name: "main", weight: 1 },
      { name: "large", weight: 1, ...own },
    ]);
    const { replicas, template } = only(all, "Deployment", "churn-large").inputs.spec;
    expect(replicas).toBe(3);
    expect(template.spec.containers[0].image).toBe(image);
    expect(template.spec.containers[0].resources.requests).toMatchObject({
      cpu: "200m",
      memory: "1Gi",
    });
  });
});

describe("the platform's Gateway", () => {
  test("serves every host of the domain, with routes from namespaces of this project only", async () => {
    const { metadata, spec } = only(await both(), "Gateway").inputs;
    expect(metadata).toMatchObject({
      name: "ml-platform",
      namespace: "ml-platform",
      annotations: { "pulumi.com/waitFor": "condition=Programmed" },
    });
    expect(spec).toEqual({
      gatewayClassName: "traefik",
      listeners: [
        {
          name: "http",
          protocol: "HTTP",
          port: 80,
          hostname: "*.localhost",
          allowedRoutes: {
            namespaces: {
              from: "Selector",
              selector: { matchLabels: { "app.kubernetes.io/part-of": "ml-platform" } },
            },
          },
        },
      ],
    });
    const namespace = only(await both(), "Namespace", "demo-namespace").inputs;
    expect(namespace.metadata.labels["app.kubernetes.io/part-of"]).toBe("ml-platform");
  });

  test("can be an existing one", async () => {
    const existing = {
      mode: "existing",
      name: "shared",
      namespace: "gateways",
      sectionName: "web",
    };
    const all = await split([{ name: "main", weight: 1 }, CANDIDATE], {}, { gateway: existing });
    expect(objects(all, "Gateway")).toEqual([]);
    expect(only(all, "HTTPRoute").inputs.spec.parentRefs).toEqual([
      {
        group: "gateway.networking.k8s.io",
        kind: "Gateway",
        name: "shared",
        namespace: "gateways",
        sectionName: "web",
      },
    ]);
  });

  test("is referred to without a listener if none is set", () => {
    const { parentRefs } = splitSpec({ name: "g", namespace: "n" }, "h", ["/"], []);
    expect(parentRefs[0]).not.toHaveProperty("sectionName");
  });
});
