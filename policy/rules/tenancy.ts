import type { Config } from "../config/schema";
import { containersOf, ROLES } from "../model/parts";
import { podsOf } from "../model/pods";
import type { KubernetesObject } from "../model/resource";
import { list, nameOf, namespaceOf, part, type Stack } from "../model/stack";
import { knownEntries } from "../model/unknown";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/multi-tenancy/",
} as const;

const SERVICE_HOST = /(?:^|[/@.\s"'=])[a-z0-9-]+\.([a-z0-9-]+)\.svc(?=$|[.:/\s"',])/g;
/** The routes of the Gateway API. */
const ROUTE = /^(HTTP|GRPC|TLS|TCP|UDP)Route$/;
const NAMESPACE_LABEL = "kubernetes.io/metadata.name";

/** Places in an object that name a namespace, with the name. */
function named(object: KubernetesObject): [string, unknown][] {
  const { kind, value } = object;
  const places: [string, unknown][] = [];
  if (value.metadata?.namespace) {
    places.push(["metadata.namespace", namespaceOf(object)]);
  }
  if (kind.endsWith("RoleBinding")) {
    list(value.subjects).forEach((subject, index) => {
      places.push([`subjects[${index}].namespace`, part({ subject }, "subject").namespace]);
    });
  }
  if (kind === "NetworkPolicy") {
    places.push(...peers(object));
  }
  if (ROUTE.test(kind)) {
    places.push(...routed(object));
  }
  return places;
}

/** The Gateways that a route attaches to, and the Services that it sends requests to. */
function routed({ value }: KubernetesObject): [string, unknown][] {
  const { parentRefs, rules } = part(value, "spec");
  const references = (path: string, entries: unknown) =>
    list(entries).map((entry, index): [string, unknown] => [
      `${path}[${index}]`,
      part({ entry }, "entry").namespace,
    ]);
  return [
    ...references("spec.parentRefs", parentRefs),
    ...list(rules).flatMap((rule, index) =>
      references(`spec.rules[${index}].backendRefs`, part({ rule }, "rule").backendRefs),
    ),
  ];
}

function peers({ value }: KubernetesObject): [string, unknown][] {
  return (["ingress", "egress"] as const).flatMap((direction) =>
    list(part(value, "spec")[direction]).flatMap((rule, index) =>
      [...list(part({ rule }, "rule").from), ...list(part({ rule }, "rule").to)].map(
        (peer): [string, unknown] => [
          `spec.${direction}[${index}]`,
          part({ peer }, "peer", "namespaceSelector", "matchLabels")[NAMESPACE_LABEL],
        ],
      ),
    ),
  );
}

/** Places in the environment and arguments of an object's pods that name a Service elsewhere. */
function called(object: KubernetesObject): [string, string][] {
  return podsOf(object).flatMap((pod) =>
    ROLES.flatMap((role) => containersOf(pod, role)).flatMap(({ spec, path }) => {
      const texts = [
        ...(spec.env ?? []).map(({ value }, index) => [`${path}.env[${index}]`, value ?? ""]),
        ...(spec.args ?? []).map((text, index) => [`${path}.args[${index}]`, text]),
      ] as [string, string][];
      return texts.flatMap(([place, text]) =>
        [...`${text}`.matchAll(SERVICE_HOST)].map(([, namespace]): [string, string] => [
          place,
          namespace ?? "",
        ]),
      );
    }),
  );
}

function foreign(object: KubernetesObject, stack: Stack, config: Config): string[] {
  const isOurs = (name: unknown) =>
    stack.namespaces.has(`${name}`) || config.network.peers.includes(`${name}`);
  const places = [...named(object), ...called(object)]
    .filter(([, namespace]) => namespace !== undefined && !isOurs(namespace))
    .map(([place]) => place);
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
      "Use a namespace of this stack, or add it to network.peers of the policy configuration.",
    inStack: (object, stack, config) =>
      stack.namespaces.size > 0 ? foreign(object, stack, config) : undefined,
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
    const all = new Set<string>();
    for (const object of stack.objects.filter((other) => namespaceOf(other) === namespace)) {
      for (const [key, value] of knownEntries(object.value)) {
        if (key !== "metadata") {
          collect(value, all);
        }
      }
    }
    found = all;
    known.set(namespace, found);
  }
  return found;
}

function collect(value: unknown, into: Set<string>): void {
  if (typeof value === "string") {
    into.add(value);
  } else if (typeof value === "object" && value !== null) {
    for (const [, item] of knownEntries(value)) {
      collect(item, into);
    }
  }
}
