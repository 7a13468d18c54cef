import { setMaxListeners } from "node:events";
import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fail, step } from "../common/terminal";

/** The signals that ask a command to end: Ctrl-C, a cancelled pipeline, a closed terminal, Ctrl-\. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
type Signal = (typeof SIGNALS)[number];

/** Longest wait for child processes that must stop now, in milliseconds. An engine takes a second after its second signal. */
const STOP_TIMEOUT = 10_000;

/** A signal asked the command to end. */
export class Interrupted extends Error {
  constructor(readonly by: Signal) {
    super(`${by} was received`);
  }

  /** The exit code that shells use for a signal. */
  get exitCode(): number {
    return 128 + constants.signals[this.by];
  }
}

/**
 * Handles the signals that ask a command to end. The first signal stops work that can start again (builds, installations,
 * waits) immediately; guarded work is only asked to end.
 */
export class Interruption {
  private readonly controller = new AbortController();
  /** Whether this process leads a process group, as one that cli/own-session.cjs started does. */
  private readonly leadsGroup = process.channel !== undefined;
  private guarded: { answer: string | undefined } | undefined;
  private stopping: Promise<void> | undefined;

  /** @param state what an interrupted command leaves behind, and what continues from there */
  constructor(private readonly state: string) {
    // Each operation of the engine adds a listener.
    setMaxListeners(0, this.controller.signal);
    for (const name of SIGNALS) {
      process.on(name, () => this.onSignal(name));
    }
    // The parent that forwards the signals has ended: nobody else would report a closed terminal.
    process.on("disconnect", () => this.onSignal("SIGHUP"));
    process.channel?.unref();
    // Output fails once the terminal is closed, which is no reason to stop.
    for (const output of [process.stdout, process.stderr]) {
      output.on("error", () => {});
    }
  }

  /** Aborted by the first signal, with {@link Interrupted} as its reason. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /**
   * Runs work that must end by itself: it watches the abort signal, and the first signal does not stop it.
   * @param answer what is printed for later signals, where these must not stop the work either; the work then decides what
   *   to do about the first one
   * @throws Interrupted where a signal came before the work, or during it
   */
  async guard<T>(work: (signal: AbortSignal) => Promise<T>, answer?: string): Promise<T> {
    this.signal.throwIfAborted();
    this.guarded = { answer };
    try {
      return await work(this.signal);
    } finally {
      this.guarded = undefined;
      // The engine reports an interruption as some failure.
      if (answer === undefined) {
        this.signal.throwIfAborted();
      }
    }
  }

  /**
   * Reports how a command ends: by itself, with an error or interrupted.
   * @param failed reports an error
   */
  async conclude(
    work: Promise<void>,
    failed: (error: unknown) => void | Promise<void> = fail,
  ): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (this.stopping) {
        await this.stopping;
      } else if (error instanceof Interrupted) {
        this.report(error);
      } else {
        await failed(error);
      }
    }
  }

  private onSignal(name: Signal): void {
    if (this.stopping) {
      return;
    }
    const again = this.signal.aborted;
    if (!again) {
      this.controller.abort(new Interrupted(name));
    }
    const { guarded } = this;
    if (guarded?.answer && again) {
      step(`${name}: ${guarded.answer}`);
    } else if (!guarded || again) {
      this.stopping = this.stopNow(name);
    } else {
      step(
        `${name}: ending; operations in progress are finished or recorded. A second signal stops them now.`,
      );
    }
  }

  private async stopNow(name: Signal): Promise<void> {
    step(`${name}: stopping now`);
    // As a terminal does: all processes that were started and stayed in the process group. This process ignores it.
    if (this.leadsGroup) {
      process.kill(-process.pid, "SIGINT");
    }
    const deadline = Date.now() + STOP_TIMEOUT;
    while (childrenRun() && Date.now() < deadline) {
      await setTimeout(50);
    }
    const why = this.signal.reason as Interrupted;
    this.report(why);
    if (this.leadsGroup && childrenRun()) {
      process.kill(-process.pid, "SIGKILL");
    }
    process.exit(why.exitCode);
  }

  private report(why: Interrupted): void {
    fail(`interrupted (${why.by}): ${this.state}`);
    process.exitCode = why.exitCode;
  }
}

function childrenRun(): boolean {
  return process.getActiveResourcesInfo().includes("ProcessWrap");
}

/**
 * Runs a command until it ends or a signal ends it.
 * @param state what an interrupted command leaves behind, and what continues from there
 */
export async function run(
  state: string,
  work: (interruption: Interruption) => Promise<void>,
): Promise<void> {
  const interruption = new Interruption(state);
  await interruption.conclude(work(interruption));
}
