import { join } from "node:path";

/** The folder of the program. */
export const ROOT = join(__dirname, "..", "..");
