import { send } from "../common/http";

/** One value in the answer to an instant query, and its labels. */
export interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

interface Answer {
  readonly data: {
    result: { metric: Record<string, string>; value: [time: number, value: string] }[];
  };
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
  if (status !== 200) {
    throw new Error(`Prometheus at ${url} answered ${status}`);
  }
  return (JSON.parse(body) as Answer).data.result.map(({ metric, value: [, value] }) => ({
    labels: metric,
    value: Number(value),
  }));
}
