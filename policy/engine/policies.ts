import {
  type Policies,
  type PolicyResource,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  UnknownValueError,
} from "@pulumi/policy";
import type { Resource } from "../model/resource";
import { prepare } from "../model/unknown";
import type { Pack, Rule } from "../rules/rule";
import { type Group, Run } from "./run";

const ofPack = (pack: Pack) => (rule: Rule) => rule.pack === pack;
const ofStack = (rule: Rule) => rule.inStack !== undefined;

/**
 * The Pulumi policies: one for all rules of a pack and a level, and not one per rule, because the
 * server of `@pulumi/policy` decodes a resource for every policy (0.1 ms for a Deployment).
 */
export const RESOURCE_GROUPS: readonly Group[] = [
  {
    name: "baseline",
    description: "Pod Security Standard: baseline.",
    level: "mandatory",
    has: ofPack("baseline"),
  },
  {
    name: "restricted",
    description: "Pod Security Standard: restricted.",
    level: "mandatory",
    has: ofPack("restricted"),
  },
  {
    name: "platform",
    description: "Rules of the platform for every resource.",
    level: "mandatory",
    has: ofPack("platform"),
  },
  {
    name: "platform-advice",
    description: "Recommendations of the platform.",
    level: "advisory",
    has: ofPack("platform"),
  },
];

export const STACK_GROUPS: readonly Group[] = [
  {
    name: "stack",
    description: "Rules of the platform for the whole stack.",
    level: "mandatory",
    has: ofStack,
  },
  {
    name: "stack-advice",
    description: "Recommendations of the platform for the whole stack.",
    level: "advisory",
    has: ofStack,
  },
];

/** Returns the run of the stack in a URN. */
type Runs = (urn: string) => Run;

/** The policies of the pack. A process serves one preview or update. */
export function policiesOf(
  rules: readonly Rule[],
  open = (stack: string) => new Run(stack, rules),
): Policies {
  let run: Run | undefined;
  const runs: Runs = (urn) => {
    run ??= open(/^urn:pulumi:([^:]+)::/.exec(urn)?.[1] ?? "");
    return run;
  };
  return [
    ...RESOURCE_GROUPS.map((group, index) => resourcePolicy(group, runs, index)),
    ...STACK_GROUPS.map((group, index) => stackPolicy(group, runs, index)),
  ];
}

function resourcePolicy(group: Group, runs: Runs, index: number): ResourceValidationPolicy {
  return {
    name: group.name,
    description: group.description,
    enforcementLevel: group.level,
    async validateResource(args, reportViolation) {
      const run = runs(args.urn);
      requirePolicies(run, RESOURCE_GROUPS.slice(0, index));
      // The server calls the policies one after the other, with copies of the same resource.
      if (index === 0) {
        run.add(resourceOf(args));
      }
      const { findings, unknown } = await run.evaluate(group, args.urn);
      for (const { message } of findings) {
        reportViolation(message);
      }
      reportUnknown(unknown);
    },
  };
}

function stackPolicy(group: Group, runs: Runs, index: number): StackValidationPolicy {
  return {
    name: group.name,
    description: group.description,
    enforcementLevel: group.level,
    validateStack(args, reportViolation) {
      const run = runs(args.resources[0]?.urn ?? "");
      requirePolicies(run, [...RESOURCE_GROUPS, ...STACK_GROUPS.slice(0, index)]);
      if (index === 0) {
        run.addStack(args.resources.map(resourceOf));
      }
      const { findings, unknown } = run.evaluateStack(group);
      for (const { message, resource } of findings) {
        reportViolation(message, resource.urn);
      }
      for (const message of run.exemptionProblems(group.level)) {
        reportViolation(message);
      }
      reportUnknown(unknown);
    },
  };
}

/**
 * Throws if the command line has disabled a mandatory policy (`--policy-pack-config`) and a later one still
 * runs. It cannot detect a policy that was made advisory, nor that the last policies are disabled: use of
 * that flag is like not using the pack.
 */
function requirePolicies(run: Run, groups: readonly Group[]): void {
  const missing = run.missing(groups.filter(({ level }) => level === "mandatory"));
  if (missing.length > 0) {
    const error = new Error(
      `The policies ${missing.join(", ")} are mandatory and were disabled; remove them from --policy-pack-config`,
    );
    error.stack = error.message;
    throw error;
  }
}

/** The resource without the proxies of `@pulumi/policy`, which abort a whole policy at one unknown field. */
function resourceOf({
  type,
  urn,
  name,
  props,
  opts,
}: ResourceValidationArgs | PolicyResource): Resource {
  const plain: Record<string, unknown> = props.__getSpecialProxyTarget ?? props;
  return { type, urn, name, props: prepare(plain, name), protect: opts.protect };
}

/** Reports unknown fields: the server turns this error into a warning, the only way to warn in a mandatory policy. */
function reportUnknown(unknown: readonly string[]): void {
  if (unknown.length > 0) {
    const Unknown: new (placeholder: string, path: string[]) => Error = UnknownValueError;
    const error = new Unknown("04da6b54-80e4-46f7-96ec-b56ff0331ba9", []);
    error.message = `${unknown.join("; ")}: not known before the update, which checks it`;
    throw error;
  }
}
