/** A line of output with its time. */
export interface TimedLine {
  /** Milliseconds after the start. */
  readonly at: number;
  readonly text: string;
}

/** A step with a duration in its line. */
export interface Step {
  readonly name: string;
  readonly took: string;
  /** Milliseconds after the start at which it was completed. */
  readonly ended: number;
}

const STEP =
  /^(?:▸ )?(.+?):? (?:built |assembled |pushed |installed |started )?(?:in )?((?:\d+ min )?[\d.]+ s)(?: \(.*\))?$/;

/** The steps in the lines of a command: lines that end with a duration, such as `etcd: started in 0.8 s`. */
export function stepsOf(lines: readonly TimedLine[]): Step[] {
  return lines.flatMap(({ at, text }) => {
    const [, name, took] = STEP.exec(text) ?? [];
    return name && took ? [{ name: name.replace(/:$/, ""), took, ended: at }] : [];
  });
}
