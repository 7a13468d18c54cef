import { send } from "../common/http";

/** One value in the answer to an instant query, and its labels. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

interface Answer {
  data: { result: { metric: Record<string, string>; value: [time: number, value: string] }[] };
}

/**
 * Runs an instant query.
 * @param url of Prometheus, as this machine reaches it
 * @throws Error where Prometheus does not answer, or refuses the query
 */
export async function ask(url: string, query: string): Promise<Sample[]> {
  const { status, body } = await send(
    `${url.replace(/\/$/, "")}/api/v1/query?query=${encodeURIComponent(query)}`,
  );
  if (status !== 200) throw new Error(`Prometheus at ${url} answered ${status}`);
  return (JSON.parse(body) as Answer).data.result.map(({ metric, value: [, value] }) => ({
    labels: metric,
    value: Number(value),
  }));
}
