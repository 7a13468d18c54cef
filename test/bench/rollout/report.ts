import type { Connections, VegetaReport } from "./attack";

/** What became of the requests of one kind of clients while something was done to the model. */
export interface Phase {
  what: string;
  /** How often it was done. */
  times: number;
  connections: Connections;
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
  const rows = phases.map(({ what, times, connections, sent }) => {
    const { "50th": p50, "99th": p99, max } = sent.latencies;
    const latencies = [p50, p99, max].map(milliseconds);
    return `| ${[what, times, connections, sent.requests, lost(sent), ...latencies].join(" | ")} |`;
  });
  return [
    "| What | Times | Connections | Requests | Lost | p50, ms | p99, ms | Longest, ms |",
    "|---|--:|---|--:|--:|--:|--:|--:|",
    ...rows,
  ].join("\n");
}

/**
 * Why the run has not shown what it is to show; empty where it has.
 * @param least requests that the strict phases must have sent together
 */
export function shortcomings(phases: readonly Phase[], least: number): string[] {
  const strict = phases.filter((phase) => phase.strict);
  const sent = strict.reduce((sum, phase) => sum + phase.sent.requests, 0);
  const losses = strict
    .filter((phase) => lost(phase.sent) > 0)
    .map(
      ({ what, connections, sent }) =>
        `${what}, connections ${connections}: ${lost(sent)} lost: ${(sent.errors ?? []).join("; ")}`,
    );
  return sent < least ? [...losses, `${sent} requests are less than ${least}`] : losses;
}
