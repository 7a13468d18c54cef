import type { Report } from "../../toolchain";
import { type Entry, PART, type Progress } from "./transfer";

/** Milliseconds between lines of progress. */
const INTERVAL = 2000;

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** A number of bytes in its usual unit. */
export function bytes(count: number): string {
  const unit = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), UNITS.length - 1);
  return `${(count / 1000 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}

/** Reports how far a copy is, every few seconds. */
export function progressOf(report: Report, interval = INTERVAL): Progress {
  let last: { time: number; copied: number } | undefined;
  return (copied, size) => {
    const now = Date.now();
    last ??= { time: now, copied };
    const elapsed = now - last.time;
    if (elapsed >= interval && copied < size) {
      const rate = ((copied - last.copied) / elapsed) * 1000;
      const share = Math.floor((copied / size) * 100);
      report(`${bytes(copied)} of ${bytes(size)} (${share} %), ${bytes(rate)}/s`);
      last = { time: now, copied };
    }
  };
}

/** One line for each file and folder: size, time of change and name. */
export function listing(entries: readonly Entry[]): string[] {
  return entries.map(({ name, size, modified }) => {
    const changed = new Date(modified * 1000).toISOString().slice(0, 16).replace("T", " ");
    const note = name.endsWith(PART) ? "  (incomplete)" : "";
    return `${(name.endsWith("/") ? "" : bytes(size)).padStart(9)}  ${changed}  ${name}${note}`;
  });
}
