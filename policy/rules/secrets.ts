import { credentialInText } from "../model/credential";
import type { ContainerSpec } from "../model/kubernetes";
import { isRecord } from "../model/shape";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
} as const;

/** Credentials among the arguments of a command: in one, or in the one after a flag. */
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

/** Credentials among the entries of a ConfigMap, which are named by their numbers. */
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

/** Credentials are in Secrets, and reach a process as files. */
export const SECRET_RULES: readonly Rule[] = [
  {
    ...base,
    name: "literal-credential",
    about:
      "No credential stands in a pod's environment or arguments, where everybody who may list pods reads it.",
    remedy: "Put it in a Secret, and mount that.",
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
    about: "No credential stands in a ConfigMap, which is neither encrypted nor kept from viewers.",
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
    about: "Secrets reach a process as files: an environment is inherited, dumped and logged.",
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
    about: "Tokens of accounts expire; those in a Secret never do.",
    remedy: "Ask for a token when it is needed: kubectl create token.",
    object: ({ kind, value }) =>
      kind === "Secret" && value.type === "kubernetes.io/service-account-token"
        ? "type makes a token that never expires"
        : undefined,
  },
];
