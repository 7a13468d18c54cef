import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Metrics of a candidate and of `main` in a stub of Prometheus, for any time range. */
export interface Figures {
  /** Responses of the candidate by status. */
  readonly candidate: Record<string, number>;
  /** Responses of `main` by status. */
  readonly main: Record<string, number>;
  /** In seconds; undefined without such a series. */
  readonly latency?: number;
  readonly restarts?: number;
  readonly gone?: number;
}

/** Metrics without problems. */
export const GOOD: Figures = {
  candidate: { "200": 600, "500": 0 },
  main: { "200": 600 },
  latency: 0.002,
};

/**
 * Starts a server that answers the queries of a promotion with the current metrics.
 * @returns its URL, the queries, and a function that stops it
 */
export async function startPrometheusStub(figures: () => Figures) {
  const queries: string[] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? "", "http://x").searchParams.get("query") ?? "";
    queries.push(query);
    const result = samples(query, figures());
    response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, queries, close: () => server.close() };
}

function samples(query: string, { candidate, main, latency, restarts, gone }: Figures) {
  const value = (figure: number | undefined, metric = {}) =>
    figure === undefined ? [] : [{ metric, value: [1, `${figure}`] }];
  if (query.startsWith("histogram_quantile")) {
    return value(latency);
  }
  if (query.startsWith("sum(changes")) {
    return value(restarts);
  }
  if (query.startsWith("count(")) {
    return value(gone);
  }
  return Object.entries({ candidate, main }).flatMap(([variant, codes]) =>
    Object.entries(codes).flatMap(([code, count]) => value(count, { variant, code })),
  );
}
