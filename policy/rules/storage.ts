import type { Config } from "../config/schema";
import { parseQuantity } from "../model/quantity";
import { join, type KubernetesObject } from "../model/resource";
import { isRecord } from "../model/shape";
import { list, part } from "../model/stack";
import { walk } from "../model/walk";
import type { Rule } from "./rule";

const base = { pack: "platform", level: "mandatory" } as const;
const VOLUMES = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/";

/** What is lost when its resource is deleted or replaced. */
const KEPT = /^(Namespace|PersistentVolume|PersistentVolumeClaim|StatefulSet)$/;

/** A claim of a volume: an object of its own, or a part of one that makes claims. */
interface Claim {
  /** Where its spec stands. */
  readonly path: string;
  readonly spec: Record<string, unknown>;
}

/** The fields from which controllers make claims, whatever their kind. */
const CLAIM_TEMPLATE = /(^|\.)volumeClaimTemplates?(\[\d+\])?$/;
/** Fields that these are found in. */
const AROUND = /(^|\.)(spec|jobTemplate|template|storage|volumes|ephemeral)(\[\d+\])?$/;

/** @throws UnknownValue where a field that is not known may hold one */
function claimsIn({ kind, patch, value }: KubernetesObject): Claim[] {
  // A patch has a part of a claim, and the definition of a kind describes what one looks like.
  if (patch || kind === "CustomResourceDefinition") {
    return [];
  }
  if (kind === "PersistentVolumeClaim") {
    return [{ path: "spec", spec: part(value, "spec") }];
  }
  const claims: Claim[] = [];
  walk(value, "", null, ({ owner, key, path }) => {
    const isTemplate = CLAIM_TEMPLATE.test(path);
    const template: unknown = isTemplate || AROUND.test(path) ? Reflect.get(owner, key) : undefined;
    if (isTemplate && isRecord(template)) {
      claims.push({ path: join(path, "spec"), spec: part(template, "spec") });
    }
    return null;
  });
  return claims;
}

function claimProblems({ path, spec }: Claim, { storage }: Config): string[] {
  const { accessModes, storageClassName } = spec;
  const size = parseQuantity(part(spec, "resources", "requests").storage) ?? 0;
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

/** Data. */
export const STORAGE_RULES: readonly Rule[] = [
  {
    ...base,
    name: "volume-claim",
    about: "A volume is of a class and a size that the stack may use, and no part of a node.",
    remedy:
      "Set accessModes, resources.requests.storage, and a storage class of the policy configuration.",
    url: VOLUMES,
    object: (object, config) => [
      ...claimsIn(object).flatMap((claim) => claimProblems(claim, config)),
      ...(object.kind === "PersistentVolume"
        ? ["hostPath", "local"]
            .filter((source) => isRecord(part(object.value, "spec")[source]))
            .map((source) => `spec.${source} is a part of a node`)
        : []),
    ],
  },
  {
    ...base,
    name: "protected-data",
    about:
      "Data and what holds it can't be deleted, nor replaced, by a typo: the engine refuses it.",
    remedy:
      "Set the resource option protect. Where the data is to go, set retainData to false in policy/stacks/STACK.json, too.",
    url: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    object: ({ kind, patch, resource }, config) =>
      config.retainData && !patch && KEPT.test(kind) && !resource.protect
        ? "the resource is not protected"
        : undefined,
  },
];
