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
 * The Pulumi policies: one for the rules of a pack and a level, and not one for each rule, because the
 * server of `@pulumi/policy` decodes a resource anew for every policy (0.1 ms for a Deployment).
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
    description: "What the platform asks of every resource.",
    level: "mandatory",
    has: ofPack("platform"),
  },
  {
    name: "platform-advice",
    description: "What the platform advises.",
    level: "advisory",
    has: ofPack("platform"),
  },
];

export const STACK_GROUPS: readonly Group[] = [
  {
    name: "stack",
    description: "What the platform asks of a stack as a whole.",
    level: "mandatory",
    has: ofStack,
  },
  {
    name: "stack-advice",
    description: "What the platform advises for a stack as a whole.",
    level: "advisory",
    has: ofStack,
  },
];

/** Finds the run of the stack that a URN belongs to. */
type Runs = (urn: string) => Run;

/** The policies of the pack. One process of it serves one preview or update. */
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
      refuseSwitchedOff(run, RESOURCE_GROUPS.slice(0, index));
      // The server runs the policies one after the other, with copies of the same resource.
      if (index === 0) {
        run.open(resourceOf(args));
      }
      const { findings, unknown } = await run.judge(group, args.urn);
      for (const { message } of findings) {
        reportViolation(message);
      }
      warnOfUnknown(unknown);
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
      refuseSwitchedOff(run, [...RESOURCE_GROUPS, ...STACK_GROUPS.slice(0, index)]);
      if (index === 0) {
        run.openStack(args.resources.map(resourceOf));
      }
      const { findings, unknown } = run.judgeStack(group);
      for (const { message, resource } of findings) {
        reportViolation(message, resource.urn);
      }
      for (const message of run.exemptionProblems(group.level)) {
        reportViolation(message);
      }
      warnOfUnknown(unknown);
    },
  };
}

/**
 * Stops a run in which the command line took a mandatory policy out (`--policy-pack-config`), where one that
 * comes later still runs. It cannot see one that was made advisory there, nor that the last ones are
 * missing: that flag is as much a decision as leaving the pack out.
 */
function refuseSwitchedOff(run: Run, groups: readonly Group[]): void {
  const missing = run.missing(groups.filter(({ level }) => level === "mandatory"));
  if (missing.length > 0) {
    const error = new Error(
      `The policies ${missing.join(", ")} are mandatory and were switched off; remove them from --policy-pack-config`,
    );
    error.stack = error.message;
    throw error;
  }
}

/** The resource without the proxies of `@pulumi/policy`, which give up a whole policy at one unknown field. */
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

/** The only way to say something advisory in a mandatory policy: the server turns this error into a warning. */
function warnOfUnknown(unknown: readonly string[]): void {
  if (unknown.length > 0) {
    const Unknown: new (placeholder: string, path: string[]) => Error = UnknownValueError;
    const error = new Unknown("04da6b54-80e4-46f7-96ec-b56ff0331ba9", []);
    error.message = `${unknown.join("; ")}: not known before the update, which will judge it`;
    throw error;
  }
}
