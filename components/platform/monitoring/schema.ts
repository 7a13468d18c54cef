import { z } from "zod";
import { checkPods, pod } from "../../config/pod";
import {
  cpu,
  duration,
  existingName,
  existingNamespace,
  httpUrl,
  memory,
  storage,
} from "../../config/types";
import { off } from "../mode";

const settings = {
  retention: duration.default("7d").describe("How long samples are kept"),
  storage: storage.default("10Gi").describe("Size of its volume"),
  storageClass: existingName
    .optional()
    .describe("Storage class of its volume; default: the cluster's"),
  cpu: cpu.default("100m").describe("CPU request"),
  memory: memory.default("512Mi").describe("Memory request and limit"),
  expose: z
    .boolean()
    .default(false)
    .describe("Serve its UI through the Ingress, without authentication"),
  pod,
};

const checks = checkPods({ paths: ["/prometheus", "/etc/prometheus"] });

/** The settings of a Prometheus that is installed. */
export const prometheusSettings = z.strictObject(settings).superRefine(checks);

export const prometheusSchema = z
  .discriminatedUnion("mode", [
    z
      .strictObject({ mode: z.literal("install").describe("Install it"), ...settings })
      .superRefine(checks),
    z.strictObject({
      mode: z.literal("existing").describe("Use an existing one"),
      url: httpUrl("http://prometheus.monitoring.svc:9090").describe("URL inside the cluster"),
      namespace: existingNamespace
        .default("monitoring")
        .describe("Namespace of its pods, which network policies admit to the metrics of models"),
    }),
    off,
  ])
  .prefault({ mode: "install" })
  .describe("Prometheus");
