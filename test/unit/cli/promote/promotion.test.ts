import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT } from "../../../../cli/common/root";
import { processesWith } from "../../../../cli/interruption/process-table";
import type { PromotionRequest } from "../../../../cli/promote/plan";
import { promote, RollbackFailedError } from "../../../../cli/promote/promotion";
import {
  readRecord,
  recordFile,
  rollBackKilled,
  writeRecord,
} from "../../../../cli/promote/record";
import type { OpenStack } from "../../../../cli/stack";
import { stackFile } from "../../../../cli/stack/file";
import { type Figures, GOOD, startPrometheusStub } from "../../../support/prometheus";

let folder: string;
let file: string;
let prometheus: Awaited<ReturnType<typeof startPrometheusStub>>;
let figures: Figures;
/** The weights in the stack file at each update. */
let updates: string[];
/** Seconds between two updates. */
let passed: number[];
let said: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "promote-"));
  file = stackFile("prod", folder);
  copyFileSync(join(ROOT, "Pulumi.team.yaml"), file);
  [figures, updates, passed, said] = [GOOD, [], [], []];
  prometheus = await startPrometheusStub(() => figures);
});

afterEach(() => {
  prometheus.close();
  rmSync(folder, { recursive: true });
});

const edit = (from: string | RegExp, to: string) =>
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
const weights = () =>
  [...readFileSync(file, "utf8").matchAll(/weight: (\d+)/g)].map(([, weight]) => weight).join("/");

/** An error of the Automation API, which contains the whole output of the engine. */
function engineError(...lines: string[]): Error {
  const output = ["Command failed with exit code 255: pulumi up", "Updating (prod)", ...lines];
  const result = { toString: () => `code: -2\n stdout: \n stderr: ${output.join("\n")}\n` };
  return new CommandError(result as ConstructorParameters<typeof CommandError>[0]);
}

interface Engine {
  readonly preview?: (options: { expectNoChanges?: boolean }) => void;
  readonly up?: (options: { signal?: AbortSignal }) => void;
}

/** Runs a promotion of the model in the team example, with an engine that only records its updates. */
function run(changes: Partial<PromotionRequest> = {}, engine: Engine = {}): Promise<boolean> {
  const stack = {
    name: "prod",
    outputs: async () => ({}),
    preview: async (options: object) => engine.preview?.(options),
    up: async (options: object) => {
      updates.push(weights());
      passed.push(0);
      engine.up?.(options);
    },
  };
  const request: PromotionRequest = {
    open: { stack, options: {} } as unknown as OpenStack,
    workDir: folder,
    model: "card-fraud",
    prometheusUrl: prometheus.url,
    pause: async (seconds, signal) => {
      signal?.throwIfAborted();
      passed.push((passed.pop() ?? 0) + seconds);
    },
    ...changes,
  };
  return promote(request, (line) => said.push(line));
}

