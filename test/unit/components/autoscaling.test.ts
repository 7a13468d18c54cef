import { expect, test } from "vitest";
import { autoscalerSpec } from "../../../components/team/serving/autoscaling";
import { declare } from "../../support/declare";
import { objects, only } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const SETTINGS = { target: 50, min: 2, max: 40, scaleDownSeconds: 120 };

test("autoscaling by request rate has a target for the pods' average of the adapter's metric", () => {
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

test("autoscaling by CPU has a target in percent of the pods' CPU requests", () => {
  const { metrics } = autoscalerSpec("churn-abc", { kind: "cpu", ...SETTINGS, target: 70 });
  expect(metrics).toEqual([
    {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
    },
  ]);
});

test("the autoscaler has the generated name of the Deployment, and the Deployment has no replicas", async () => {
  const all = await declare(smallStack());
  expect(only(all, "HorizontalPodAutoscaler").inputs.spec.scaleTargetRef.name).toBe(
    "demo-serve-churn-main-autonamed",
  );
  expect(only(all, "Deployment", "serve-churn-main").inputs.spec).not.toHaveProperty("replicas");
});

test("without an autoscaler the Deployment has the number of replicas", async () => {
  const stack = smallStack();
  stack.config.team.models[0].autoscale = { kind: "none", replicas: 3 };
  const all = await declare(stack);
  expect(objects(all, "HorizontalPodAutoscaler")).toEqual([]);
  expect(only(all, "Deployment", "serve-churn-main").inputs.spec.replicas).toBe(3);
});
