import { expect, test } from "vitest";
import { autoscalerSpec } from "../../../components/team/serving/autoscaling";
import { declare } from "../../support/declare";
import { objects, only } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const SETTINGS = { target: 50, min: 2, max: 40, scaleDownSeconds: 120 };

test("by request rate: the pods' average of the adapter's metric is held", () => {
  expect(autoscalerSpec("churn-abc", { kind: "requestRate", ...SETTINGS })).toEqual({
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "churn-abc" },
    minReplicas: 2,
    maxReplicas: 40,
    metrics: [
      {
        type: "Pods",
        pods: {
          metric: { name: "inference_requests_per_second" },
          target: { type: "AverageValue", averageValue: "50" },
        },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: "Max",
        policies: [
          { type: "Percent", value: 100, periodSeconds: 15 },
          { type: "Pods", value: 4, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 120,
        policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
      },
    },
  });
});

test("by CPU: a percentage of what the pods ask for is held", () => {
  const { metrics } = autoscalerSpec("churn-abc", { kind: "cpu", ...SETTINGS, target: 70 });
  expect(metrics).toEqual([
    {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
    },
  ]);
});

test("the autoscaler names the Deployment as the cluster does, which has no number of its own", async () => {
  const all = await declare(smallStack());
  expect(only(all, "HorizontalPodAutoscaler").inputs.spec.scaleTargetRef.name).toBe(
    "demo-serve-churn-main-autonamed",
  );
  expect(only(all, "Deployment", "serve-churn-main").inputs.spec).not.toHaveProperty("replicas");
});

test("without an autoscaler the number of pods stands in the Deployment", async () => {
  const stack = smallStack();
  stack.config.team.models[0].autoscale = { kind: "none", replicas: 3 };
  const all = await declare(stack);
  expect(objects(all, "HorizontalPodAutoscaler")).toEqual([]);
  expect(only(all, "Deployment", "serve-churn-main").inputs.spec.replicas).toBe(3);
});
