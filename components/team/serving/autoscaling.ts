import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { REQUEST_RATE_METRIC } from "../../platform/contract";
import type { AutoscaleConfig } from "./schema";

type Scaled = Exclude<AutoscaleConfig, { kind: "none" }>;

/** The metric of a HorizontalPodAutoscaler. */
export function scalingMetric({ kind, target }: Scaled): types.input.autoscaling.v2.MetricSpec {
  return kind === "cpu"
    ? {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: target } },
      }
    : {
        type: "Pods",
        pods: {
          metric: { name: REQUEST_RATE_METRIC },
          target: { type: "AverageValue", averageValue: `${target}` },
        },
      };
}

/**
 * A HorizontalPodAutoscaler's spec. It scales up without a delay, to twice the pods or four more in 15 seconds, whichever is more. It
 * scales down when the load was lower for `scaleDownSeconds`.
 */
export function autoscalerSpec(
  deployment: pulumi.Input<string>,
  settings: Scaled,
): types.input.autoscaling.v2.HorizontalPodAutoscalerSpec {
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
    minReplicas: settings.min,
    maxReplicas: settings.max,
    metrics: [scalingMetric(settings)],
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
        stabilizationWindowSeconds: settings.scaleDownSeconds,
        policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
      },
    },
  };
}
