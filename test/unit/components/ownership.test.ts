import { AsyncLocalStorage } from "node:async_hooks";
import type * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import {
  foreignObject,
  type Lookup,
  ownedByStack,
  STACK,
  stackIdentity,
} from "../../../components/kubernetes/ownership";
import { run } from "../../support/mocks";
import { smallStack } from "../../support/stacks";

const OURS = "organization/ml-platform/dev";
const NAMESPACE = { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } };

describe("a cluster-wide object with a fixed name", () => {
  it.each([
    ["does not exist", undefined],
    ["exists because an update was interrupted before it recorded it", { [STACK]: OURS }],
  ])("may be created if it %s", (_what, found) => {
    expect(foreignObject(NAMESPACE, found, OURS)).toBeUndefined();
  });

  it.each([
    ["no stack", {}],
    ["no stack", { "app.kubernetes.io/managed-by": "pulumi" }],
    ["the stack organization/ml-platform/other", { [STACK]: "organization/ml-platform/other" }],
    [`the stack ${OURS}/1a2b3c4d`, { [STACK]: `${OURS}/1a2b3c4d` }],
  ])("is refused if it belongs to %s (%j), with the possible remedies", (owner, found) => {
    const problem = foreignObject(NAMESPACE, found, OURS);
    expect(problem).toContain(`namespace demo exists already and belongs to ${owner},`);
    expect(problem).toMatch(
      /another name .+ delete .+ before 4\.29, .+ `kubectl annotate --overwrite namespace demo/,
    );
    expect(problem).not.toContain("\n");
  });
});

describe("the annotation with the stack", () => {
  const notFound: Lookup = async () => undefined;

  it("has organization, project and stack, and the id if there is one", async () => {
    let identities: string[] = [];
    await run(async () => {
      identities = [stackIdentity(undefined), stackIdentity("1a2b3c4d")];
    });
    expect(identities).toEqual([OURS, `${OURS}/1a2b3c4d`]);
  });

  it("is on cluster-wide objects with a fixed name, whose creation is checked", async () => {
    const { default: program } = await import("../../../index");
    const { config } = smallStack();
    const { registrations } = await run(program, { config: { ...config, id: "1a2b3c4d" } });
    const annotated = registrations.filter(({ inputs }) => inputs.metadata?.annotations?.[STACK]);
    const names = ["demo", "ml-platform", "v1beta1.custom.metrics.k8s.io"];
    expect(annotated.map(({ inputs }) => inputs.metadata.name).sort()).toEqual(names);
    for (const { inputs, hooks } of annotated) {
      expect(inputs.metadata.annotations[STACK]).toBe(`${OURS}/1a2b3c4d`);
      expect(hooks).toEqual(["owned-by-stack"]);
    }
    const shared = registrations.filter(
      ({ inputs: { metadata } }) => metadata?.name && !metadata.namespace,
    );
    expect(shared).toHaveLength(annotated.length);
  });

  it("is checked in the context of the program, where Pulumi knows whether this is a preview", async () => {
    const program = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const lookUp: Lookup = async () => void seen.push(program.getStore());
    let changed: pulumi.ResourceTransformationResult | undefined;
    await run(async () => {
      const [resource, props] = [{} as pulumi.Resource, { metadata: { name: "demo" } }];
      const [type, name] = ["kubernetes:core/v1:Namespace", "demo"];
      const transform = program.run("the program", () => ownedByStack(OURS, lookUp));
      changed = transform({ resource, type, name, props, opts: {} });
    });
    const [hook] = (changed?.opts.hooks?.beforeCreate ?? []) as pulumi.ResourceHook[];
    await hook?.callback({ newInputs: NAMESPACE } as unknown as pulumi.ResourceHookArgs);
    expect(seen).toEqual(["the program"]);
  });

  it("does not change other annotations and hooks of an object", async () => {
    const hook = async () => undefined;
    let changed: pulumi.ResourceTransformationResult | undefined;
    await run(async () => {
      const transform = ownedByStack(OURS, notFound);
      const metadata = { name: "demo", annotations: { a: "b" } };
      changed = transform({
        resource: {} as pulumi.Resource,
        type: "kubernetes:core/v1:Namespace",
        name: "demo",
        props: { metadata, spec: 1 },
        opts: { protect: true, hooks: { afterCreate: [hook] } },
      });
    });
    expect(changed?.props).toEqual({
      metadata: { name: "demo", annotations: { a: "b", [STACK]: OURS } },
      spec: 1,
    });
    expect(changed?.opts).toMatchObject({ protect: true, hooks: { afterCreate: [hook] } });
  });
});
