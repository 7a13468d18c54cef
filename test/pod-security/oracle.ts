import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubernetesValue, Metadata, PodSpec } from "../../policy/model/kubernetes";
import { BASELINE } from "../../policy/rules/pod-security/baseline";
import { OVERRIDDEN, RESTRICTED } from "../../policy/rules/pod-security/restricted";
import type { Rule } from "../../policy/rules/rule";
import { evaluateResource, resourceOf } from "../policy/harness";

/** Minor Kubernetes version of the standards in the rules, which is that of the lab. */
export const MINOR = 34;

export const LEVELS = ["baseline", "restricted"] as const;
export type PodSecurityLevel = (typeof LEVELS)[number];

export interface Pod extends KubernetesValue {
  readonly metadata: Metadata;
  readonly spec: PodSpec;
}

/** A pod, and the names of the admission checks that deny it at each level. */
export type Judged = { readonly pod: Pod } & Readonly<Record<PodSecurityLevel, string[]>>;

/** The rules of a level, by the names of the admission checks that they implement. */
export const RULES: Readonly<Record<PodSecurityLevel, Readonly<Record<string, Rule>>>> = {
  baseline: BASELINE,
  restricted: {
    ...Object.fromEntries(Object.entries(BASELINE).filter(([check]) => !OVERRIDDEN.has(check))),
    ...RESTRICTED,
  },
};

/** Runs the evaluator of the admission controller, in the Go program in this folder. */
export function evaluator(args: readonly string[], input?: string): Judged[] {
  const output = execFileSync("go", ["run", ".", `-minor=${MINOR}`, ...args], {
    cwd: __dirname,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    ...(input !== undefined && { input }),
    stdio: ["pipe", "pipe", "inherit"],
  });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Judged);
}

/** A pod of the admission controller's test data. */
export interface Fixture {
  readonly level: PodSecurityLevel;
  readonly verdict: "pass" | "fail";
  readonly file: string;
  readonly pod: Pod;
}

/** The admission controller's test data, from the module cache. */
export function fixtures(): Fixture[] {
  const module = execFileSync(
    "go",
    ["list", "-m", "-f={{.Dir}}", "k8s.io/pod-security-admission"],
    {
      cwd: __dirname,
      encoding: "utf8",
    },
  ).trim();
  return LEVELS.flatMap((level) =>
    (["pass", "fail"] as const).flatMap((verdict) => {
      const folder = join(module, "test", "testdata", level, `v1.${MINOR}`, verdict);
      return readdirSync(folder).map((file) => ({
        level,
        verdict,
        file,
        pod: parse(readFileSync(join(folder, file), "utf8")) as Pod,
      }));
    }),
  );
}

type WrapPod = (pod: Pod) => KubernetesValue;

const template = ({ metadata, spec }: Pod) => ({ metadata, spec });
const controller =
  (apiVersion: string, kind: string): WrapPod =>
  (pod) => ({ apiVersion, kind, metadata: { name: "lifted" }, spec: { template: template(pod) } });

/** Functions that put a pod into each built-in kind with a pod. */
export const KINDS: Readonly<Record<string, WrapPod>> = {
  Pod: (pod) => ({ apiVersion: "v1", kind: "Pod", ...template(pod) }),
  PodTemplate: (pod) => ({ apiVersion: "v1", kind: "PodTemplate", template: template(pod) }),
  ReplicationController: controller("v1", "ReplicationController"),
  ReplicaSet: controller("apps/v1", "ReplicaSet"),
  Deployment: controller("apps/v1", "Deployment"),
  StatefulSet: controller("apps/v1", "StatefulSet"),
  DaemonSet: controller("apps/v1", "DaemonSet"),
  Job: controller("batch/v1", "Job"),
  CronJob: (pod) => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    spec: { jobTemplate: { spec: { template: template(pod) } } },
  }),
};

/** The sorted names of the admission checks whose rules deny an object. */
export async function forbidding(
  level: PodSecurityLevel,
  value: KubernetesValue,
): Promise<string[]> {
  const checks = Object.entries(RULES[level]);
  const report = await evaluateResource(
    checks.map(([, rule]) => rule),
    resourceOf(value),
  );
  const broken = new Set(report.findings.map(({ rule }) => rule));
  return checks
    .filter(([, rule]) => broken.has(rule))
    .map(([check]) => check)
    .sort();
}

/** How often a rule and an admission check had the same result, and how often not. */
export interface Agreement {
  // biome-ignore lint/plugin: it is set while the object is in use.
  bothForbid: number;
  // biome-ignore lint/plugin: it is set while the object is in use.
  bothAllow: number;
  /** The rule denies what the check allows. */
  // biome-ignore lint/plugin: it is set while the object is in use.
  falsePositives: number;
  /** The rule allows what the check denies. */
  // biome-ignore lint/plugin: it is set while the object is in use.
  falseNegatives: number;
}

/** Counts the results of one object for each check of a level. */
export function count(
  tally: Map<string, Agreement>,
  level: PodSecurityLevel,
  expected: readonly string[],
  found: readonly string[],
): void {
  for (const check of Object.keys(RULES[level])) {
    const key = `${level} ${check}`;
    const agreement = tally.get(key) ?? {
      bothForbid: 0,
      bothAllow: 0,
      falsePositives: 0,
      falseNegatives: 0,
    };
    tally.set(key, agreement);
    const outcome = expected.includes(check)
      ? (["falseNegatives", "bothForbid"] as const)
      : (["bothAllow", "falsePositives"] as const);
    agreement[outcome[found.includes(check) ? 1 : 0]] += 1;
  }
}
