import type { Config } from "../../../policy/config/schema";
import { configSchema } from "../../../policy/config/schema";
import { evaluate, evaluateStack } from "../../../policy/engine/evaluate";
import { caseOf } from "../../../policy/engine/subjects";
import type { KubernetesValue } from "../../../policy/model/kubernetes";
import type { Resource } from "../../../policy/model/resource";
import { stackOf } from "../../../policy/model/stack";
import { prepare } from "../../../policy/model/unknown";
import type { Rule } from "../../../policy/rules/rule";
import { resourceOf } from "../harness";

/** New values by path, such as `[1].spec.replicas`; undefined removes the field. */
export type Changes = Readonly<Record<string, unknown>>;

/** The test cases of one rule. */
export interface RuleCases {
  /** Objects without violations of the rule. */
  readonly good: readonly KubernetesValue[];
  /** Options of their resources. */
  readonly options?: Partial<Resource>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Changes that cause no violation. */
  readonly passes?: Readonly<Record<string, Changes>>;
  /** Changes, and exactly the violations that they cause. */
  readonly fails: Readonly<Record<string, readonly [Changes, ...string[]]>>;
  /** Options of the resource that cause a violation, for rules that only check options. */
  readonly failsWith?: readonly [Partial<Resource>, ...string[]];
}

/** The objects with some of their fields changed. */
export function changed(values: readonly KubernetesValue[], changes: Changes): KubernetesValue[] {
  // Not structuredClone, which would keep shared references.
  const copy = JSON.parse(JSON.stringify(values)) as KubernetesValue[];
  for (const [place, value] of Object.entries(changes)) {
    const keys = [...place.matchAll(/\[([^\]]+)\]|([^.[\]]+)/g)].map(([, a, b]) => a ?? b ?? "");
    const last = keys.pop() ?? "";
    const parent = keys.reduce<Record<string, unknown>>(
      (node, key) => {
        node[key] ??= {};
        return node[key] as Record<string, unknown>;
      },
      copy as unknown as Record<string, unknown>,
    );
    parent[last] = value;
    if (value === undefined) {
      delete parent[last];
    }
  }
  return copy.filter(Boolean);
}

/** The result of rules for objects, as resources and as a stack: violations, messages and unknown fields. */
export async function said(
  rules: readonly Rule[],
  values: readonly KubernetesValue[],
  options: Partial<Resource> = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<{ problems: string[]; messages: string[]; unknown: string[] }> {
  const config: Config = configSchema.parse(settings);
  const resources = values.map((value) => resourceOf(value, options));
  resources.forEach((resource) => {
    prepare(resource.props, resource.name);
  });
  const reports = await Promise.all(
    resources.map((resource) => evaluate(rules, caseOf(resource), config)),
  );
  reports.push(evaluateStack(rules, stackOf(resources), config));
  const findings = reports.flatMap((report) => report.findings);
  return {
    problems: findings.map(({ message, rule }) => problemIn(message, rule)),
    messages: findings.map(({ message }) => message),
    unknown: reports.flatMap((report) => report.unknown),
  };
}

function problemIn(message: string, rule: Rule): string {
  const end = message.indexOf(`. ${rule.remedy}`);
  return end < 0 ? message : message.slice(`${rule.name}: `.length, end);
}
