import { resolve } from "node:path";

/** The folder of the program, to which its relative paths refer; the pack is in a subfolder. */
export const PROJECT = resolve(__dirname, "..", "..");
