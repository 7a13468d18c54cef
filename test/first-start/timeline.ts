/** A line that a command printed, and when. */
export interface TimedLine {
  /** Milliseconds after the start. */
  at: number;
  text: string;
}

/** A step whose line says how long it took. */
export interface Step {
  name: string;
  took: string;
  /** Milliseconds after the start at which it had ended. */
  ended: number;
}

const STEP =
  /^(?:▸ )?(.+?):? (?:built |assembled |pushed |installed |started )?(?:in )?((?:\d+ min )?[\d.]+ s)(?: \(.*\))?$/;

/** The steps among a command's lines: those that end with a duration, as `etcd: started in 0.8 s`. */
export function stepsOf(lines: readonly TimedLine[]): Step[] {
  return lines.flatMap(({ at, text }) => {
    const [, name, took] = STEP.exec(text) ?? [];
    return name && took ? [{ name: name.replace(/:$/, ""), took, ended: at }] : [];
  });
}
