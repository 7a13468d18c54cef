import { z } from "zod";
import { checkPods, pod } from "../../config/pod";
import { off } from "../mode";

const settings = {
  timeSlicing: z
    .int()
    .min(2)
    .max(48)
    .optional()
    .describe("Number of containers that share one GPU by time-slicing; default: no sharing"),
  migStrategy: z
    .enum(["none", "single", "mixed"])
    .default("none")
    .describe("How MIG devices are named"),
  pod,
};

const checks = checkPods({
  paths: ["/tmp", "/config", "/var/lib/kubelet/device-plugins"],
  env: ["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_MIG_MONITOR_DEVICES"],
});

/** The settings of a device plugin that is installed. */
export const devicePluginSettings = z.strictObject(settings).superRefine(checks);

export const devicePluginSchema = z
  .discriminatedUnion("mode", [
    z
      .strictObject({ mode: z.literal("install").describe("Install it"), ...settings })
      .superRefine(checks),
    z.strictObject({
      mode: z
        .literal("existing")
        .describe("Use an existing one, for example that of the GPU operator"),
    }),
    off,
  ])
  .prefault({ mode: "off" })
  .describe("NVIDIA device plugin, which offers GPUs to pods");
