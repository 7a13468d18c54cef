import { parseQuantity } from "../model/quantity";
import { list, part } from "../model/stack";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const VOLUMES = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/";

/** What is lost when its resource is deleted or replaced. */
const KEPT = /^(Namespace|PersistentVolume|PersistentVolumeClaim|StatefulSet)$/;

/** Data. */
export const STORAGE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "volume-claim",
    about: "A volume is of a class and a size that the stack may use.",
    remedy:
      "Set accessModes, resources.requests.storage, and a storage class of the policy configuration.",
    url: VOLUMES,
    object: ({ kind, patch, value }, config) => {
      if (kind !== "PersistentVolumeClaim" || patch) {
        return undefined;
      }
      const { accessModes, storageClassName } = part(value, "spec");
      const { storage } = part(value, "spec", "resources", "requests");
      const { classes, largest } = config.storage;
      const size = parseQuantity(storage) ?? 0;
      return [
        ...(size > 0 ? [] : ["spec.resources.requests.storage is absent"]),
        ...(size > largest ? ["spec.resources.requests.storage is above storage.largest"] : []),
        ...(list(accessModes).length > 0 ? [] : ["spec.accessModes is empty"]),
        ...(classes === undefined || classes.includes(`${storageClassName ?? ""}`)
          ? []
          : ["spec.storageClassName is not among storage.classes"]),
      ];
    },
  },
  {
    ...base,
    name: "protected-data",
    about:
      "Data and what holds it can't be deleted, nor replaced, by a typo: the engine refuses it.",
    remedy: "Set the resource option protect, or retainData of the policy configuration to false.",
    url: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    object: ({ kind, patch, resource }, config) =>
      config.retainData && !patch && KEPT.test(kind) && !resource.protect
        ? "the resource is not protected"
        : undefined,
  },
];
