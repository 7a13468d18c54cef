import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processesWith } from "../../../cli/process-table";
import { promote, StrandedError } from "../../../cli/promote";
import type { PromotionRequest } from "../../../cli/promotion-plan";
import { note, noted, recordFile, takeBackKilled } from "../../../cli/promotion-record";
import { type OpenStack, ROOT, stackFile } from "../../../cli/stack";
import { type Figures, GOOD, standIn } from "../../support/prometheus";

let folder: string;
let file: string;
let prometheus: Awaited<ReturnType<typeof standIn>>;
let figures: Figures;
/** The weights in the stack's file at each update. */
let updates: string[];
/** Seconds that passed between an update and the next. */
let passed: number[];
let said: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "promote-"));
  file = stackFile("prod", folder);
  copyFileSync(join(ROOT, "Pulumi.team.yaml"), file);
  [figures, updates, passed, said] = [GOOD, [], [], []];
  prometheus = await standIn(() => figures);
});

afterEach(() => {
  prometheus.close();
  rmSync(folder, { recursive: true });
});

const edit = (from: string | RegExp, to: string) =>
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
const weights = () =>
  [...readFileSync(file, "utf8").matchAll(/weight: (\d+)/g)].map(([, weight]) => weight).join("/");

/** An error as the Automation API throws it, with all that the engine has printed. */
function engineError(...lines: string[]): Error {
  const output = ["Command failed with exit code 255: pulumi up", "Updating (prod)", ...lines];
  const result = { toString: () => `code: -2\n stdout: \n stderr: ${output.join("\n")}\n` };
  return new CommandError(result as ConstructorParameters<typeof CommandError>[0]);
}

interface Engine {
  preview?: (options: { expectNoChanges?: boolean }) => void;
  up?: (options: { signal?: AbortSignal }) => void;
}

/** A promotion of the team example's model, by an engine that only notes its updates. */
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
  test("judges the share that is there, goes through the steps ahead, and ends with all", async () => {
    expect(await run()).toBe(true);
    expect(updates).toEqual(["50/50", "0/100"]);
    expect(passed).toEqual([60, 60, 60]);
    expect(said).toEqual([
      "card-fraud: main 90, candidate 10; watched for 60 s",
      expect.stringMatching(/candidate at 10 %: holds after 60 s: 0\.00 % errors of 600 answers/),
      "card-fraud: main 50, candidate 50; watched for 60 s",
      expect.stringContaining("candidate at 50 %: holds after 60 s"),
      "card-fraud: main 0, candidate 100; watched for 60 s",
      expect.stringContaining("candidate at 100 %: holds after 60 s"),
    ]);
  });

  test("that is over already changes nothing", async () => {
    edit(/weight: 90/, "weight: 0");
    expect(await run()).toBe(true);
    expect([updates, said]).toEqual([[], ["card-fraud: candidate has all requests already"]]);
  });

  test("looks again and again, each time at all seconds of the step", async () => {
    await run();
    const seconds = prometheus.asked
      .filter((query) => query.startsWith("sum(changes"))
      .map((query) => Number(/\[(\d+)s\]/.exec(query)?.[1]));
    // Once over a whole window, before anything is changed.
    expect(seconds.slice(0, 7)).toEqual([60, 10, 20, 30, 40, 50, 60]);
    expect(seconds).toHaveLength(1 + 3 * 6);
  });

  test("does not touch the weights where the share that is there does not hold", async () => {
    figures = { ...GOOD, latency: 0.06 };
    expect(await run()).toBe(false);
    expect([updates, weights()]).toEqual([[], "90/10"]);
    expect(said.at(-1)).toMatch(
      /stays at main 90, candidate 10: does not hold after 10 s: latency/,
    );
  });

  /** Ends a promotion at its first update, as a kill does: nothing is put back. */
  const killed = async () => {
    const record = recordFile(folder, "prod", "card-fraud");
    note(record, { before: { main: 90, candidate: 10 }, now: { main: 50, candidate: 50 } });
    edit(/weight: 90/, "weight: 50");
    edit(/weight: 10$/m, "weight: 50");
  };

  test("goes back first where one before was killed, and then all the way", async () => {
    await killed();
    expect(await run()).toBe(true);
    expect(updates).toEqual(["90/10", "50/50", "0/100"]);
    expect(said.slice(0, 2)).toEqual([
      "card-fraud: a promotion was killed; going back to main 90, candidate 10 first",
      "card-fraud: main 90, candidate 10 again",
    ]);
    expect(noted(recordFile(folder, "prod", "card-fraud"))).toBeUndefined();
  });

  test("leaves weights that were changed by hand since one before was killed", async () => {
    await killed();
    edit(/weight: 50/, "weight: 70");
    expect(await run()).toBe(true);
    expect(updates[0]).toBe("50/50");
    expect(said[0]).toMatch(/^card-fraud: main 70, candidate 50/);
  });

  test("is taken back by the next update where it was killed", async () => {
    await killed();
    takeBackKilled("prod", folder, (line) => said.push(line));
    expect([weights(), said]).toEqual([
      "90/10",
      ["card-fraud: a promotion was killed; going back to main 90, candidate 10"],
    ]);
    takeBackKilled("prod", folder, (line) => said.push(line));
    expect(said).toHaveLength(1);
  });

  test("is not taken back by the next update where the weights, or the model, are others by now", async () => {
    await killed();
    edit(/weight: 50/, "weight: 70");
    takeBackKilled("prod", folder, (line) => said.push(line));
    note(recordFile(folder, "prod", "gone"), { before: { main: 1 }, now: { main: 2 } });
    takeBackKilled("prod", folder, (line) => said.push(line));
    expect([weights(), said]).toEqual(["70/50", []]);
    expect(noted(recordFile(folder, "prod", "card-fraud"))).toBeUndefined();
  });

  test("is refused, and left alone by an update, while another process is at it", async () => {
    await killed();
    const record = recordFile(folder, "prod", "card-fraud");
    const [parent] = processesWith(process.ppid);
    const runs = { ...noted(record), pid: process.ppid, started: parent?.started };
    writeFileSync(record, JSON.stringify(runs));
    const refusal = `card-fraud is being promoted by process ${process.ppid}; wait for its end`;
    await expect(run()).rejects.toThrow(refusal);
    expect(() => takeBackKilled("prod", folder, () => {})).toThrow(refusal);
    expect([weights(), updates]).toEqual(["50/50", []]);
  });

  test("notes what it began with only for as long as it is at it", async () => {
    const during: unknown[] = [];
    const record = recordFile(folder, "prod", "card-fraud");
    await run({}, { up: () => void during.push(noted(record)) });
    const before = { main: 90, candidate: 10 };
    expect(during).toMatchObject([
      { before, now: { main: 50, candidate: 50 }, pid: process.pid },
      { before, now: { main: 0, candidate: 100 }, pid: process.pid },
    ]);
    expect(noted(record)).toBeUndefined();
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
    // More may still come: until the window is over.
    [{ candidate: {} }, 60, "0 answers are too few to judge by (requests: 50)"],
  ])("goes back at once with %j", async (changes, seconds, reason) => {
    figures = { ...GOOD, ...changes };
    expect(await step()).toBe(false);
    expect(updates).toEqual(["90/10", "100/0"]);
    expect(passed).toEqual([seconds, 0]);
    expect(said.at(-2)).toContain("card-fraud: going back to main 100, candidate 0: ");
    expect(said.at(-2)).toContain(`after ${seconds} s: ${reason}`);
    expect(said.at(-1)).toBe("card-fraud: main 100, candidate 0 again");
  });

  test("compares refusals with what the others last refused, once they have no requests", async () => {
    const refusing = { "200": 800, "400": 200 };
    figures = { ...GOOD, candidate: refusing, main: refusing };
    const engine = {
      up: () => {
        if (weights() === "0/100") figures = { ...figures, main: {} };
      },
    };
    expect(await run({}, engine)).toBe(true);
    expect(said.at(-1)).toContain("20.00 % refused (others: 20.00 %)");
  });

  test("whose update fails goes back, and repeats the engine's errors", async () => {
    const up = () => {
      if (weights() === "50/50") throw engineError("    error: the rollout took too long");
    };
    expect(await run({}, { up })).toBe(false);
    expect(updates).toEqual(["50/50", "90/10"]);
    expect(said.at(-2)).toMatch(/going back .*: error: the rollout took too long$/);
  });

  test("keeps what somebody else wrote into the file meanwhile", async () => {
    figures = { ...GOOD, gone: 1 };
    expect(await step({ up: () => edit("owner: team-fraud", "owner: team-cards") })).toBe(false);
    expect([updates, weights()]).toEqual([["90/10", "100/0"], "100/0"]);
    expect(readFileSync(file, "utf8")).toContain("owner: team-cards");
  });
});

