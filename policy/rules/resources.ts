import type { Volume } from "../model/kubernetes";
import { parseQuantity } from "../model/quantity";
import { recordAt } from "../model/stack";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
} as const;

const NAMED = ["cpu", "memory", "ephemeral-storage"] as const;
const GPU = /(^|[./])gpu(\.|$|-)|^nvidia\.com\//;

/** Rules for requests and limits. */
export const RESOURCE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "resources-set",
    description:
      "Every container has requests and limits, so that it cannot use all resources of its node.",
    remedy: "Set requests and limits of cpu, memory and ephemeral-storage.",
    container: ({ spec }) =>
      (["requests", "limits"] as const).flatMap((side) => {
        const missing = NAMED.filter((name) => (spec.resources?.[side]?.[name] ?? "") === "");
        return missing.length === 0 ? [] : `resources.${side} does not have ${missing.join(", ")}`;
      }),
  },
  {
    ...base,
    name: "resource-ceiling",
    description: "No container has limits above the ceiling of the stack.",
    remedy: "Lower the limit, or raise resources.ceiling in the policy configuration.",
    container: ({ spec }, config) =>
      NAMED.flatMap((name) => {
        const limit = spec.resources?.limits?.[name];
        const amount = parseQuantity(limit ?? 0);
        if (amount === undefined) {
          return `resources.limits.${name} is not a quantity`;
        }
        return amount > config.resources.ceiling[name]
          ? `resources.limits.${name} is above the ceiling`
          : [];
      }),
  },
  {
    ...base,
    name: "limit-ratio",
    description: "A limit is close to its request, so that nodes are not overcommitted.",
    remedy:
      "Raise the request, lower the limit, or raise resources.ratio in the policy configuration.",
    container: ({ spec }, config) =>
      NAMED.flatMap((name) => {
        const request = parseQuantity(spec.resources?.requests?.[name]);
        const limit = parseQuantity(spec.resources?.limits?.[name]);
        if (request === undefined || limit === undefined) {
          return [];
        }
        if (request > limit) {
          return `resources.requests.${name} is above its limit`;
        }
        // Quantities are decimal fractions; a tolerance of a thousandth is for binary rounding.
        const factor = config.resources.ratio[name];
        return limit > request * factor * 1.001
          ? `resources.limits.${name} is more than ${factor} times its request`
          : [];
      }),
  },
  {
    ...base,
    name: "gpu-request",
    description:
      "The number of GPUs is an integer, equal in requests and limits, and not above the maximum of the stack.",
    remedy: "Set the GPU only in resources.limits, as an integer.",
    container: ({ spec }, config) => {
      const limits = spec.resources?.limits ?? {};
      const requests = spec.resources?.requests ?? {};
      return [...new Set([...Object.keys(limits), ...Object.keys(requests)])]
        .filter((name) => GPU.test(name))
        .flatMap((name) => {
          const limit = parseQuantity(limits[name]) ?? Number.NaN;
          const request = parseQuantity(requests[name] ?? limits[name]);
          if (!Number.isInteger(limit) || request !== limit) {
            return `resources of ${name} are not one integer`;
          }
          return limit > config.resources.gpus
            ? `resources.limits.${name} is above the maximum`
            : [];
        });
    },
  },
  {
    ...base,
    name: "scratch-limit",
    description:
      "An emptyDir volume has a size limit, so that it cannot fill the disk or memory of its node.",
    remedy: "Set emptyDir.sizeLimit.",
    url: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
    pod: ({ spec }) =>
      (spec.volumes ?? []).flatMap((volume, index) =>
        isScratch(volume) && !((parseQuantity(recordAt(volume, "emptyDir").sizeLimit) ?? 0) > 0)
          ? `volumes[${index}].emptyDir has no sizeLimit`
          : [],
      ),
  },
];

/** Whether a volume is an emptyDir; a volume without a source is one, too. */
function isScratch(volume: Volume): boolean {
  const sources = Object.keys(volume).filter(
    (key) => key !== "name" && (volume[key] ?? undefined) !== undefined,
  );
  return sources.length === 0 || sources.includes("emptyDir");
}
