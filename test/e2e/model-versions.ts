import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { send } from "../../cli/http";
import { sendLoad } from "../../cli/load";
import { promote } from "../../cli/promote";
import { SAMPLE } from "../../cli/summary";
import { registerBadVersion } from "../support/bad-version";
import type { Kubectl } from "../support/kubectl";
import type { Changes, PlatformStack } from "../support/platform-stack";
import { waitFor } from "../support/wait";

const MINUTE = 60_000;
const PIN = { name: "x-variant", value: "candidate" };

export interface Given {
  platform: PlatformStack;
  kubectl: Kubectl;
  /** Of the stack's files. */
  folder: string;
  modelUrl: string;
  team: string;
}

/** The tests of versions side by side, on a stack whose model has one trained version so far. They tell one story. */
export function modelVersions(given: () => Given): void {
  /** The version that answers a request. */
  async function version(headers: Record<string, string> = {}): Promise<string> {
    const { status, headers: answered } = await send(`${given().modelUrl}/predict`, SAMPLE, {
      headers,
    });
    expect({ status, model: answered["x-model-name"] }).toEqual({ status: 200, model: "diabetes" });
    return `${answered["x-model-version"]}`;
  }

  /** How many of a number of requests each version answers. */
  async function shares(requests: number): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    let left = requests;
    const client = async () => {
      while (left > 0) {
        left -= 1;
        const answered = await version();
        counts[answered] = (counts[answered] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    return counts;
  }

  const only = (wanted: string) =>
    waitFor(
      `version ${wanted} alone`,
      60,
      () => shares(40),
      (counts) => Object.keys(counts).join() === wanted,
    );

  const weights = () =>
    [...readFileSync(join(given().folder, "Pulumi.e2e.yaml"), "utf8").matchAll(/weight: (\d+)/g)]
      .map(([, weight]) => weight)
      .join("/");

  /** Promotes the candidate while people use the model, and tells what was said. */
  async function promoteUnderLoad(): Promise<{ promoted: boolean; said: string; failed: number }> {
    const { platform, folder, modelUrl } = given();
    const said: string[] = [];
    let over = false;
    const users = async (): Promise<number> => {
      let failed = 0;
      while (!over) {
        const { non2xx, errors } = await sendLoad(modelUrl, { rate: 60, seconds: 5 });
        failed += non2xx + errors;
      }
      return failed;
    };
    const load = users();
    const report = (line: string) => {
      console.log(line);
      said.push(line);
    };
    const request = { open: platform.open, workDir: folder, model: "diabetes" };
    const promoted = await promote(request, report).finally(() => {
      over = true;
    });
    return { promoted, said: said.join("\n"), failed: await load };
  }

  it(
    "comes up beside the first one, trained anew",
    async () => {
      const { stack, options } = given().platform.open;
      given().platform.configure(
        ...serving({ version: 1, weight: 90 }, { version: "candidate", weight: 10 }),
      );
      await stack.up(options);
      await waitFor(
        "the route",
        30,
        () => version({ [PIN.name]: PIN.value }),
        (answered) => answered === "2",
      );
      await stack.refresh({ ...options, expectNoChanges: true });
    },
    5 * MINUTE,
  );

  it(
    "gets its share of 10,000 requests, within one of a hundred",
    async () => {
      const counts = await shares(10_000);
      console.log(`10,000 requests at 90 to 10: ${JSON.stringify(counts)}`);
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(10_000);
      expect(Math.abs((counts["2"] ?? 0) - 1000)).toBeLessThanOrEqual(100);
    },
    2 * MINUTE,
  );

  it("gets every request of who is pinned to it", async () => {
    const pinned = await Promise.all(
      Array.from({ length: 100 }, () => version({ [PIN.name]: PIN.value })),
    );
    expect(new Set(pinned)).toEqual(new Set(["2"]));
  });

  it(
    "loses all of them again by one line, in less than a minute",
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
      await only("1");
      const seconds = (Date.now() - start) / 1000;
      console.log(`rolled back in ${seconds.toFixed(1)} s`);
      expect(seconds).toBeLessThan(60);
    },
    3 * MINUTE,
  );

  it(
    "is promoted step by step while it holds",
    async () => {
      const { promoted, said, failed } = await promoteUnderLoad();
      expect({ promoted, failed }).toEqual({ promoted: true, failed: 0 });
      expect(said).toMatch(
        /candidate at 50 %: holds: 0\.00 % errors of \d+ answers, latencyP99 [\d.]+ ms/,
      );
      expect(said).toMatch(/candidate at 100 %: holds: /);
      expect(weights()).toBe("0/100");
      await only("2");
    },
    5 * MINUTE,
  );

  it(
    "goes back by itself where it does not",
    async () => {
      const { platform, kubectl, team } = given();
      const bad = await registerBadVersion(kubectl, team);
      platform.configure(...serving({ version: 2, weight: 100 }, { version: bad, weight: 0 }));
      const { stack, options } = platform.open;
      await stack.up(options);
      const { promoted, said, failed } = await promoteUnderLoad();
      expect({ promoted, failing: failed > 0 }).toEqual({ promoted: false, failing: true });
      expect(said).toMatch(/candidate at 50 %: does not hold: 100\.00 % errors of \d+ answers/);
      expect(said).not.toContain("at 100 %");
      expect(weights()).toBe("100/0");
      await only("2");
    },
    8 * MINUTE,
  );
}

/** Two variants, and few pods: it is requests that are counted here. */
function serving(main: Variant, candidate: Variant): Changes {
  const at = (key: string) => ["team", "models", 0, key] as const;
  return [
    [["team", "training", 0, "run"], 2],
    [["team", "training", 0, "alias"], "candidate"],
    [at("autoscale"), { kind: "none", replicas: 1 }],
    [at("promotion"), { threshold: 0.5, window: 15, steps: [50, 100] }],
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
  version: number | string;
  weight: number;
}