describe("a promotion", () => {
  test("checks the current share, continues with the higher steps, and ends with all requests", async () => {
    expect(await run()).toBe(true);
    expect(updates).toEqual(["50/50", "0/100"]);
    expect(passed).toEqual([60, 60, 60]);
    expect(said).toEqual([
      "card-fraud: main 90, candidate 10; watched for 60 s",
      expect.stringMatching(/candidate at 10 %: passed after 60 s: 0\.00 % errors of 600 answers/),
      "card-fraud: main 50, candidate 50; watched for 60 s",
      expect.stringContaining("candidate at 50 %: passed after 60 s"),
      "card-fraud: main 0, candidate 100; watched for 60 s",
      expect.stringContaining("candidate at 100 %: passed after 60 s"),
    ]);
  });

  test("changes nothing if the candidate has all requests already", async () => {
    edit(/weight: 90/, "weight: 0");
    expect(await run()).toBe(true);
    expect([updates, said]).toEqual([[], ["card-fraud: candidate gets all requests already"]]);
  });

  test("checks repeatedly, each time over the whole duration of the step", async () => {
    await run();
    const seconds = prometheus.queries
      .filter((query) => query.startsWith("sum(changes"))
      .map((query) => Number(/\[(\d+)s\]/.exec(query)?.[1]));
    // The first query covers a whole window, before any change.
    expect(seconds.slice(0, 7)).toEqual([60, 10, 20, 30, 40, 50, 60]);
    expect(seconds).toHaveLength(1 + 3 * 6);
  });

  test("does not change the weights if the check of the current share fails", async () => {
    figures = { ...GOOD, latency: 0.06 };
    expect(await run()).toBe(false);
    expect([updates, weights()]).toEqual([[], "90/10"]);
    expect(said.at(-1)).toMatch(/stays at main 90, candidate 10: failed after 10 s: latency/);
  });

  /** Leaves the weights and the record of a promotion that was killed during its first update, without a rollback. */
  const killed = async () => {
    const record = recordFile(folder, "prod", "card-fraud");
    writeRecord(record, { before: { main: 90, candidate: 10 }, now: { main: 50, candidate: 50 } });
    edit(/weight: 90/, "weight: 50");
    edit(/weight: 10$/m, "weight: 50");
  };

  test("rolls back an earlier promotion that was killed, and then runs all steps", async () => {
    await killed();
    expect(await run()).toBe(true);
    expect(updates).toEqual(["90/10", "50/50", "0/100"]);
    expect(said.slice(0, 2)).toEqual([
      "card-fraud: an earlier promotion was killed; rolling back to main 90, candidate 10 first",
      "card-fraud: rolled back to main 90, candidate 10",
    ]);
    expect(readRecord(recordFile(folder, "prod", "card-fraud"))).toBeUndefined();
  });

  test("keeps weights that were edited after an earlier promotion was killed", async () => {
    await killed();
    edit(/weight: 50/, "weight: 70");
    expect(await run()).toBe(true);
    expect(updates[0]).toBe("50/50");
    expect(said[0]).toMatch(/^card-fraud: main 70, candidate 50/);
  });

  test("is rolled back by the next update if it was killed", async () => {
    await killed();
    rollBackKilled("prod", folder, (line) => said.push(line));
    expect([weights(), said]).toEqual([
      "90/10",
      ["card-fraud: an earlier promotion was killed; rolling back to main 90, candidate 10"],
    ]);
    rollBackKilled("prod", folder, (line) => said.push(line));
    expect(said).toHaveLength(1);
  });

  test("is not rolled back by the next update if the weights or the model have changed since", async () => {
    await killed();
    edit(/weight: 50/, "weight: 70");
    rollBackKilled("prod", folder, (line) => said.push(line));
    writeRecord(recordFile(folder, "prod", "gone"), { before: { main: 1 }, now: { main: 2 } });
    rollBackKilled("prod", folder, (line) => said.push(line));
    expect([weights(), said]).toEqual(["70/50", []]);
    expect(readRecord(recordFile(folder, "prod", "card-fraud"))).toBeUndefined();
  });

  test("is refused while another process runs it, and so is an update", async () => {
    await killed();
    const record = recordFile(folder, "prod", "card-fraud");
    const [parent] = processesWith(process.ppid);
    const runs = { ...readRecord(record), pid: process.ppid, started: parent?.started };
    writeFileSync(record, JSON.stringify(runs));
    const refusal = `card-fraud is being promoted by process ${process.ppid}; wait until it ends`;
    await expect(run()).rejects.toThrow(refusal);
    expect(() => rollBackKilled("prod", folder, () => {})).toThrow(refusal);
    expect([weights(), updates]).toEqual(["50/50", []]);
  });

  test("records the previous weights only while it runs", async () => {
    const during: unknown[] = [];
    const record = recordFile(folder, "prod", "card-fraud");
    await run({}, { up: () => void during.push(readRecord(record)) });
    const before = { main: 90, candidate: 10 };
    expect(during).toMatchObject([
      { before, now: { main: 50, candidate: 50 }, pid: process.pid },
      { before, now: { main: 0, candidate: 100 }, pid: process.pid },
    ]);
    expect(readRecord(record)).toBeUndefined();
  });

  const step = (engine: Engine = {}) => {
    edit(/weight: 90/, "weight: 100");
    edit(/weight: 10$/m, "weight: 0");
    return run({}, engine);
  };

  test.each([
    [{ candidate: { "200": 300, "500": 300 } }, 10, "50.00 % errors of 600 answers"],
    [{ candidate: { "200": 300, "400": 300 } }, 10, "50.00 % refused (others: 0.00 %)"],
    [{ latency: 0.06 }, 10, "latencyP99 60.00 ms (threshold: 50 ms)"],
    [{ restarts: 1 }, 10, "pods restarted or went away (1 times)"],
    [{ gone: 1 }, 10, "pods restarted or went away (1 times)"],
    // More answers are possible until the window ends.
    [{ candidate: {} }, 60, "0 answers are too few to judge by (requests: 50)"],
  ])("rolls back with %j after %i s: %s", async (changes, seconds, reason) => {
    figures = { ...GOOD, ...changes };
    expect(await step()).toBe(false);
    expect(updates).toEqual(["90/10", "100/0"]);
    expect(passed).toEqual([seconds, 0]);
    expect(said.at(-2)).toContain("card-fraud: rolling back to main 100, candidate 0: ");
    expect(said.at(-2)).toContain(`after ${seconds} s: ${reason}`);
    expect(said.at(-1)).toBe("card-fraud: rolled back to main 100, candidate 0");
  });

  test("compares the refused share with the last one of the other variants if these get no requests any more", async () => {
    const refusing = { "200": 800, "400": 200 };
    figures = { ...GOOD, candidate: refusing, main: refusing };
    const engine = {
      up: () => {
        if (weights() === "0/100") {
          figures = { ...figures, main: {} };
        }
      },
    };
    expect(await run({}, engine)).toBe(true);
    expect(said.at(-1)).toContain("20.00 % refused (others: 20.00 %)");
  });

  test("rolls back if an update fails, and prints the errors of the engine", async () => {
    const up = () => {
      if (weights() === "50/50") {
        throw engineError("    error: the rollout took too long");
      }
    };
    expect(await run({}, { up })).toBe(false);
    expect(updates).toEqual(["50/50", "90/10"]);
    expect(said.at(-2)).toMatch(/rolling back .*: error: the rollout took too long$/);
  });

  test("keeps other edits of the file that are made while it runs", async () => {
    figures = { ...GOOD, gone: 1 };
    expect(await step({ up: () => edit("owner: team-fraud", "owner: team-cards") })).toBe(false);
    expect([updates, weights()]).toEqual([["90/10", "100/0"], "100/0"]);
    expect(readFileSync(file, "utf8")).toContain("owner: team-cards");
  });
});

