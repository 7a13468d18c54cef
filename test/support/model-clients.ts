import { expect } from "vitest";
import { send } from "../../cli/common/http";
import { sendLoad } from "../../cli/stack/load";
import { SAMPLE } from "../../cli/stack/summary";
import { waitFor } from "./wait";

/** Clients of the model `diabetes`. */
export class ModelClients {
  /** @param url URL of the model, which is known after the update of its stack */
  constructor(private readonly url: () => string) {}

  /** The version that serves a request. */
  async version(headers: Record<string, string> = {}): Promise<string> {
    const { status, headers: received } = await send(`${this.url()}/predict`, SAMPLE, { headers });
    expect({ status, model: received["x-model-name"] }).toEqual({ status: 200, model: "diabetes" });
    return `${received["x-model-version"]}`;
  }

  /** The number of requests that each version serves. */
  async shares(requests: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    let left = requests;
    const client = async () => {
      while (left > 0) {
        left -= 1;
        const version = await this.version();
        counts[version] = (counts[version] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    return counts;
  }

  /** Waits until no other version serves requests. */
  async only(wanted: string): Promise<void> {
    await waitFor(
      `only version ${wanted}`,
      60,
      () => this.shares(40),
      (counts) => Object.keys(counts).join() === wanted,
    );
  }

  /**
   * Runs work under load, and counts failed requests.
   * @param rate requests per second
   */
  async during<T>(rate: number, work: () => Promise<T>): Promise<{ done: T; failed: number }> {
    let over = false;
    const load = async (): Promise<number> => {
      let failed = 0;
      while (!over) {
        const { non2xx, errors } = await sendLoad(this.url(), { rate, seconds: 5 });
        failed += non2xx + errors;
      }
      return failed;
    };
    const loaded = load();
    const done = await work().finally(() => {
      over = true;
    });
    return { done, failed: await loaded };
  }
}
