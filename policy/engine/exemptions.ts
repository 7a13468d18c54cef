import type { Exemption } from "../config/schema";
import { matches } from "../model/pattern";
import type { Finding } from "./evaluate";

/** The exemptions of one run, and which of them were of use. */
export class Exemptions {
  private readonly used = new Set<Exemption>();

  /**
   * @param platform those of the platform's own parts, which a stack need not have
   * @param own those of the stack
   * @param today as YYYY-MM-DD
   */
  constructor(
    private readonly platform: readonly Exemption[],
    private readonly own: readonly Exemption[],
    private readonly today: string,
  ) {}

  /** Whether a finding is lifted, by an exemption that has not expired. */
  covers(finding: Finding): boolean {
    const lifting = [...this.own, ...this.platform].filter(
      (exemption) =>
        !this.isExpired(exemption) &&
        exemption.rules.includes(finding.rule.name) &&
        names(finding).some((name) => matches(name, exemption.object)),
    );
    for (const exemption of lifting) {
      this.used.add(exemption);
    }
    return lifting.length > 0;
  }

  /** What is wrong with the exemptions themselves: expired ones lift nothing any more. */
  expired(): string[] {
    return [...this.own, ...this.platform]
      .filter((exemption) => this.isExpired(exemption))
      .map(
        ({ object, expires, owner }) =>
          `exemption: the one of ${object} expired on ${expires}. Its owner, ${owner}, removes or renews it.`,
      );
  }

  /** Exemptions of the stack that lifted nothing; meaningful once the whole stack is judged. */
  unused(): string[] {
    return this.own
      .filter((exemption) => !this.used.has(exemption) && !this.isExpired(exemption))
      .map(
        ({ object, owner }) =>
          `exemption: the one of ${object} lifts nothing. Its owner, ${owner}, removes it.`,
      );
  }

  private isExpired({ expires }: Exemption): boolean {
    return expires < this.today;
  }
}

/** What a pattern may call the subject of a finding: by the object's name, or the resource's. */
function names({ object, resource }: Finding): string[] {
  if (object === undefined) {
    return [`${resource.type.split(":").at(-1)}//${resource.name}`];
  }
  const namespace = known(() => object.value.metadata?.namespace) ?? "";
  const name = known(() => object.value.metadata?.name) ?? resource.name;
  return [name, resource.name].map((each) => `${object.kind}/${namespace}/${each}`);
}

/** A field that may not be known yet: then no pattern matches it. */
function known(read: () => string | null | undefined): string | undefined {
  try {
    return read() ?? undefined;
  } catch {
    return undefined;
  }
}
