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

/** A Pulumi policy: the rules of a pack and a level. */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly level: Level;
  readonly has: (rule: Rule) => boolean;
}

const FOLDER = join(__dirname, "..", "stacks");

/** The state of the pack in one preview or update of one stack. */
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

  /** Adds a resource, before it is evaluated by one group after the other. */
  add(resource: Resource): void {
    this.cases.set(resource.urn, caseOf(resource));
  }

  /** Evaluates the rules of a group for a resource that was added. */
  async evaluate(group: Group, urn: string): Promise<Report> {
    this.ran.add(group.name);
    const subject = this.cases.get(urn);
    if (subject === undefined) {
      throw new Error(`${urn} was not added`);
    }
    return this.exempt(await evaluate(this.rulesOf(group), subject, this.config));
  }

  /**
   * Adds the stack, before it is evaluated by one group after the other. For a resource that was evaluated
   * before, the same inputs are used: the outputs that come with the stack contain defaults of the API
   * server.
   */
  addStack(resources: readonly Resource[]): void {
    this.stack = stackOf(resources.map((one) => this.cases.get(one.urn)?.resource ?? one));
  }

  /** Evaluates the rules of a group for the stack that was added. */
  evaluateStack(group: Group): Report {
    this.ran.add(group.name);
    if (this.stack === undefined) {
      throw new Error("the stack was not added");
    }
    return this.exempt(evaluateStack(this.rulesOf(group), this.stack, this.config));
  }

  /** Problems of the exemptions, after the whole stack was evaluated. */
  exemptionProblems(level: Level): string[] {
    return level === "mandatory" ? this.exemptions.expired() : this.exemptions.unused();
  }

  /** Groups that should have been evaluated by now and were not, as the command line has disabled them. */
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