describe("an interrupted promotion", () => {
  test.each(["during a pause", "during an update"])(
    "rolls back with the signal as the reason: %s",
    async (by) => {
      const interrupted = new AbortController();
      const signals: (AbortSignal | undefined)[] = [];
      const up = ({ signal }: { signal?: AbortSignal }) => {
        signals.push(signal);
        if (signals.length > 1) {
          return;
        }
        interrupted.abort(new Error("SIGTERM was received"));
        // The error of an interrupted engine.
        if (by === "during an update") {
          throw engineError("error: update canceled");
        }
      };
      expect(await run({ signal: interrupted.signal }, { up })).toBe(false);
      expect(updates).toEqual(["50/50", "90/10"]);
      // The same signal must not interrupt the rollback.
      expect(signals).toEqual([interrupted.signal, undefined]);
      expect(said.at(-2)).toMatch(/rolling back .*: SIGTERM was received$/);
    },
  );

  test("changes nothing before its first step", async () => {
    const signal = AbortSignal.abort(new Error("SIGINT was received"));
    expect(await run({ signal })).toBe(false);
    expect([updates, weights()]).toEqual([[], "90/10"]);
    expect(said.at(-1)).toMatch(/stays at main 90, candidate 10: SIGINT was received$/);
  });
});

test("a failed rollback is reported, and the file has the old weights", async () => {
  const up = () => {
    figures = { ...GOOD, gone: 1 };
    if (weights() === "90/10") {
      throw engineError("error: the cluster is gone");
    }
  };
  const failed = await run({}, { up }).catch((error: Error) => error);
  expect(failed).toBeInstanceOf(RollbackFailedError);
  expect(`${failed}`).toMatch(/has main 90, candidate 10, and update.*: error: the cluster is/s);
  expect(weights()).toBe("90/10");
});

describe("a promotion does not start", () => {
  test.each([
    [{ model: "cards" }, "--model cards: the stack has no such model; it has card-fraud"],
    [{ to: "next" }, "--to next: no such variant; there are main, candidate"],
    [{ prometheusUrl: undefined }, "--prometheus is required"],
    [{ prometheusUrl: "http://127.0.0.1:9" }, "ECONNREFUSED"],
  ])("with %j: %s", async (changes, says) => {
    await expect(run(changes)).rejects.toThrow(says);
    expect([updates, weights()]).toEqual([[], "90/10"]);
  });

  test("if a weight cannot be changed alone", async () => {
    edit("weight: 10", "weight: &w 10\n            more: *w");
    await expect(run()).rejects.toThrow("team.models[0].variants[1].more: ");
    edit("            more: *w\n", "");
    edit(/$/, "\nkept: *w\n");
    await expect(run()).rejects.toThrow(/the weights of card-fraud cannot be changed alone/);
    expect(updates).toEqual([]);
  });

  test("while the stack has other pending changes", async () => {
    const preview = ({ expectNoChanges }: { expectNoChanges?: boolean }) => {
      if (expectNoChanges) {
        throw engineError("error: no changes were expected but changes occurred");
      }
    };
    await expect(run({}, { preview })).rejects.toThrow(
      /no other pending changes.+npm run preview -- --stack prod.+error: no changes were expected/s,
    );
    expect([updates, weights()]).toEqual([[], "90/10"]);
  });
});
