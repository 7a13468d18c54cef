export { cacheRoot, duration, type Report, withLock } from "./cache";
export { ToolError } from "./error";
export { go } from "./go-command";
export { which } from "./on-path";
export type { GoModule, GoPin, Pin, Range } from "./pin";
export { type Toolbox, toolbox } from "./toolbox";
