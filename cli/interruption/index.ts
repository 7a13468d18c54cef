import { setMaxListeners } from "node:events";
import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fail, step } from "../common/terminal";

/** What asks a command to end: Ctrl-C, a pipeline that is cancelled, a terminal that is closed, Ctrl-\. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
type Signal = (typeof SIGNALS)[number];

/** Longest wait for what was asked to end at once, in milliseconds: an engine that has heard it twice takes a second. */
const AT_ONCE = 10_000;

/** Why a command was ended. */
export class Interrupted extends Error {
  constructor(readonly by: Signal) {
    super(`${by} was received`);
  }

  /** What shells make of a signal. */
  get exitCode(): number {
    return 128 + constants.signals[this.by];
  }
}

/**
 * Listens to the signals that ask a command to end. The first ends at once what can be begun anew (builds, installations,
 * waits); what is guarded, it only asks to end.
 */
export class Interruption {
  private readonly asked = new AbortController();
  /** Whether this process leads a group of its own, as one that cli/own-session.cjs has started does. */
  private readonly leads = process.channel !== undefined;
  private guarded: { meanwhile: string | undefined } | undefined;
  private end: Promise<void> | undefined;

  /** @param left what the command leaves behind where it is interrupted, and what goes on from there */
  constructor(private readonly left: string) {
    // Each operation of the engine is one more that listens.
    setMaxListeners(0, this.asked.signal);
    for (const name of SIGNALS) process.on(name, () => this.hear(name));
    // Whoever hands the signals on has gone: nobody else would tell of a closed terminal.
    process.on("disconnect", () => this.hear("SIGHUP"));
    process.channel?.unref();
    // A terminal that has gone takes no more words, which is no reason to stop.
    for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
  }

  /** Aborted by the first signal, with {@link Interrupted} as its reason. */
  get signal(): AbortSignal {
    return this.asked.signal;
  }

  /**
   * Does work that must come to an end of its own: it watches the signal, and the first does not cut it short.
   * @param meanwhile what later signals are answered with, where they must not cut it short either: then the work decides
   *   what it makes of the first
   * @throws Interrupted where the command was asked to end before, or meanwhile
   */
  async guard<T>(work: (signal: AbortSignal) => Promise<T>, meanwhile?: string): Promise<T> {
    this.signal.throwIfAborted();
    this.guarded = { meanwhile };
    try {
      return await work(this.signal);
    } finally {
      this.guarded = undefined;
      // What the engine says of it is a failure, in other words.
      if (meanwhile === undefined) this.signal.throwIfAborted();
    }
  }

  /**
   * Says how a command ends: by itself, with an error or interrupted.
   * @param failed tells of an error
   */
  async conclude(
    work: Promise<void>,
    failed: (error: unknown) => void | Promise<void> = fail,
  ): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (this.end) await this.end;
      else if (error instanceof Interrupted) this.tell(error);
      else await failed(error);
    }
  }

  private hear(name: Signal): void {
    if (this.end) return;
    const again = this.signal.aborted;
    if (!again) this.asked.abort(new Interrupted(name));
    const { guarded } = this;
    if (guarded?.meanwhile && again) step(`${name}: ${guarded.meanwhile}`);
    else if (!guarded || again) this.end = this.endAtOnce(name);
    else step(`${name}: ending; what is under way is finished or noted. Once more ends at once.`);
  }

  private async endAtOnce(name: Signal): Promise<void> {
    step(`${name}: ending at once`);
    // All that was started and did not leave the process group, as a terminal would. This process takes no notice.
    if (this.leads) process.kill(-process.pid, "SIGINT");
    const deadline = Date.now() + AT_ONCE;
    while (childrenRun() && Date.now() < deadline) await setTimeout(50);
    const why = this.signal.reason as Interrupted;
    this.tell(why);
    if (this.leads && childrenRun()) process.kill(-process.pid, "SIGKILL");
    process.exit(why.exitCode);
  }

  private tell(why: Interrupted): void {
    fail(`interrupted (${why.by}): ${this.left}`);
    process.exitCode = why.exitCode;
  }
}

function childrenRun(): boolean {
  return process.getActiveResourcesInfo().includes("ProcessWrap");
}

/**
 * Runs a command to its end, or to that which a signal asks for.
 * @param left what it leaves behind where it is interrupted, and what goes on from there
 */
export async function run(
  left: string,
  work: (interruption: Interruption) => Promise<void>,
): Promise<void> {
  const interruption = new Interruption(left);
  await interruption.conclude(work(interruption));
}
