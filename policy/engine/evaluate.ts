import type { Config } from "../config/schema";
import { type Container, containersOf, type Pod, podsOf, ROLES } from "../model/pods";
import { join, type KubernetesObject, objectsOf, type Resource } from "../model/resource";
import type { Stack } from "../model/stack";
import { UnknownValue } from "../model/unknown";
import type { Rule, Verdict } from "../rules/rule";

/** Something wrong with one resource. */
export interface Finding {
  readonly rule: Rule;
  readonly resource: Resource;
  /** The object that it is about; none for a resource that is no Kubernetes object. */
  readonly object?: KubernetesObject;
  readonly message: string;
}

/** All that the rules say. */
export interface Report {
  readonly findings: Finding[];
  /** Rules that could not be judged, each with the field that is not known before the update. */
  readonly unknown: string[];
}

/**
 * Judges a resource by each rule at each of its scopes. A rule that throws is a finding of its own:
 * it neither passes nor keeps the others from being judged.
 */
export async function evaluate(
  rules: readonly Rule[],
  resource: Resource,
  config: Config,
): Promise<Report> {
  const report: Report = { findings: [], unknown: [] };
  const objects = objectsOf(resource);
  for (const rule of rules) {
    const judge = judgeWith(rule, resource, report);
    if (rule.resource) {
      await judge("", undefined, () => rule.resource?.(resource, config));
    }
    for (const object of objects) {
      if (rule.object) {
        await judge(object.path, object, () => rule.object?.(object, config));
      }
      // A patch holds a part of a pod: what is missing from it says nothing.
      if (!object.patch || rule.pack === "baseline") {
        await judgePods(rule, podsOf(object), config, judge);
      }
    }
  }
  return report;
}

/** Judges a whole stack by the rules that one object is not enough for. */
export async function evaluateStack(
  rules: readonly Rule[],
  stack: Stack,
  config: Config,
): Promise<Report> {
  const report: Report = { findings: [], unknown: [] };
  for (const rule of rules.filter(({ inStack }) => inStack !== undefined)) {
    for (const object of stack.objects) {
      const judge = judgeWith(rule, object.resource, report);
      await judge(object.path, object, () => rule.inStack?.(object, stack, config));
    }
  }
  return report;
}

type Check = () => Verdict | Promise<Verdict>;
type Judge = (path: string, object: KubernetesObject | undefined, check: Check) => Promise<void>;

function judgeWith(rule: Rule, resource: Resource, report: Report): Judge {
  return async (path, object, check) => {
    try {
      const verdict = check();
      for (const problem of [(verdict instanceof Promise ? await verdict : verdict) ?? []].flat()) {
        report.findings.push({ rule, resource, object, message: sentence(rule, path, problem) });
      }
    } catch (error) {
      if (error instanceof UnknownValue) {
        report.unknown.push(`${rule.name} needs ${error.path} of ${error.owner}`);
      } else {
        report.findings.push({ rule, resource, object, message: failure(rule, path, error) });
      }
    }
  };
}

async function judgePods(rule: Rule, pods: readonly Pod[], config: Config, judge: Judge) {
  for (const pod of pods) {
    if (rule.pod) {
      await judge(pod.path, pod.object, () => rule.pod?.(pod, config));
    }
    if (rule.container) {
      await judgeContainers(rule, pod, config, judge);
    }
  }
}

async function judgeContainers(rule: Rule, pod: Pod, config: Config, judge: Judge) {
  for (const role of ROLES) {
    let containers: Container[] = [];
    await judge(pod.path, pod.object, () => {
      containers = containersOf(pod, role);
      return undefined;
    });
    for (const container of containers) {
      await judge(container.path, pod.object, () => rule.container?.(container, config));
    }
  }
}

function sentence(rule: Rule, path: string, problem: string): string {
  const source = rule.url === undefined ? "" : ` (${rule.url})`;
  return `${rule.name}: ${join(path, problem)}. ${rule.remedy}${source}`;
}

/** Says where a rule broke, without the error's own text, which may quote a secret. */
function failure(rule: Rule, path: string, error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  const where = path === "" ? "the resource" : path;
  return `${rule.name}: could not judge ${where} (${kind}). Give its fields the types of the Kubernetes API.`;
}
