import { credentialInText } from "../model/credential";
import type { ContainerSpec } from "../model/kubernetes";
import { isRecord } from "../model/shape";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
} as const;

/** Credentials in the arguments of a command: in one argument, or in the value of a flag. */
function inArguments(spec: ContainerSpec): string[] {
  return (["command", "args"] as const).flatMap((field) =>
    (spec[field] ?? []).flatMap((argument, index, all) => {
      const [, assigned, value = argument] = /^--?([\w-]+)=(.*)$/s.exec(argument) ?? [];
      const [, flag] = /^--?([\w-]+)$/.exec(all[index - 1] ?? "") ?? [];
      const isFlag = `${argument}`.startsWith("-");
      const problem = credentialInText(assigned ?? (isFlag ? "" : (flag ?? "")), value);
      return problem === undefined ? [] : `${field}[${index}] ${problem}`;
    }),
  );
}

/** Credentials in the entries of a ConfigMap, which messages name by their indexes. */
function inEntries(field: string, entries: unknown, decode: (value: unknown) => unknown): string[] {
  return isRecord(entries)
    ? Object.entries(entries).flatMap(([key, value], index) => {
        const problem = credentialInText(key, decode(value));
        return problem === undefined ? [] : `${field}, entry ${index + 1}, ${problem}`;
      })
    : [];
}

function fromBase64(value: unknown): string {
  return Buffer.from(`${value}`, "base64").toString("utf8");
}

/** Rules for credentials. */
export const SECRET_RULES: readonly Rule[] = [
  {
    ...base,
    name: "literal-credential",
    description:
      "No credential is in the environment or arguments of a pod, where every user who may list pods can read it.",
    remedy: "Put it in a Secret, and mount the Secret.",
    container: ({ spec }) => [
      ...(spec.env ?? []).flatMap(({ name, value }, index) => {
        const problem = credentialInText(name ?? "", value);
        return problem === undefined ? [] : `env[${index}].value ${problem}`;
      }),
      ...inArguments(spec),
    ],
  },
  {
    ...base,
    name: "credential-in-config-map",
    description: "No credential is in a ConfigMap, which is not encrypted and readable by viewers.",
    remedy: "Put it in a Secret.",
    object: ({ kind, value }) =>
      kind === "ConfigMap"
        ? [
            ...inEntries("data", value.data, (text) => text),
            ...inEntries("binaryData", value.binaryData, fromBase64),
          ]
        : undefined,
  },
  {
    ...base,
    name: "secret-in-environment",
    level: "advisory",
    description: "Secrets are mounted as files: an environment is inherited, dumped and logged.",
    remedy: "Mount the Secret as a volume.",
    container: ({ spec }) => [
      ...(spec.env ?? []).flatMap(({ valueFrom }, index) =>
        valueFrom?.secretKeyRef ? `env[${index}] takes its value from a Secret` : [],
      ),
      ...(spec.envFrom ?? []).flatMap(({ secretRef }, index) =>
        secretRef ? `envFrom[${index}] takes its values from a Secret` : [],
      ),
    ],
  },
  {
    ...base,
    name: "lasting-token",
    description: "Service account tokens expire; those in a Secret never do.",
    remedy: "Request a token when it is needed: kubectl create token.",
    object: ({ kind, value }) =>
      kind === "Secret" && value.type === "kubernetes.io/service-account-token"
        ? "type creates a token that never expires"
        : undefined,
  },
];
