import { renameSync, writeFileSync } from "node:fs";

/** Writes a file anew: whoever reads it, also after a kill, finds the old text or the new one. */
export function replaceFile(file: string, text: string): void {
  const unfinished = `${file}.new`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, file);
}
