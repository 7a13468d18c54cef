import type { Config } from "../config/schema";
import { parseQuantity } from "../model/quantity";
import { join, type KubernetesObject } from "../model/resource";
import { isRecord } from "../model/shape";
import { list, recordAt } from "../model/stack";
import { walk } from "../model/walk";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const VOLUMES = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/";

/** Kinds whose data is lost when their resource is deleted or replaced. */
const KEPT = /^(Namespace|PersistentVolume|PersistentVolumeClaim|StatefulSet)$/;

/** A PersistentVolumeClaim, or a claim template in another object. */
interface Claim {
  /** Path of its spec. */
  readonly path: string;
  readonly spec: Record<string, unknown>;
}

/** Fields with claim templates, in any kind. */
const CLAIM_TEMPLATE = /(^|\.)volumeClaimTemplates?(\[\d+\])?$/;
/** Fields that can contain claim templates. */
const AROUND = /(^|\.)(spec|jobTemplate|template|storage|volumes|ephemeral)(\[\d+\])?$/;

/** @throws UnknownValue if an unknown field may contain one */
function claimsIn({ kind, patch, value }: KubernetesObject): Claim[] {
  // A patch has a partial claim, and a CustomResourceDefinition has the schema of one.
  if (patch || kind === "CustomResourceDefinition") {
    return [];
  }
  if (kind === "PersistentVolumeClaim") {
    return [{ path: "spec", spec: recordAt(value, "spec") }];
  }
  const claims: Claim[] = [];
  walk(value, "", null, ({ owner, key, path }) => {
    const isTemplate = CLAIM_TEMPLATE.test(path);
    const template: unknown = isTemplate || AROUND.test(path) ? Reflect.get(owner, key) : undefined;
    if (isTemplate && isRecord(template)) {
      claims.push({ path: join(path, "spec"), spec: recordAt(template, "spec") });
    }
    return null;
  });
  return claims;
}

function claimProblems({ path, spec }: Claim, { storage }: Config): string[] {
  const { accessModes, storageClassName } = spec;
  const size = parseQuantity(recordAt(spec, "resources", "requests").storage) ?? 0;
  const place = `${path}.resources.requests.storage`;
  return [
    ...(size > 0 ? [] : [`${place} is absent`]),
    ...(size > storage.largest ? [`${place} is above storage.largest`] : []),
    ...(list(accessModes).length > 0 ? [] : [`${path}.accessModes is empty`]),
    ...(storage.classes === undefined || storage.classes.includes(`${storageClassName ?? ""}`)
      ? []
      : [`${path}.storageClassName is not among storage.classes`]),
  ];
}

/** Rules for volumes and data. */
export const STORAGE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "volume-claim",
    description: "A volume has an allowed storage class and size, and is not storage of a node.",
    remedy:
      "Set accessModes, resources.requests.storage, and a storage class of the policy configuration.",
    url: VOLUMES,
    object: (object, config) => [
      ...claimsIn(object).flatMap((claim) => claimProblems(claim, config)),
      ...(object.kind === "PersistentVolume"
        ? ["hostPath", "local"]
            .filter((source) => isRecord(recordAt(object.value, "spec")[source]))
            .map((source) => `spec.${source} is storage of a node`)
        : []),
    ],
  },
  {
    ...base,
    name: "protected-data",
    description:
      "Data, and the objects that contain it, are protected: the engine refuses to delete or replace them by mistake.",
    remedy:
      "Set the resource option protect. To delete the data, set retainData to false in policy/stacks/STACK.json, too.",
    url: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    object: ({ kind, patch, resource }, config) =>
      config.retainData && !patch && KEPT.test(kind) && !resource.protect
        ? "the resource is not protected"
        : undefined,
  },
];
