import { resolve } from "node:path";

/** The program's folder, where its relative paths begin: the pack is in a folder of it. */
export const PROJECT = resolve(__dirname, "..", "..");
