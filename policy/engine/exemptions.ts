import type { Exemption } from "../config/schema";
import type { BuiltInExemption } from "../exemptions/built-in";
import { matches } from "../model/pattern";
import { ancestorTypes } from "../model/resource";
import type { Finding } from "./evaluate";

/** One rule of one of the stack's exemptions: each rule is either used or not. */
interface OwnRule {
  readonly exemption: Exemption;
  readonly rule: string;
}

/** The exemptions of one run, and which of the stack's exemptions were used. */
export class Exemptions {
  private readonly own: readonly OwnRule[];
  private readonly expiredOwn: readonly Exemption[];
  private readonly used = new Set<OwnRule>();

  /**
   * @param builtIn exemptions of the platform's components, which need not be in the stack
   * @param own exemptions of the stack
   * @param today as YYYY-MM-DD
   */
  constructor(
    private readonly builtIn: readonly BuiltInExemption[],
    own: readonly Exemption[],
    today: string,
  ) {
    this.expiredOwn = own.filter(({ expires }) => expires < today);
    this.own = own
      .filter(({ expires }) => expires >= today)
      .flatMap((exemption) => exemption.rules.map((rule) => ({ exemption, rule })));
  }

  /** Whether an exemption that has not expired applies to a finding. */
  covers(finding: Finding): boolean {
    const rule = finding.rule.name;
    const using = this.own.filter((one) => one.rule === rule && appliesTo(one.exemption, finding));
    for (const one of using) {
      this.used.add(one);
    }
    return (
      using.length > 0 ||
      this.builtIn.some((one) => one.rules.includes(rule) && appliesTo(one, finding))
    );
  }

  /** Messages about the stack's exemptions that have expired: they no longer apply. */
  expired(): string[] {
    return this.expiredOwn.map(
      ({ object, expires, owner }) =>
        `exemption: the exemption of ${object} expired on ${expires}. Its owner, ${owner}, must remove or renew it.`,
    );
  }

  /** Messages about rules of the stack's exemptions that are not used. Call it after the whole stack is evaluated. */
  unused(): string[] {
    return this.own
      .filter((one) => !this.used.has(one))
      .map(
        ({ exemption: { object, owner }, rule }) =>
          `exemption: the exemption of ${object} from ${rule} is not used. Its owner, ${owner}, must remove it.`,
      );
  }
}

/** Whether an exemption names the object or resource of a finding, and a component above it. */
function appliesTo(
  { object: pattern, component }: Exemption | BuiltInExemption,
  { object, resource }: Finding,
): boolean {
  if (component !== undefined && !ancestorTypes(resource).includes(component)) {
    return false;
  }
  if (object === undefined) {
    return matches(`${resource.type.split(":").at(-1)}//${resource.name}`, pattern);
  }
  const namespace = known(() => object.value.metadata?.namespace) ?? "";
  const name = known(() => object.value.metadata?.name) ?? resource.name;
  return [name, resource.name].some((each) =>
    matches(`${object.kind}/${namespace}/${each}`, pattern),
  );
}

/** The value of a field, or undefined if it is not known before the update: then no pattern matches it. */
function known(read: () => string | null | undefined): string | undefined {
  try {
    return read() ?? undefined;
  } catch {
    return undefined;
  }
}