describe("a promotion that is interrupted", () => {
  test.each(["by a pause", "by an update"])(
    "goes back with the signal as reason: %s",
    async (by) => {
      const interrupted = new AbortController();
      const signals: (AbortSignal | undefined)[] = [];
      const up = ({ signal }: { signal?: AbortSignal }) => {
        signals.push(signal);
        if (signals.length > 1) return;
        interrupted.abort(new Error("SIGTERM was received"));
        // As an engine that was interrupted ends.
        if (by === "by an update") throw engineError("error: update canceled");
      };
      expect(await run({ signal: interrupted.signal }, { up })).toBe(false);
      expect(updates).toEqual(["50/50", "90/10"]);
      // The way back is not to be interrupted by the same signal.
      expect(signals).toEqual([interrupted.signal, undefined]);
      expect(said.at(-2)).toMatch(/going back .*: SIGTERM was received$/);
    },
  );

  test("before its first step changes nothing", async () => {
    const signal = AbortSignal.abort(new Error("SIGINT was received"));
    expect(await run({ signal })).toBe(false);
    expect([updates, weights()]).toEqual([[], "90/10"]);
    expect(said.at(-1)).toMatch(/stays at main 90, candidate 10: SIGINT was received$/);
  });
});

test("a way back that fails says so, and leaves the old weights in the file", async () => {
  const up = () => {
    figures = { ...GOOD, gone: 1 };
    if (weights() === "90/10") throw engineError("error: the cluster is gone");
  };
  const stranded = await run({}, { up }).catch((error: Error) => error);
  expect(stranded).toBeInstanceOf(StrandedError);
  expect(`${stranded}`).toMatch(/has main 90, candidate 10, and update.*: error: the cluster is/s);
  expect(weights()).toBe("90/10");
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

  test("where a weight cannot be changed alone", async () => {
    edit("weight: 10", "weight: &w 10\n            more: *w");
    await expect(run()).rejects.toThrow(/is not valid|cannot be changed alone/);
    edit("            more: *w\n", "");
    edit(/$/, "\nkept: *w\n");
    await expect(run()).rejects.toThrow(/the weights of card-fraud cannot be changed alone/);
    expect(updates).toEqual([]);
  });

  test("while the stack has other changes pending", async () => {
    const preview = ({ expectNoChanges }: { expectNoChanges?: boolean }) => {
      if (expectNoChanges)
        throw engineError("error: no changes were expected but changes occurred");
    };
    await expect(run({}, { preview })).rejects.toThrow(
      /no other changes pending.+npm run preview -- --stack prod.+error: no changes were expected/s,
    );
    expect([updates, weights()]).toEqual([[], "90/10"]);
  });
});
