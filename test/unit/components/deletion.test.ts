import type * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { boundedDeletes } from "../../../components/kubernetes/deletion";

function timeouts(type: string, opts: pulumi.CustomResourceOptions = {}) {
  const args = { type, name: "x", props: {}, opts, resource: {} as pulumi.Resource };
  return (boundedDeletes(args)?.opts as pulumi.CustomResourceOptions | undefined)?.customTimeouts;
}

it.each([
  "kubernetes:core/v1:Secret",
  "kubernetes:core/v1:Service",
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
  "kubernetes:apiregistration.k8s.io/v1:APIService",
])("waits half a minute for the end of a %s", (type) => {
  expect(timeouts(type)).toEqual({ delete: "30s" });
});

it.each([
  "kubernetes:core/v1:Namespace",
  "kubernetes:core/v1:PersistentVolumeClaim",
  "kubernetes:apps/v1:Deployment",
  "kubernetes:apps/v1:DaemonSet",
  "kubernetes:batch/v1:Job",
  "docker-build:index:Image",
  "pulumi:providers:kubernetes",
  "mlplatform:team:Team",
])("leaves a %s its time", (type) => {
  expect(timeouts(type)).toBeUndefined();
});

it("keeps the timeouts that a resource has", () => {
  const given = { create: "1m", delete: "2m" };
  expect(timeouts("kubernetes:core/v1:Secret", { customTimeouts: given })).toEqual(given);
});
