import type { Exemption } from "../config/schema";

/**
 * An exemption that is part of the pack. It applies in every stack, to what one component of the platform
 * makes, and so to nobody who only picks the same name. It has no expiry date, because all stacks would
 * fail on that day.
 */
export type BuiltInExemption = Required<
  Pick<Exemption, "component" | "object" | "rules" | "reason">
>;
