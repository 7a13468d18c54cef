import type { Config } from "../config/schema";
import type { KubernetesValue } from "../model/kubernetes";
import type { KubernetesObject } from "../model/resource";
import {
  list,
  NAMESPACE_NAME,
  nameOf,
  namespaceOf,
  part,
  RESERVED_NAMESPACES,
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

/** The name of a Service in DNS, in small letters: `sklearn.svm.SVC` is a class. */
const SERVICE_HOST = /(?<![a-z0-9-])([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?![a-z0-9-])/g;
const API_SERVER = "kubernetes.default";
/** Maps whose keys are anybody's, so that `namespace` is a word among others. */
const FREE_FORM =
  /^(annotations|binaryData|data|labels|matchLabels|nodeSelector|selector|stringData)$/;
/** A place in an object that names a namespace. */
interface Mention {
  readonly path: string;
  readonly namespace: unknown;
}

/**
 * Every place in an object that names a namespace, by a field of that meaning or in the host of a Service,
 * and every field that is not known and may name one.
 */
function mentionsIn({ value }: KubernetesObject): { mentions: Mention[]; unclear: Field[] } {
  const mentions: Mention[] = [];
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

/** Namespaces of the Services whose hosts a text names; every pod may call the API server. */
function hosted(node: unknown): string[] {
  return typeof node === "string"
    ? [...node.matchAll(SERVICE_HOST)]
        .filter(([, service, namespace]) => `${service}.${namespace}` !== API_SERVER)
        .map(([, , namespace = ""]) => namespace)
    : [];
}

/** Namespaces that a field names by its meaning. */
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

/** Namespaces that a selector names, by the label of their names or, as operators have it, by a list. */
function selected(selector: unknown): unknown[] {
  const { matchExpressions, matchLabels, matchNames } = part({ selector }, "selector");
  const named = part({ matchLabels }, "matchLabels")[NAMESPACE_NAME];
  return [
    ...(named === undefined ? [] : [named]),
    ...list(matchNames),
    ...list(matchExpressions)
      .map((expression) => part({ expression }, "expression"))
      .filter(({ key, operator }) => key === NAMESPACE_NAME && operator === "In")
      .flatMap(({ values }) => list(values)),
  ];
}

function foreign(object: KubernetesObject, stack: Stack, config: Config): string[] {
  const peers: ReadonlySet<unknown> = new Set(config.network.peers);
  // A stack that creates no namespace says in its configuration which ones it works in.
  const own: ReadonlySet<unknown> = stack.namespaces.size > 0 ? stack.namespaces : peers;
  const home = object.value.metadata?.namespace;
  const isOurs = ({ path, namespace }: Mention) =>
    path === "metadata.namespace"
      ? // Objects in the system's namespaces are found by own-namespace.
        own.has(namespace) || RESERVED_NAMESPACES.has(namespace)
      : namespace === home || own.has(namespace) || peers.has(namespace);
  const { mentions, unclear } = mentionsIn(object);
  const places = mentions.filter((mention) => !isOurs(mention)).map(({ path }) => path);
  const [first] = unclear;
  if (first !== undefined && places.length === 0) {
    // Throws: nothing is wrong with what is known.
    Reflect.get(first.owner, first.key);
  }
  return [...new Set(places)].map((place) => `${place} names a namespace of somebody else`);
}

/** Kinds that something else in the stack has to name, or they do nothing. */
const REFERENCED = /^(ConfigMap)$/;

/** What a stack has to do with others, and with itself. */
export const TENANCY_RULES: readonly Rule[] = [
  {
    ...base,
    name: "foreign-namespace",
    about: "A stack's objects stay in its own namespaces, and name nobody else's.",
    remedy:
      "Use a namespace of this stack. Others that it may name are in network.peers of the policy configuration, and so are those in which a stack without a Namespace works.",
    inStack: foreign,
  },
  {
    ...base,
    name: "unused-config-map",
    level: "advisory",
    about: "What nothing uses is not kept.",
    remedy: "Remove it, or mount it.",
    inStack: (object, stack) =>
      REFERENCED.test(object.kind) && !isNamed(object, stack)
        ? "no object of this stack names it"
        : undefined,
  },
];

/** Whether an object of the same namespace says the name of this one. */
function isNamed(object: KubernetesObject, stack: Stack): boolean {
  const namespace = namespaceOf(object);
  const found = textsOf(stack, namespace).has(nameOf(object));
  if (!found) {
    // Reads every field: the name may stand in one that is not known.
    JSON.stringify(stack.objects.filter((other) => namespaceOf(other) === namespace));
  }
  return found;
}

const texts = new WeakMap<Stack, Map<string, ReadonlySet<string>>>();

/** All texts in the objects of a namespace, but for what they say of themselves. */
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
