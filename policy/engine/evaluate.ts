import type { Config } from "../config/schema";
import { join, type KubernetesObject, type Resource } from "../model/resource";
import type { Stack } from "../model/stack";
import { isWithin, UnknownValue } from "../model/unknown";
import type { Rule, Verdict } from "../rules/rule";
import type { Case, Subject } from "./subjects";

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
  { resource, subjects }: Case,
  config: Config,
): Promise<Report> {
  const report: Report = { findings: [], unknown: [] };
  const waiting: Promise<void>[] = [];
  for (const subject of subjects) {
    for (const rule of rules) {
      if (rule[subject.scope] !== undefined) {
        const pending = judge(rule, resource, subject, () => subject.check(rule, config), report);
        if (pending) {
          waiting.push(pending);
        }
      }
    }
  }
  await Promise.all(waiting);
  return report;
}

/** Judges a whole stack by the rules that one object is not enough for. */
export function evaluateStack(rules: readonly Rule[], stack: Stack, config: Config): Report {
  const report: Report = { findings: [], unknown: [] };
  for (const rule of rules.filter(({ inStack }) => inStack !== undefined)) {
    for (const object of stack.objects) {
      const check = () => rule.inStack?.(object, stack, config);
      judge(rule, object.resource, { path: object.path, object }, check, report);
    }
  }
  return report;
}

/** Asks a rule about a subject. Most answer at once: only the others are worth a promise. */
function judge(
  rule: Rule,
  resource: Resource,
  { path, object }: Pick<Subject, "path" | "object">,
  check: () => Verdict | Promise<Verdict>,
  report: Report,
): Promise<void> | undefined {
  const take = (verdict: Verdict) => {
    for (const problem of typeof verdict === "string" ? [verdict] : (verdict ?? [])) {
      report.findings.push({ rule, resource, object, message: sentence(rule, path, problem) });
    }
  };
  const fail = (error: unknown) => {
    if (error instanceof UnknownValue) {
      // Of a subject of which nothing is known, one word is enough for all rules.
      const who = path !== "" && isWithin(path, error.path) ? "every rule" : rule.name;
      const need = `${who} needs ${error.path} of ${error.owner}`;
      if (!report.unknown.includes(need)) {
        report.unknown.push(need);
      }
    } else {
      report.findings.push({ rule, resource, object, message: failure(rule, path, error) });
    }
  };
  try {
    const verdict = check();
    if (verdict instanceof Promise) {
      return verdict.then(take, fail);
    }
    take(verdict);
  } catch (error) {
    fail(error);
  }
  return undefined;
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
