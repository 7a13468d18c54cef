import { describe, expect, test } from "vitest";
import {
  type Adopted,
  creationOf,
  type Found,
  isOurs,
  withAdopted,
} from "../../../../cli/interruption/pending";
import type { State, StateResource } from "../../../../cli/stack/state";

const LABELS = { "app.kubernetes.io/name": "mlflow" };
const urn = (type: string, name: string) => `urn:pulumi:dev::ml-platform::${type}::${name}`;
const TYPE = "kubernetes:apps/v1:Deployment";

const deployment = (name: string): StateResource => ({
  urn: urn(TYPE, "demo-tracking"),
  type: TYPE,
  custom: true,
  provider: `${urn("pulumi:providers:kubernetes", "cluster")}::1`,
  inputs: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name,
      namespace: "demo",
      labels: LABELS,
      annotations: { "pulumi.com/autonamed": "true" },
    },
  },
});

const TARGET = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  name: "demo-tracking-1a2b3c4d",
  namespace: "demo",
  labels: LABELS,
  autonamed: true,
};

const written = (
  labels: Record<string, string>,
  manager = "pulumi-kubernetes-12345678",
): Found => ({
  metadata: { namespace: "demo", labels, managedFields: [{ manager, operation: "Apply" }] },
});

describe("an interrupted creation", () => {
  test("of an object is looked up by the name of the object", () => {
    expect(creationOf(deployment("demo-tracking-1a2b3c4d"))).toEqual(TARGET);
  });

  test("of an object with an ownership annotation is looked up with the annotation", () => {
    const metadata = { name: "demo", annotations: { "ml-platform/stack": "o/p/dev" } };
    const inputs = { apiVersion: "v1", kind: "Namespace", metadata };
    const type = "kubernetes:core/v1:Namespace";
    expect(creationOf({ urn: "", custom: true, type, inputs })).toMatchObject({
      name: "demo",
      autonamed: false,
      stack: "o/p/dev",
    });
  });

  test.each([
    ["a component", { type: "mlplatform:team:Team", custom: false }],
    ["a provider", { type: "pulumi:providers:kubernetes", custom: true }],
    ["an image", { type: "docker-build:index:Image", custom: true }],
  ])("of %s needs no lookup", (_what, fields) => {
    expect(creationOf({ urn: "", ...fields })).toBe("nothing");
  });

  test.each([
    ["an object of another provider", { type: "aws:s3:Bucket" }],
    ["a patch, whose object existed before", { type: "kubernetes:apps/v1:DeploymentPatch" }],
    ["an object without a name", { type: TYPE, inputs: { apiVersion: "apps/v1", kind: "D" } }],
    [
      "an object whose name is a secret",
      {
        type: TYPE,
        inputs: { ...deployment("x").inputs, metadata: { name: { ciphertext: "v1:" } } },
      },
    ],
  ])("of %s cannot be looked up", (_what, fields) => {
    expect(creationOf({ urn: "", custom: true, ...fields })).toBeUndefined();
  });
});

describe("an object with the name of an interrupted creation", () => {
  const given = { ...TARGET, autonamed: false };
  const marked = { ...given, stack: "o/p/dev" };
  const writtenBy = (stack: string): Found => {
    const { metadata } = written(LABELS);
    return { metadata: { ...metadata, annotations: { "ml-platform/stack": stack } } };
  };
  test.each([
    ["whose name Pulumi generated", TARGET, { metadata: {} }, true],
    ["with the same labels, written by Pulumi", given, written(LABELS), true],
    ["with more labels", given, written({ ...LABELS, more: "1" }), true],
    ["written by another client", given, written(LABELS, "kubectl"), false],
    ["with other labels", given, written({ "app.kubernetes.io/name": "else" }), false],
    ["without labels", given, { metadata: {} }, false],
    ["with the annotation of this stack", marked, writtenBy("o/p/dev"), true],
    ["with the annotation of another stack", marked, writtenBy("o/p/dev/1a2b3c4d"), false],
    ["without its annotation", marked, written(LABELS), false],
  ])("%s belongs to the stack: %s", (_what, target, found, expected) => {
    expect(isOurs(target, found)).toBe(expected);
  });
});

describe("the state after an adoption", () => {
  const other: StateResource = { urn: urn("kubernetes:core/v1:Service", "s"), type: "s" };
  const old: StateResource = { ...deployment("demo-tracking-0"), id: "demo/demo-tracking-0" };
  const one = (name: string): Adopted => ({
    operation: { type: "creating", resource: deployment(name) },
    object: written(LABELS),
    target: { ...TARGET, name },
  });
  const state = (...resources: StateResource[]): State => ({
    version: 3,
    deployment: { resources, pending_operations: [one("x").operation] },
  });
  const stateOf = (from: State, ...adopted: Adopted[]) => withAdopted(from, adopted).deployment;

  test("has a new object as its last resource, not ready, with its field manager", () => {
    const { resources, pending_operations } = stateOf(state(other), one("new"));
    expect(pending_operations).toEqual([]);
    expect(resources).toHaveLength(2);
    expect(resources?.[1]).toMatchObject({
      id: "demo/new",
      initErrors: ["its creation was interrupted"],
      outputs: {
        __fieldManager: "pulumi-kubernetes-12345678",
        __initialApiVersion: "apps/v1",
        metadata: { name: "new" },
      },
    });
  });

  test("has a replacement before the replaced resource, which is marked for deletion", () => {
    const { resources } = stateOf(state(old, other), one("new"));
    expect(resources?.map(({ id, delete: gone }) => [id, gone])).toEqual([
      ["demo/new", undefined],
      ["demo/demo-tracking-0", true],
      [undefined, undefined],
    ]);
  });

  test("has a replacement instead of a resource that was deleted first", () => {
    const { resources } = stateOf(state({ ...old, pendingReplacement: true }, other), one("new"));
    expect(resources?.map(({ id }) => id)).toEqual(["demo/new", undefined]);
  });

  test("has the later one of two objects, and marks the other one for deletion", () => {
    const { resources } = stateOf(state(other), one("first"), one("second"));
    expect(resources?.map(({ id, delete: gone }) => [id, gone])).toEqual([
      [undefined, undefined],
      ["demo/second", undefined],
      ["demo/first", true],
    ]);
  });

  test("has no other changes than the removed pending operations", () => {
    expect(stateOf(state(other))).toEqual({ resources: [other], pending_operations: [] });
  });

  test("has no namespace in the ID of a cluster-scoped object", () => {
    const { resources } = stateOf(state(), { ...one("demo"), object: { metadata: {} } });
    expect(resources?.[0]?.id).toBe("demo");
  });
});
