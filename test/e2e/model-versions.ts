import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { promote } from "../../cli/promote/promotion";
import { registerBadVersions } from "../support/bad-versions";
import type { Kubectl } from "../support/kubectl";
import { ModelClients } from "../support/model-clients";
import type { Changes, PlatformStack } from "../support/platform-stack";
import { waitFor } from "../support/wait";

const MINUTE = 60_000;
const PIN = { name: "x-variant", value: "candidate" };

/** The median latency, as a busy machine does not increase it. */
const PROMOTION = { metric: "latencyP50", threshold: 0.005, window: 15, steps: [50, 100] };

export interface Given {
  readonly platform: PlatformStack;
  readonly kubectl: Kubectl;
  /** Folder of the stack's files. */
  readonly folder: string;
  readonly modelUrl: string;
  readonly team: string;
}

/**
 * Tests of two versions of a model, on a stack whose model has one trained version. They run in order: each starts with the
 * stack of the one before.
 */
export function modelVersions(given: () => Given): void {
  const clients = new ModelClients(() => given().modelUrl);
  const weights = () =>
    [...readFileSync(join(given().folder, "Pulumi.e2e.yaml"), "utf8").matchAll(/weight: (\d+)/g)]
      .map(([, weight]) => weight)
      .join("/");

  /** Promotes the candidate under load, and returns the result and the output. */
  async function promoteUnderLoad(rate = 60) {
    const { platform, folder } = given();
    const said: string[] = [];
    const report = (line: string) => {
      console.log(line);
      said.push(line);
    };
    const request = { open: platform.open, workDir: folder, model: "diabetes" };
    const { done, failed } = await clients.during(rate, () => promote(request, report));
    return { promoted: done, said: said.join("\n"), failed };
  }

  /** Updates the stack to these variants under load. No request may fail. */
  async function updateUnderLoad(main: Variant, candidate: Variant): Promise<void> {
    const { platform } = given();
    const { stack, options } = platform.open;
    platform.configure(...serving(main, candidate));
    const { failed } = await clients.during(60, () => stack.up(options));
    expect({ main, candidate, failed }).toEqual({ main, candidate, failed: 0 });
  }

  it(
    "is trained, and served in addition to the first one",
    async () => {
      const { stack, options } = given().platform.open;
      given().platform.configure(
        ...serving({ version: 1, weight: 90 }, { version: "candidate", weight: 10 }),
      );
      await stack.up(options);
      await waitFor(
        "the route",
        30,
        () => clients.version({ [PIN.name]: PIN.value }),
        (version) => version === "2",
      );
      await stack.refresh({ ...options, expectNoChanges: true });
    },
    5 * MINUTE,
  );

  it(
    "gets its share of 10,000 requests, within one percentage point",
    async () => {
      const counts = await clients.shares(10_000);
      console.log(`10,000 requests at 90 to 10: ${JSON.stringify(counts)}`);
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(10_000);
      expect(Math.abs((counts["2"] ?? 0) - 1000)).toBeLessThanOrEqual(100);
    },
    2 * MINUTE,
  );

  it("gets every request with its header", async () => {
    const pinned = await Promise.all(
      Array.from({ length: 100 }, () => clients.version({ [PIN.name]: PIN.value })),
    );
    expect(new Set(pinned)).toEqual(new Set(["2"]));
  });

  it(
    "gets no requests after a change of its weight, in less than a minute",
    async () => {
      const { platform } = given();
      const { stack, options } = platform.open;
      platform.configure(
        ...serving({ version: 1, weight: 90 }, { version: "candidate", weight: 0 }),
      );
      const { changeSummary, stdout } = await stack.preview(options);
      expect({ ...changeSummary, same: undefined }).toEqual({ update: 1 });
      expect(stdout).toMatch(/HTTPRoute\s+demo-serve-diabetes-route\s+update/);
      const start = Date.now();
      await stack.up(options);
      await clients.only("1");
      const seconds = (Date.now() - start) / 1000;
      console.log(`rolled back in ${seconds.toFixed(1)} s`);
      expect(seconds).toBeLessThan(60);
    },
    3 * MINUTE,
  );

  it(
    "is promoted step by step if it meets the conditions",
    async () => {
      const { promoted, said, failed } = await promoteUnderLoad();
      expect({ promoted, failed }).toEqual({ promoted: true, failed: 0 });
      expect(said).toMatch(
        /candidate at 50 %: passed after 15 s: 0\.00 % errors of \d+ answers, latencyP50 [\d.]+ ms/,
      );
      expect(said).toMatch(/candidate at 100 %: passed after 15 s: /);
      expect(weights()).toBe("0/100");
      await clients.only("2");
    },
    5 * MINUTE,
  );

  it(
    "becomes main without a failed request: first the pods of main change, then the weights",
    async () => {
      await updateUnderLoad({ version: 2, weight: 0 }, { version: "candidate", weight: 100 });
      await updateUnderLoad({ version: 2, weight: 100 }, { version: "candidate", weight: 0 });
      await clients.only("2");
    },
    5 * MINUTE,
  );

  describe("is rolled back", () => {
    let bad: { failing: number; slow: number };

    beforeAll(async () => {
      bad = await registerBadVersions(given().kubectl, given().team);
    }, 4 * MINUTE);

    it(
      "if its predictions fail",
      async () => {
        // It gets no requests yet, so none fails.
        await updateUnderLoad({ version: 2, weight: 100 }, { version: bad.failing, weight: 0 });
        const { promoted, said, failed } = await promoteUnderLoad();
        expect({ promoted, failing: failed > 0 }).toEqual({ promoted: false, failing: true });
        expect(said).toMatch(/at 50 %: failed after 1[05] s: 100\.00 % errors of \d+ answers/);
        expect(said).not.toContain("at 100 %");
        expect(weights()).toBe("100/0");
        await clients.only("2");
      },
      5 * MINUTE,
    );

    it(
      "if it is slow",
      async () => {
        await updateUnderLoad({ version: 2, weight: 100 }, { version: bad.slow, weight: 0 });
        // A rate that is low enough for the slow version.
        const { promoted, said, failed } = await promoteUnderLoad(20);
        expect({ promoted, failed }).toEqual({ promoted: false, failed: 0 });
        expect(said).toMatch(/at 50 %: failed after 1[05] s: latencyP50 [\d.]+ ms/);
        expect(weights()).toBe("100/0");
      },
      5 * MINUTE,
    );
  });
}

/** Two variants with one pod each, as the tests count requests and not pods. */
function serving(main: Variant, candidate: Variant): Changes {
  const at = (key: string) => ["team", "models", 0, key] as const;
  return [
    [["team", "training", 0, "run"], 2],
    [["team", "training", 0, "alias"], "candidate"],
    [at("autoscale"), { kind: "none", replicas: 1 }],
    [at("promotion"), PROMOTION],
    [
      at("variants"),
      [
        { name: "main", ...main },
        { name: "candidate", header: PIN, ...candidate },
      ],
    ],
  ];
}

interface Variant {
  readonly version: number | string;
  readonly weight: number;
}
