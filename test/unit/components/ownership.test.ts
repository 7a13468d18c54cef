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

describe("an object of the whole cluster, before it is created", () => {
  it.each([
    ["is not there", undefined],
    ["is there, as an update was interrupted before the state had it", { [STACK]: OURS }],
  ])("may be created where it %s", (_what, found) => {
    expect(foreignObject(NAMESPACE, found, OURS)).toBeUndefined();
  });

  it.each([
    ["no stack", {}],
    ["no stack", { "app.kubernetes.io/managed-by": "pulumi" }],
    ["the stack organization/ml-platform/other", { [STACK]: "organization/ml-platform/other" }],
    [`the stack ${OURS}/1a2b3c4d`, { [STACK]: `${OURS}/1a2b3c4d` }],
  ])("is refused where it belongs to %s (%j), with the ways out", (owner, found) => {
    const problem = foreignObject(NAMESPACE, found, OURS);
    expect(problem).toContain(`namespace demo exists already and belongs to ${owner},`);
    expect(problem).toMatch(
      /another name .+ delete .+ before 4\.29, .+ `kubectl annotate --overwrite namespace demo/,
    );
    expect(problem).not.toContain("\n");
  });
});

describe("a stack's mark", () => {
  const nobody: Lookup = async () => undefined;

  it("names organization, project and stack, and the id where there is one", async () => {
    let identities: string[] = [];
    await run(async () => {
      identities = [stackIdentity(undefined), stackIdentity("1a2b3c4d")];
    });
    expect(identities).toEqual([OURS, `${OURS}/1a2b3c4d`]);
  });

  it("is on what the cluster shares and has a name of our choice, and its creation is checked", async () => {
    const { default: program } = await import("../../../index");
    const { config } = smallStack();
    const { registrations } = await run(program, { config: { ...config, id: "1a2b3c4d" } });
    const marked = registrations.filter(({ inputs }) => inputs.metadata?.annotations?.[STACK]);
    const names = ["demo", "ml-platform", "v1beta1.custom.metrics.k8s.io"];
    expect(marked.map(({ inputs }) => inputs.metadata.name).sort()).toEqual(names);
    for (const { inputs, hooks } of marked) {
      expect(inputs.metadata.annotations[STACK]).toBe(`${OURS}/1a2b3c4d`);
      expect(hooks).toEqual(["owned-by-stack"]);
    }
    const shared = registrations.filter(
      ({ inputs: { metadata } }) => metadata?.name && !metadata.namespace,
    );
    expect(shared).toHaveLength(marked.length);
  });

  it("is checked as in the program, where Pulumi knows whether it previews", async () => {
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

  it("leaves other annotations and hooks of an object as they are", async () => {
    const hook = async () => undefined;
    let changed: pulumi.ResourceTransformationResult | undefined;
    await run(async () => {
      const transform = ownedByStack(OURS, nobody);
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
