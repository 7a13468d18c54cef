import { z } from "zod";

/** The mode of a feature that a platform does not have. */
export const off = z.strictObject({ mode: z.literal("off").describe("Do without it") });

/** The settings of a feature in mode `install`. */
export type Install<Config extends { mode: string }> = Omit<
  Extract<Config, { mode: "install" }>,
  "mode"
>;

/** The settings of a feature that a platform installs; undefined in every other mode. */
export function installed<Config extends { mode: string }>(
  config: Config,
): Install<Config> | undefined {
  const { mode, ...settings } = config;
  return mode === "install" ? (settings as unknown as Install<Config>) : undefined;
}
