import { setMaxListeners } from "node:events";
import { step } from "./terminal";

/** What asks a command to end: Ctrl-C, a pipeline that is cancelled, a terminal that is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Aborted by the first signal that asks the process to end, with that signal as its reason. Later ones end nothing: by then
 * the command puts things back, which must not be cut short.
 * @param meanwhile what a later signal is answered with
 */
export function interruption(meanwhile: string): AbortSignal {
  const interrupted = new AbortController();
  // Each update is one more that listens.
  setMaxListeners(0, interrupted.signal);
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (interrupted.signal.aborted) step(`${name}: ${meanwhile}`);
      else interrupted.abort(new Error(`${name} was received`));
    });
  }
  // A terminal that has gone takes no more words, which is no reason to stop.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
  return interrupted.signal;
}
