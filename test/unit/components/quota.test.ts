import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quotaLimits } from "../../../components/team/namespace/team-namespace";
import { teamDemand } from "../../../components/team/quota";
import { declare } from "../../support/declare";
import type { Inputs } from "../../support/mocks";
import { containers, objects, only, podTemplates } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const small = { cpu: "100m", memory: "256Mi", gpus: 0 };

function team(changes: Inputs = {}): Inputs {
  return {
    data: { size: "10Gi", volumes: [], sources: [] },
    tracking: { storage: "5Gi", resources: { cpu: "100m", memory: "1Gi", gpus: 0 } },
    training: [],
    models: [],
    ...changes,
  };
}

describe("the maximum demand of a team", () => {
  test("is that of the tracking server if nothing else runs", () => {
    expect(teamDemand(team())).toEqual({
      cpu: 0.1,
      memory: 2 ** 30,
      storage: 15 * 2 ** 30,
      gpus: 0,
      pods: 1,
    });
  });

  test("includes the maximum number of pods of every model, and one more for a rollout", () => {
    const models = [
      { resources: small, autoscale: { kind: "requestRate", max: 20 } },
      { resources: { ...small, gpus: 2 }, autoscale: { kind: "none", replicas: 3 } },
    ];
    expect(teamDemand(team({ models }))).toMatchObject({ cpu: 2.6, gpus: 8, pods: 26 });
  });

  test("includes each training job once", () => {
    const training = [{ resources: { cpu: "4", memory: "16Gi", gpus: 4 } }, { resources: small }];
    expect(teamDemand(team({ training }))).toMatchObject({ cpu: 4.2, gpus: 4, pods: 3 });
  });

  test("is exact to a thousandth of a core for any number of pods", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 1000 }))),
        (models) => {
          const { cpu } = teamDemand(
            team({
              models: models.map(([milli, max]) => ({
                resources: { ...small, cpu: `${milli}m` },
                autoscale: { kind: "cpu", max },
              })),
            }),
          );
          const exact = models.reduce((sum, [milli, max]) => sum + milli * (max + 1), 100);
          expect(cpu).toBe(exact / 1000);
        },
      ),
    );
  });

  test("fits into a quota of the same size", async () => {
    const { config } = smallStack();
    // Twenty-one models at 200m and 512Mi, training at 500m and 1Gi, tracking at 100m and 1Gi.
    config.team.quota = { cpu: "4800m", memory: "12800Mi", storage: "20Gi", pods: 23 };
    expect(objects(await declare({ config }), "ResourceQuota")).toHaveLength(1);
  });
});

test("the quota restricts requests, and also the limits of memory", () => {
  const quota = { cpu: "16", memory: "32Gi", storage: "100Gi", gpus: 2, pods: 50 };
  expect(quotaLimits(quota)).toMatchObject({
    "requests.cpu": "16",
    "requests.memory": "32Gi",
    "limits.memory": "32Gi",
    "requests.storage": "100Gi",
    "requests.nvidia.com/gpu": "2",
    pods: "50",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
  });
});

test("the quota admits the program's objects, and containers without resources get defaults", async () => {
  const all = await declare(smallStack());
  const { hard } = only(all, "ResourceQuota").inputs.spec;
  const inNamespace = (kind: string) =>
    objects(all, kind).filter(({ inputs }) => inputs.metadata.namespace === "demo").length;
  expect(inNamespace("Job")).toBeLessThanOrEqual(Number(hard["count/jobs.batch"]));
  expect(inNamespace("Deployment")).toBeLessThanOrEqual(Number(hard["count/deployments.apps"]));
  expect(inNamespace("Secret")).toBeLessThan(Number(hard.secrets));
  const [{ type, default: limits, defaultRequest }] = only(all, "LimitRange").inputs.spec.limits;
  expect(type).toBe("Container");
  expect(Object.keys(limits).sort()).toEqual(Object.keys(defaultRequest).sort());
  // A quota on requests makes them mandatory, and the LimitRange adds missing ones.
  expect(Object.keys(defaultRequest)).toEqual(expect.arrayContaining(["cpu", "memory"]));
  const ours = podTemplates(all).flatMap(containers) as Inputs[];
  expect(ours.filter(({ resources }) => !resources)).toEqual([]);
});
