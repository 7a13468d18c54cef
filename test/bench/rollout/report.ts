import type { VegetaReport } from "./attack";

/** What became of the requests of one kind of clients while something was done to the model. */
export interface Phase {
  what: string;
  /** How often it was done. */
  times: number;
  /** Which clients they were. */
  clients: string;
  /** How many requests they were to send: in a second, and for how many. */
  rate: number;
  seconds: number;
  /** Whether none may be lost. */
  strict: boolean;
  sent: VegetaReport;
}

/** Requests without a right answer: another status than 200, a connection that failed, or no answer in time. */
export function lost({ requests, status_codes }: VegetaReport): number {
  return requests - (status_codes["200"] ?? 0);
}

/** A table of the phases, in Markdown; latencies in milliseconds. */
export function table(phases: readonly Phase[]): string {
  const milliseconds = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(1);
  const rows = phases.map(({ what, times, clients, sent }) => {
    const { "50th": p50, "99th": p99, max } = sent.latencies;
    const latencies = [p50, p99, max].map(milliseconds);
    return `| ${[what, times, clients, sent.requests, lost(sent), ...latencies].join(" | ")} |`;
  });
  return [
    "| What | Times | Clients | Requests | Lost | p50, ms | p99, ms | Longest, ms |",
    "|---|--:|---|--:|--:|--:|--:|--:|",
    ...rows,
  ].join("\n");
}

/** Share of the requests that were to be sent below which a phase has not been measured: clients start, and end, one by one. */
const MEASURED = 0.95;

/**
 * Why the run has not shown what it is to show; empty where it has.
 * @param least requests that the strict phases must have sent together
 */
export function shortcomings(phases: readonly Phase[], least: number): string[] {
  const strict = phases.filter((phase) => phase.strict);
  const found = strict.flatMap(({ what, clients, rate, seconds, sent }) => {
    const due = Math.round(rate * seconds);
    const losses = lost(sent);
    return [
      ...(losses > 0 ? [`${losses} lost: ${(sent.errors ?? []).join("; ")}`] : []),
      ...(sent.requests < MEASURED * due ? [`${sent.requests} requests of ${due}`] : []),
    ].map((line) => `${what}, clients ${clients}: ${line}`);
  });
  const sent = strict.reduce((sum, phase) => sum + phase.sent.requests, 0);
  return sent < least ? [...found, `${sent} requests are less than ${least}`] : found;
}
