import type { Exemption } from "../config/schema";

/**
 * An exemption that is part of the pack. It applies in every stack to objects below one component of the
 * platform, so that an object of another component with the same name is not exempt. It has no expiry date,
 * because all stacks would fail on that day.
 */
export type BuiltInExemption = Required<
  Pick<Exemption, "component" | "object" | "rules" | "reason">
>;
