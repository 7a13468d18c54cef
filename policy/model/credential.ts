/** Names whose values are credentials. */
const NAME =
  /(password|passwd|passphrase|secret|token|(^|[^a-z])(pass|pwd|api_?key|access_?key(_?id)?|private_?key|secret_?key|credentials?))(_?\d+)?$/;

/** `postgresPassword`, `DB_PASSWORD` and `db-password` as `postgres_password` and `db_password`. */
function snakeCase(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/-/g, "_")
    .toLowerCase();
}

/** Values that are never credentials: booleans, numbers, references to a variable or command. */
const NO_CREDENTIAL =
  /^(|true|false|yes|no|on|off|none|null|-?\d{1,6}(\.\d{1,6})?[a-z]{0,2}|\$\{\w+\}|\$\(.*)$/is;
const SHELL_VARIABLE = /^\$[A-Z_][A-Z\d_]*$/;

/** Whether a text is a path: each segment has one letter case, while random text mixes both. */
function isPath(text: string): boolean {
  return (
    text.startsWith("/") &&
    text.split("/").every((part) => !(/[a-z]/.test(part) && /[A-Z]/.test(part)))
  );
}

function isNoCredential(text: string): boolean {
  return NO_CREDENTIAL.test(text) || SHELL_VARIABLE.test(text) || isPath(text);
}

/** Credentials with a known format. Lengths are limited where a long text would be scanned many times. */
const FORMS: readonly (readonly [string, RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ["an AWS access key", /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22})/],
  ["a GitLab token", /\bglpat-[\w-]{20}/],
  ["a Google API key", /\bAIza[\w-]{35}/],
  ["a Hugging Face token", /\bhf_[A-Za-z0-9]{30}/],
  ["a JSON Web Token", /\beyJ[\w-]{8,400}\.eyJ[\w-]{8,}\./],
  ["an npm token", /\bnpm_[A-Za-z0-9]{36}/],
  ["a PyPI token", /\bpypi-AgE[\w-]{20}/],
  ["a Slack token", /\bxox[abeoprs]-[\w-]{10}/],
  ["a URL with a password", /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]*:[^\s/@$]{3,}@/i],
];

/** How files and commands assign a value to a name. */
const ASSIGNMENTS: readonly RegExp[] = [
  // At the start of a line: `key: value`, `- key: value`, `export KEY=value`.
  /^[ \t]*(?:-[ \t]+|export[ \t]+)*["']?([\w.-]+)["']?[ \t]*[:=][ \t]*["']?([^"'\s,#]+)/gm,
  // In quotes, anywhere: JSON in one line, also inside other text.
  /(?<![\w.-])([\w.-]{1,64})\\?["']?[ \t]{0,8}[:=][ \t]{0,8}\\?["']([^"'\s\\]+)/g,
  // Between other words, as in connection strings; after a comma or parenthesis it is an argument in code.
  /(?<![,(]\s?)(?<=[\s;&?])([\w.-]{1,64})=([^"'\s,;&#]+)/g,
  // A flag of a command and its value.
  /(?:^|\s)--?([\w-]{1,64})[ \t]+([^\s-]\S*)/g,
];

/** Why a value is considered a credential, by its format or its name; undefined if it is not. */
export function credentialIn(name: string, value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") {
    return undefined;
  }
  const text = `${value}`;
  const form = FORMS.find(([, pattern]) => pattern.test(text));
  if (form !== undefined) {
    return `holds ${form[0]}`;
  }
  return NAME.test(snakeCase(name)) && !isNoCredential(text)
    ? "contains a credential, according to its name"
    : undefined;
}

/** The same for a value that may be a whole file or command with several names. */
export function credentialInText(name: string, value: unknown): string | undefined {
  const own = credentialIn(name, value);
  if (own !== undefined || typeof value !== "string") {
    return own;
  }
  return ASSIGNMENTS.some((pattern) =>
    [...value.matchAll(pattern)].some(([, key = "", text]) => credentialIn(key, text)),
  )
    ? "contains a credential in one of its lines"
    : undefined;
}
