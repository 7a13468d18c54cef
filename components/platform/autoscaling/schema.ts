import { z } from "zod";
import { checkPods, pod } from "../../config/pod";
import { duration, seconds } from "../../config/types";
import { off } from "../mode";
import { MODEL_SCRAPE_INTERVAL } from "../monitoring/prometheus-config";

/** A rate needs two samples of each counter: seconds. */
export const SHORTEST_RATE = 2 * seconds(MODEL_SCRAPE_INTERVAL);

const settings = {
  replicas: z.int().min(1).max(10).default(1).describe("Number of pods"),
  // Four scrapes of 5 s: the shortest window that tolerates lost ones. The rate follows the load within one window.
  rateWindow: duration
    .refine(
      (text) => seconds(text) >= SHORTEST_RATE,
      `is too short: a rate needs two scrapes; set ${SHORTEST_RATE}s or more`,
    )
    .default("20s")
    .describe("Window of the request rate"),
  relistInterval: duration.default("10s").describe("Interval at which it lists metric names"),
  certificateSerial: z
    .int()
    .min(1)
    .default(1)
    .describe("Increase it to replace the serving certificate, if it is not from cert-manager"),
  pod,
};

const checks = checkPods({ paths: ["/tmp", "/config", "/certificate"] });

/** The settings of a metrics adapter that is installed. */
export const metricsAdapterSettings = z.strictObject(settings).superRefine(checks);

export const metricsAdapterSchema = z
  .discriminatedUnion("mode", [
    z
      .strictObject({ mode: z.literal("install").describe("Install it"), ...settings })
      .superRefine(checks),
    z.strictObject({
      mode: z
        .literal("existing")
        .describe("Use an existing one, which serves inference_requests_per_second"),
    }),
    off,
  ])
  .prefault({ mode: "install" })
  .describe("Custom metrics API, which autoscaling by request rate uses");
