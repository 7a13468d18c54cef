import { toolbox } from "../../toolchain";
import { pins, type ToolName } from "./pins";

export { ensureDebianPackages } from "./debian";
export type { ToolName } from "./pins";

/** The programs that a lab runs, and those in its images. */
export const labTools = toolbox<ToolName>(pins);
