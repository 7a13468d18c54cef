import type { ContainerSpec } from "../model/kubernetes";
import { isRecord } from "../model/pods";
import type { Rule } from "./rule";

const base = {
  pack: "platform",
  level: "mandatory",
  url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
} as const;

const NAME =
  /(^|[^a-z])(password|passwd|passphrase|pwd|secret|token|api_?key|access_?key(_?id)?|private_?key|secret_?key|credentials?)$/;

/** `postgresPassword`, `DB_PASSWORD` and `db-password` as `postgres_password` and `db_password`. */
function snakeCase(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/-/g, "_")
    .toLowerCase();
}

/** Values that are no credential whatever their name: switches, numbers, paths, references. */
const HARMLESS =
  /^(|true|false|yes|no|on|off|none|null|-?\d+(\.\d+)?[a-z]{0,2}|\/.*|\$\(\w+\)|\$\{\w+\})$/i;

/** Credentials that are known by their form. */
const FORMS: readonly (readonly [string, RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ["an AWS access key", /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22})/],
  ["a GitLab token", /\bglpat-[\w-]{20}/],
  ["a Google API key", /\bAIza[\w-]{35}/],
  ["a Hugging Face token", /\bhf_[A-Za-z0-9]{30}/],
  ["a JSON Web Token", /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\./],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}/],
  ["a PyPI token", /\bpypi-AgE[\w-]{20}/],
  ["a Slack token", /\bxox[abeoprs]-[\w-]{10}/],
  ["a URL with a password", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@$]{3,}@/i],
];

/** A line of a configuration file that gives a credential its value. */
const LINE = /^\s*["']?([\w.-]+)["']?\s*[:=]\s*["']?([^"'\s,#]+)/;

/** Why a text looks like a credential; undefined where it does not. */
export function credentialIn(name: string, text: unknown): string | undefined {
  if (typeof text !== "string") {
    return undefined;
  }
  const form = FORMS.find(([, pattern]) => pattern.test(text));
  if (form !== undefined) {
    return `holds ${form[0]}`;
  }
  return NAME.test(snakeCase(name)) && !HARMLESS.test(text)
    ? "holds a credential, by its name"
    : undefined;
}

/** The same for a whole file, line by line. */
function credentialInFile(name: string, text: unknown): string | undefined {
  const own = credentialIn(name, text);
  if (own !== undefined || typeof text !== "string") {
    return own;
  }
  const lines = text.split("\n").map((line) => LINE.exec(line));
  return lines.some((line) => line && credentialIn(line[1] ?? "", line[2]) !== undefined)
    ? "holds a credential in one of its lines"
    : undefined;
}

function inArguments(spec: ContainerSpec): string[] {
  return (["command", "args"] as const).flatMap((field) =>
    (spec[field] ?? []).flatMap((argument, index) => {
      const [, flag = "", value = argument] = /^--?([\w-]+)=(.*)$/s.exec(argument) ?? [];
      const problem = credentialIn(flag, value);
      return problem === undefined ? [] : `${field}[${index}] ${problem}`;
    }),
  );
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
        const problem = credentialIn(name ?? "", value);
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
      kind === "ConfigMap" && isRecord(value.data)
        ? Object.entries(value.data).flatMap(([key, text], index) => {
            const problem = credentialInFile(key, text);
            return problem === undefined ? [] : `data, entry ${index + 1}, ${problem}`;
          })
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
