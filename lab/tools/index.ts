import { toolbox } from "../../toolchain";
import { pins, type ToolName } from "./pins";

export { ensureDebianPackages } from "./debian";
export type { ToolName } from "./pins";

/** What a lab runs, and what its images hold. */
export const labTools = toolbox<ToolName>(pins);
