import type { Exemption } from "../config/schema";
import { matches } from "../model/pattern";
import { componentOf } from "../model/resource";
import type { Finding } from "./evaluate";

/** One rule of one exemption: what lifts a finding, and is of use or not. */
interface Lift {
  readonly exemption: Exemption;
  readonly rule: string;
}

const liftsOf = (exemption: Exemption): Lift[] =>
  exemption.rules.map((rule) => ({ exemption, rule }));

/** The exemptions of one run, and which of them were of use. */
export class Exemptions {
  private readonly platform: readonly Lift[];
  private readonly own: readonly Lift[];
  private readonly used = new Set<Lift>();

  /**
   * @param platform those of the platform's own parts, which a stack need not have
   * @param own those of the stack
   * @param today as YYYY-MM-DD
   */
  constructor(
    platform: readonly Exemption[],
    own: readonly Exemption[],
    private readonly today: string,
  ) {
    this.platform = platform.flatMap(liftsOf);
    this.own = own.flatMap(liftsOf);
  }

  /** Whether a finding is lifted, by an exemption that has not expired. */
  covers(finding: Finding): boolean {
    const lifting = [...this.own, ...this.platform].filter(
      ({ exemption, rule }) =>
        rule === finding.rule.name && !this.isExpired(exemption) && names(exemption, finding),
    );
    for (const lift of lifting) {
      this.used.add(lift);
    }
    return lifting.length > 0;
  }

  /** What is wrong with the exemptions themselves: expired ones lift nothing any more. */
  expired(): string[] {
    const expired = [...this.own, ...this.platform]
      .map(({ exemption }) => exemption)
      .filter((exemption) => this.isExpired(exemption));
    return [...new Set(expired)].map(
      ({ object, expires, owner }) =>
        `exemption: the one of ${object} expired on ${expires}. Its owner, ${owner}, removes or renews it.`,
    );
  }

  /** Rules of the stack's exemptions that lifted nothing; meaningful once the whole stack is judged. */
  unused(): string[] {
    return this.own
      .filter((lift) => !this.used.has(lift) && !this.isExpired(lift.exemption))
      .map(
        ({ exemption: { object, owner }, rule }) =>
          `exemption: the one of ${object} from ${rule} lifts nothing. Its owner, ${owner}, removes it.`,
      );
  }

  private isExpired({ expires }: Exemption): boolean {
    return expires < this.today;
  }
}

/** Whether an exemption is for the subject of a finding, by the object's name or the resource's. */
function names({ object: pattern, component }: Exemption, { object, resource }: Finding): boolean {
  if (component !== undefined && component !== componentOf(resource)) {
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

/** A field that may not be known yet: then no pattern matches it. */
function known(read: () => string | null | undefined): string | undefined {
  try {
    return read() ?? undefined;
  } catch {
    return undefined;
  }
}
