import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type PromotionRequest, promote } from "../../../cli/promote";
import { type OpenStack, ROOT, stackFile } from "../../../cli/stack";

// The windows that are watched would be minutes; an abort still ends one.
vi.mock("node:timers/promises", () => ({
  setTimeout: async (_: number, value: unknown, options?: { signal?: AbortSignal }) => {
    options?.signal?.throwIfAborted();
    return value;
  },
}));

const GOOD = { answers: 600, errorRate: 0, latency: 0.002 };

let folder: string;
let server: Server;
let prometheusUrl: string;
/** What Prometheus answers; nothing where it has no such series. */
let figures: Partial<typeof GOOD>;
/** The weights in the stack's file at each update. */
let updates: string[];
let said: string[];

function figureOf(query: string): number | undefined {
  if (query.startsWith("histogram_quantile")) return figures.latency;
  return query.includes(" / ") ? figures.errorRate : figures.answers;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "promote-"));
  copyFileSync(join(ROOT, "Pulumi.team.yaml"), stackFile("prod", folder));
  [figures, updates, said] = [GOOD, [], []];
  server = createServer((request, response) => {
    const query = new URL(request.url ?? "", "http://x").searchParams.get("query") ?? "";
    const figure = figureOf(query);
    const result = figure === undefined ? [] : [{ metric: {}, value: [1, `${figure}`] }];
    response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  prometheusUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const weights = () =>
  [...readFileSync(stackFile("prod", folder), "utf8").matchAll(/weight: (\d+)/g)]
    .map(([, weight]) => weight)
    .join("/");

/** A promotion of the team example's model, whose updates are only noted; one of them may fail. */
function run(changes: Partial<PromotionRequest> = {}, failing?: string): Promise<boolean> {
  const stack = {
    name: "prod",
    outputs: async () => ({}),
    preview: async () => ({}),
    up: async () => {
      updates.push(weights());
      if (weights() === failing) throw new Error("the rollout took too long\nand more");
    },
  };
  const open = { stack, options: {} } as unknown as OpenStack;
  const request = { open, workDir: folder, model: "card-fraud", prometheusUrl, ...changes };
  return promote(request, (line) => said.push(line));
}

describe("a promotion", () => {
  test("goes through the steps that are ahead, and ends with all requests", async () => {
    expect(await run()).toBe(true);
    expect(updates).toEqual(["50/50", "0/100"]);
    expect(said.join("\n")).toContain("candidate at 100 %: holds: 0.00 % errors of 600 answers");
  });

  test.each([
    [{ ...GOOD, errorRate: 0.5 }, "50.00 % errors of 600 answers (errorRate: 0.01)"],
    [{ ...GOOD, latency: 0.06 }, "latencyP99 60.00 ms (threshold: 50 ms)"],
    [{}, "0 answers are too few to judge by (requests: 50)"],
  ])("that measures %j goes back: %s", async (measured, reason) => {
    figures = measured;
    expect(await run()).toBe(false);
    expect(updates).toEqual(["50/50", "90/10"]);
    expect(said.at(-2)).toBe(`card-fraud: going back to main 90, candidate 10: ${reason}`);
  });

  test("whose update fails goes back", async () => {
    expect(await run({}, "50/50")).toBe(false);
    expect(updates).toEqual(["50/50", "90/10"]);
    expect(said.at(-2)).toMatch(/going back .*: the rollout took too long$/);
  });

  test("that is interrupted goes back", async () => {
    const signal = AbortSignal.abort(new Error("SIGINT was received"));
    expect(await run({ signal })).toBe(false);
    expect(weights()).toBe("90/10");
    expect(said.at(-2)).toMatch(/SIGINT was received$/);
  });

  test("whose way back fails says so, and leaves the old weights in the file", async () => {
    figures = {};
    await expect(run({}, "90/10")).rejects.toThrow(
      /has the old weights, but the update to them failed; update the stack: the rollout took/,
    );
    expect(weights()).toBe("90/10");
  });
});

describe("nothing is changed", () => {
  test.each([
    [{ model: "cards" }, "--model cards: the stack has no such model; it has card-fraud"],
    [{ to: "next" }, "--to next: there is no such variant; there are main, candidate"],
    [{ prometheusUrl: undefined }, "--prometheus is needed"],
    [{ prometheusUrl: "http://127.0.0.1:9" }, "ECONNREFUSED"],
  ])("by %j", async (changes, says) => {
    await expect(run(changes)).rejects.toThrow(says);
    expect([updates, weights()]).toEqual([[], "90/10"]);
  });
});
