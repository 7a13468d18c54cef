import { renameSync, writeFileSync } from "node:fs";

/** Replaces a file atomically: a reader finds the old text or the new one, also after a kill. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.new`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}
