import type { VegetaReport } from "./attack";

/** The requests of one kind of client during one kind of disruption. */
export interface Phase {
  readonly what: string;
  /** Number of disruptions. */
  readonly times: number;
  /** Kind of client. */
  readonly clients: string;
  /** Planned requests per second, and duration in seconds. */
  readonly rate: number;
  readonly seconds: number;
  /** Whether no request may be lost. */
  readonly strict: boolean;
  readonly sent: VegetaReport;
}

/** Lost requests: another status than 200, a failed connection, or a timeout. */
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

/** Minimum share of the planned requests in a valid phase: clients start and stop one by one. */
const MEASURED = 0.95;

/**
 * Why the run is not valid or has lost requests; empty if all is well.
 * @param least minimum number of requests of all strict phases
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
