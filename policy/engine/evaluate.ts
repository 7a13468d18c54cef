import type { Config } from "../config/schema";
import { join, type KubernetesObject, type Resource } from "../model/resource";
import type { Stack } from "../model/stack";
import { isWithin, UnknownValue } from "../model/unknown";
import type { Rule, Violations } from "../rules/rule";
import type { Case, Subject } from "./subjects";

/** A violation of a rule by one resource. */
export interface Finding {
  readonly rule: Rule;
  readonly resource: Resource;
  /** The object with the violation; undefined for a resource that is not a Kubernetes object. */
  readonly object?: KubernetesObject;
  readonly message: string;
}

/** The result of an evaluation. */
export interface Report {
  readonly findings: Finding[];
  /** Rules that could not be evaluated, each with the field that is not known before the update. */
  readonly unknown: string[];
}

/**
 * Evaluates each rule at each of its scopes for a resource. A rule that throws is a finding: it does
 * not pass, and the other rules are still evaluated.
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
        const pending = checkRule(
          rule,
          resource,
          subject,
          () => subject.check(rule, config),
          report,
        );
        if (pending) {
          waiting.push(pending);
        }
      }
    }
  }
  await Promise.all(waiting);
  return report;
}

/** Evaluates the rules that need the whole stack. */
export function evaluateStack(rules: readonly Rule[], stack: Stack, config: Config): Report {
  const report: Report = { findings: [], unknown: [] };
  for (const rule of rules.filter(({ inStack }) => inStack !== undefined)) {
    for (const object of stack.objects) {
      const check = () => rule.inStack?.(object, stack, config);
      checkRule(rule, object.resource, { path: object.path, object }, check, report);
    }
  }
  return report;
}

/** Evaluates a rule for a subject. It returns a promise only for the few asynchronous rules. */
function checkRule(
  rule: Rule,
  resource: Resource,
  { path, object }: Pick<Subject, "path" | "object">,
  check: () => Violations | Promise<Violations>,
  report: Report,
): Promise<void> | undefined {
  const take = (violations: Violations) => {
    for (const problem of typeof violations === "string" ? [violations] : (violations ?? [])) {
      report.findings.push({ rule, resource, object, message: sentence(rule, path, problem) });
    }
  };
  const fail = (error: unknown) => {
    if (error instanceof UnknownValue) {
      // One message for all rules if nothing of a subject is known.
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
    const violations = check();
    if (violations instanceof Promise) {
      return violations.then(take, fail);
    }
    take(violations);
  } catch (error) {
    fail(error);
  }
  return undefined;
}

function sentence(rule: Rule, path: string, problem: string): string {
  const source = rule.url === undefined ? "" : ` (${rule.url})`;
  return `${rule.name}: ${join(path, problem)}. ${rule.remedy}${source}`;
}

/** Where a rule threw, without the error's message, which may quote a secret. */
function failure(rule: Rule, path: string, error: unknown): string {
  const kind = error instanceof Error ? error.name : typeof error;
  const where = path === "" ? "the resource" : path;
  return `${rule.name}: could not check ${where} (${kind}). Give its fields the types of the Kubernetes API.`;
}
