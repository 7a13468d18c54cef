import { join } from "node:path";
import { loadConfig } from "../config/load";
import type { Config } from "../config/schema";
import { BUILT_IN_EXEMPTIONS } from "../exemptions/list";
import type { Resource } from "../model/resource";
import { type Stack, stackOf } from "../model/stack";
import type { Level, Rule } from "../rules/rule";
import { evaluate, evaluateStack, type Report } from "./evaluate";
import { Exemptions } from "./exemptions";
import { type Case, caseOf } from "./subjects";

/** Policies that a rule of a pack and a level is part of, and at what scope. */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly level: Level;
  readonly has: (rule: Rule) => boolean;
}

const FOLDER = join(__dirname, "..", "stacks");

/** What the pack remembers of one preview or update of one stack. */
export class Run {
  private readonly config: Config;
  private readonly exemptions: Exemptions;
  private readonly cases = new Map<string, Case>();
  private readonly grouped = new Map<Group, readonly Rule[]>();
  private stack: Stack | undefined;
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
    this.exemptions = new Exemptions(BUILT_IN_EXEMPTIONS, this.config.exemptions, today);
  }

  /** Takes up a resource, to be judged by one group after the other. */
  open(resource: Resource): void {
    this.cases.set(resource.urn, caseOf(resource));
  }

  /** Judges a resource that was taken up by the rules of a group. */
  async judge(group: Group, urn: string): Promise<Report> {
    this.ran.add(group.name);
    const subject = this.cases.get(urn);
    if (subject === undefined) {
      throw new Error(`${urn} was not taken up`);
    }
    return this.exempt(await evaluate(this.rulesOf(group), subject, this.config));
  }

  /**
   * Takes up the stack, to be judged by one group after the other. Where a resource was judged before,
   * the same inputs are judged: in the outputs that come with the stack, the API server has filled in
   * defaults that nobody wrote.
   */
  openStack(resources: readonly Resource[]): void {
    this.stack = stackOf(resources.map((one) => this.cases.get(one.urn)?.resource ?? one));
  }

  /** Judges the stack that was taken up by the rules of a group. */
  judgeStack(group: Group): Report {
    this.ran.add(group.name);
    if (this.stack === undefined) {
      throw new Error("the stack was not taken up");
    }
    return this.exempt(evaluateStack(this.rulesOf(group), this.stack, this.config));
  }

  /** What is wrong with the exemptions, once the whole stack is judged. */
  exemptionProblems(level: Level): string[] {
    return level === "mandatory" ? this.exemptions.expired() : this.exemptions.unused();
  }

  /** Groups that should have judged by now and did not: the command line switched them off. */
  missing(groups: readonly Group[]): string[] {
    return groups.map(({ name }) => name).filter((name) => !this.ran.has(name));
  }

  private rulesOf(group: Group): readonly Rule[] {
    let rules = this.grouped.get(group);
    if (rules === undefined) {
      const levelOf = ({ name, level }: Rule) => this.config.levels[name] ?? level;
      rules = this.rules.filter((rule) => group.has(rule) && levelOf(rule) === group.level);
      this.grouped.set(group, rules);
    }
    return rules;
  }

  private exempt({ findings, unknown }: Report): Report {
    return { findings: findings.filter((one) => !this.exemptions.covers(one)), unknown };
  }
}
