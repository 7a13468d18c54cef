import { join } from "node:path";
import { loadConfig } from "../config/load";
import type { Config } from "../config/schema";
import { PLATFORM_EXEMPTIONS } from "../exemptions";
import type { Resource } from "../model/resource";
import { type Stack, stackOf } from "../model/stack";
import type { Level, Rule } from "../rules/rule";
import { evaluate, evaluateStack, type Report } from "./evaluate";
import { Exemptions } from "./exemptions";

/** Policies that a rule of a pack and a level is part of, and at what scope. */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly level: Level;
  readonly has: (rule: Rule) => boolean;
}

const FOLDER = join(__dirname, "..", "stacks");

/** What the pack remembers of one preview or update of one stack. */
export class Session {
  private readonly config: Config;
  private readonly exemptions: Exemptions;
  private readonly inputs = new Map<string, Resource>();
  private readonly ran = new Set<string>();

  /** @throws ConfigError */
  constructor(
    stack: string,
    private readonly rules: readonly Rule[],
    load: typeof loadConfig = loadConfig,
    now: Date = new Date(),
  ) {
    this.config = load(stack, rules, FOLDER);
    const today = now.toISOString().slice(0, 10);
    this.exemptions = new Exemptions(PLATFORM_EXEMPTIONS, this.config.exemptions, today);
  }

  /** Judges one resource by the rules of a group. */
  async judge(group: Group, resource: Resource): Promise<Report> {
    this.ran.add(group.name);
    this.inputs.set(resource.urn, resource);
    return this.exempt(await evaluate(this.rulesOf(group), resource, this.config));
  }

  /**
   * Judges the stack. Where a resource was judged before, it is judged by the same inputs: in the
   * outputs that come with the stack, the API server has filled in defaults that nobody wrote.
   */
  async judgeStack(group: Group, resources: readonly Resource[]): Promise<Report> {
    this.ran.add(group.name);
    const stack: Stack = stackOf(resources.map((one) => this.inputs.get(one.urn) ?? one));
    return this.exempt(await evaluateStack(this.rulesOf(group), stack, this.config));
  }

  /** What is wrong with the exemptions, once the whole stack is judged. */
  exemptionProblems(level: Level): string[] {
    return level === "mandatory" ? this.exemptions.expired() : this.exemptions.unused();
  }

  /** Groups that should have judged by now and did not: the command line switched them off. */
  missing(groups: readonly Group[]): string[] {
    return groups.map(({ name }) => name).filter((name) => !this.ran.has(name));
  }

  private rulesOf(group: Group): Rule[] {
    return this.rules.filter(
      (rule) => group.has(rule) && (this.config.levels[rule.name] ?? rule.level) === group.level,
    );
  }

  private exempt({ findings, unknown }: Report): Report {
    return { findings: findings.filter((one) => !this.exemptions.covers(one)), unknown };
  }
}
