import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { type Config, configSchema } from "../../policy/config/schema";
import { evaluate, type Report } from "../../policy/engine/evaluate";
import { caseOf } from "../../policy/engine/subjects";
import type { KubernetesValue } from "../../policy/model/kubernetes";
import type { Resource } from "../../policy/model/resource";
import { prepare } from "../../policy/model/unknown";
import type { Rule } from "../../policy/rules/rule";

/** The engine's placeholder for an unknown string (`@pulumi/policy`, proxy.js). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const DEFAULTS: Config = configSchema.parse({});

/** A valid image reference. */
export const IMAGE = `registry.example/app@sha256:${"a".repeat(64)}`;

/** A Kubernetes object as the Pulumi resource that creates it. */
export function resourceOf(value: KubernetesValue, opts: Partial<Resource> = {}): Resource {
  const [group, version] = `core/${value.apiVersion}`.split("/").slice(-2);
  const name = opts.name ?? "subject";
  const type = opts.type ?? `kubernetes:${group}/${version}:${value.kind}`;
  const urn = `urn:pulumi:dev::ml-platform::${type}::${name}`;
  return { type, name, urn, protect: false, props: structuredClone(value), ...opts };
}

/** Evaluates rules for a resource as the pack does, including unknown fields. */
export function evaluateResource(
  rules: Rule | readonly Rule[],
  resource: Resource,
  config: Config = DEFAULTS,
): Promise<Report> {
  prepare(resource.props, resource.name);
  return evaluate([rules].flat(), caseOf(resource), config);
}

/** The messages of `evaluateResource`. */
export async function problems(
  rules: Rule | readonly Rule[],
  value: KubernetesValue,
  config: Config = DEFAULTS,
): Promise<string[]> {
  const report = await evaluateResource(rules, resourceOf(value), config);
  return report.findings.map((finding) => finding.message);
}

/** The output of a policy, which runs as in the server of `@pulumi/policy` (server.js). */
export interface Shown {
  readonly violations: string[];
  /** The warning, if the policy needed an unknown field. */
  readonly warning?: string;
}

/** Runs a Pulumi policy on one resource, with the library's proxy for its properties. */
export async function runPolicy(
  policy: ResourceValidationPolicy,
  resource: Resource,
): Promise<Shown> {
  const { unknownCheckingProxy, UnknownValueError } = library;
  const violations: string[] = [];
  const args = {
    ...resource,
    props: unknownCheckingProxy(structuredClone(resource.props)),
    opts: { protect: resource.protect, ignoreChanges: [], aliases: [], parent: undefined },
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    getConfig: () => ({}),
    notApplicable: () => {
      throw new Error("not applicable");
    },
  } as unknown as ResourceValidationArgs;
  try {
    for (const validate of [policy.validateResource ?? []].flat()) {
      await validate(args, (message) => violations.push(message));
    }
    return { violations };
  } catch (error) {
    if (error instanceof UnknownValueError) {
      return { violations, warning: error.message };
    }
    throw error;
  }
}

// The library has no types for these two.
const library = require("@pulumi/policy") as {
  unknownCheckingProxy<T extends object>(props: T): T;
  UnknownValueError: new (...args: never[]) => Error;
};
