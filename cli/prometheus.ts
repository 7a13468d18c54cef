import { send } from "./http";

/** One value of an instant query's answer, and the labels that tell it from the others. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

interface Answer {
  data: { result: { metric: Record<string, string>; value: [time: number, value: string] }[] };
}

/**
 * Asks Prometheus for what a query is now.
 * @param url of Prometheus, as it is reached from here
 * @throws Error where it does not answer, or refuses
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
