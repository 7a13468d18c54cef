import type { Config } from "../config/schema";
import type { KubernetesValue } from "../model/kubernetes";
import type { KubernetesObject } from "../model/resource";
import {
  list,
  NAMESPACE_NAME,
  nameOf,
  namespaceOf,
  RESERVED_NAMESPACES,
  recordAt,
  type Stack,
} from "../model/stack";
import { isUnknown, knownField } from "../model/unknown";
import { type Field, walk } from "../model/walk";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/multi-tenancy/",
} as const;

/** DNS name of a Service, in lower case, as `sklearn.svm.SVC` is a class. */
const SERVICE_HOST = /(?<![a-z0-9-])([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?![a-z0-9-])/g;
const API_SERVER = "kubernetes.default";
/** Maps with arbitrary keys, in which `namespace` has no special meaning. */
const FREE_FORM =
  /^(annotations|binaryData|data|labels|matchLabels|nodeSelector|selector|stringData)$/;
/** A reference to a namespace in an object. */
interface NamespaceReference {
  readonly path: string;
  readonly namespace: unknown;
}

/**
 * All references to namespaces in an object, in a field for namespaces or in the host of a Service, and all
 * unknown fields that may contain one.
 */
function referencesIn({ value }: KubernetesObject): {
  mentions: NamespaceReference[];
  unclear: Field[];
} {
  const mentions: NamespaceReference[] = [];
  const unclear: Field[] = [];
  walk(value, "", true, (field, hasMeaning) => {
    const { owner, key, path } = field;
    if (!isUnknown(owner, key)) {
      const node: unknown = Reflect.get(owner, key);
      const named = [...hosted(node), ...(hasMeaning ? meant(key, node) : [])];
      mentions.push(...named.map((namespace) => ({ path, namespace })));
    } else if (key !== "image") {
      unclear.push(field);
    }
    return hasMeaning && !FREE_FORM.test(key);
  });
  return { mentions, unclear };
}

/** Namespaces in the hosts of Services in a text, except for the API server, which every pod may call. */
function hosted(node: unknown): string[] {
  return typeof node === "string"
    ? [...node.matchAll(SERVICE_HOST)]
        .filter(([, service, namespace]) => `${service}.${namespace}` !== API_SERVER)
        .map(([, , namespace = ""]) => namespace)
    : [];
}

/** Namespaces in a field for namespaces. */
function meant(key: string, node: unknown): unknown[] {
  switch (key) {
    case "namespace":
      return typeof node === "string" && node !== "" ? [node] : [];
    case "namespaces":
      return list(node).filter((one) => typeof one === "string");
    case "namespaceSelector":
      return selected(node);
    default:
      return [];
  }
}

/** Namespaces in a selector, by the label with their names or, for operators, by a list. */
function selected(selector: unknown): unknown[] {
  const { matchExpressions, matchLabels, matchNames } = recordAt({ selector }, "selector");
  const named = recordAt({ matchLabels }, "matchLabels")[NAMESPACE_NAME];
  return [
    ...(named === undefined ? [] : [named]),
    ...list(matchNames),
    ...list(matchExpressions)
      .map((expression) => recordAt({ expression }, "expression"))
      .filter(({ key, operator }) => key === NAMESPACE_NAME && operator === "In")
      .flatMap(({ values }) => list(values)),
  ];
}

function foreign(object: KubernetesObject, stack: Stack, config: Config): string[] {
  const peers: ReadonlySet<unknown> = new Set(config.network.peers);
  // A stack without a Namespace has its namespaces in the configuration.
  const own: ReadonlySet<unknown> = stack.namespaces.size > 0 ? stack.namespaces : peers;
  const home = object.value.metadata?.namespace;
  const isOurs = ({ path, namespace }: NamespaceReference) =>
    path === "metadata.namespace"
      ? // own-namespace reports objects in the namespaces of the cluster.
        own.has(namespace) || RESERVED_NAMESPACES.has(namespace)
      : namespace === home || own.has(namespace) || peers.has(namespace);
  const { mentions, unclear } = referencesIn(object);
  const places = mentions.filter((mention) => !isOurs(mention)).map(({ path }) => path);
  const [first] = unclear;
  if (first !== undefined && places.length === 0) {
    // Throws: the known fields have no violations.
    Reflect.get(first.owner, first.key);
  }
  return [...new Set(places)].map((place) => `${place} refers to a namespace of another stack`);
}

/** Kinds that have no effect unless another object refers to them. */
const REFERENCED = /^(ConfigMap)$/;

/** Rules for references between objects. */
export const TENANCY_RULES: readonly Rule[] = [
  {
    ...base,
    name: "foreign-namespace",
    description: "The objects of a stack are in its own namespaces, and do not refer to others.",
    remedy:
      "Use a namespace of this stack. Other allowed namespaces are in network.peers of the policy configuration, and so are those of a stack without a Namespace.",
    inStack: foreign,
  },
  {
    ...base,
    name: "unused-config-map",
    level: "advisory",
    description: "Every ConfigMap is used.",
    remedy: "Remove it, or use it.",
    inStack: (object, stack) =>
      REFERENCED.test(object.kind) && !isNamed(object, stack)
        ? "no object of this stack uses it"
        : undefined,
  },
];

/** Whether another object of the namespace contains the name of this one. */
function isNamed(object: KubernetesObject, stack: Stack): boolean {
  const namespace = namespaceOf(object);
  const found = textsOf(stack, namespace).has(nameOf(object));
  if (!found) {
    // Reads every field: an unknown one may contain the name.
    JSON.stringify(stack.objects.filter((other) => namespaceOf(other) === namespace));
  }
  return found;
}

const texts = new WeakMap<Stack, Map<string, ReadonlySet<string>>>();

/** All strings in the objects of a namespace, except for their metadata. */
function textsOf(stack: Stack, namespace: string): ReadonlySet<string> {
  const known = texts.get(stack) ?? new Map<string, ReadonlySet<string>>();
  texts.set(stack, known);
  let found = known.get(namespace);
  if (found === undefined) {
    const others = stack.objects.filter((other) => namespaceOf(other) === namespace);
    found = new Set(others.flatMap(({ value }) => textsIn(value)));
    known.set(namespace, found);
  }
  return found;
}

function textsIn(value: KubernetesValue): string[] {
  const found: string[] = [];
  walk(value, "", null, ({ owner, key, path }) => {
    const node = knownField(owner, key);
    if (typeof node === "string") {
      found.push(node);
    }
    return path === "metadata" ? undefined : null;
  });
  return found;
}
