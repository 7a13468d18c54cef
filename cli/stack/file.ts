import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseDocument } from "yaml";
import { check, errorReport } from "../../components/config/errors";
import { parseValue } from "../../components/config/load";
import { SECRET_KEYS, type StackConfig, stackSchema } from "../../components/config/schema";
import { ROOT } from "../common/root";

const PROJECT = "ml-platform";
const PREFIX = `${PROJECT}:`;

/** The path of a stack's file. */
export function stackFile(name: string, workDir = ROOT): string {
  return join(workDir, `Pulumi.${name}.yaml`);
}

/**
 * The configuration in a stack file, checked by the program's schema and with its defaults. A secret is its encrypted text.
 * @throws Error naming every mistake with key, reason and remedy, or the file where it does not exist
 */
export function stackConfig(name: string, workDir = ROOT): StackConfig {
  const file = stackFile(name, workDir);
  return checkedConfig(keysIn(file), basename(file));
}

/**
 * Checks the text of a stack file.
 * @param file its name, for messages
 * @throws Error naming every mistake
 */
export function configOf(text: string, file: string): StackConfig {
  return checkedConfig(keysOf(text, file), file);
}

function checkedConfig(keys: Record<string, unknown>, file: string): StackConfig {
  const { data, errors } = check(stackSchema, keys);
  if (data) {
    return data;
  }
  throw new Error(errorReport(errors, PROJECT, file));
}

/** The name of the local cluster that a stack is on, if it is on one. */
export function labOf(name: string, workDir = ROOT): string | undefined {
  return labAt(stackConfig(name, workDir).cluster.kubeconfig);
}

/** The same for a file whose configuration may have mistakes: Pulumi's CLI may be what corrects them. */
export function uncheckedLabOf(name: string, workDir = ROOT): string | undefined {
  const { cluster } = keysIn(stackFile(name, workDir));
  return labAt((cluster as { kubeconfig?: unknown } | undefined)?.kubeconfig);
}

/** The name of the local cluster whose kubeconfig has this path. */
export function labAt(kubeconfig: unknown): string | undefined {
  return /^(?:\.\/)?\.lab\/([^/]+)\/kubeconfig$/.exec(`${kubeconfig ?? ""}`)?.[1];
}

function keysIn(file: string): Record<string, unknown> {
  if (!existsSync(file)) {
    throw new Error(
      `${file} does not exist; write it (Pulumi.dev.yaml is an example), or give --stack another name`,
    );
  }
  return keysOf(readFileSync(file, "utf8"), basename(file));
}

/** The program's own keys in the text of a stack file, without their prefix and as the program receives them from Pulumi. */
function keysOf(text: string, file: string): Record<string, unknown> {
  const { config } = mapping(yamlOf(text, file), file, "");
  return Object.fromEntries(
    Object.entries(mapping(config, file, "config: "))
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, value]) => [key.slice(PREFIX.length), value] as const)
      .map(([key, value]) => [key, received(key, value)]),
  );
}

function mapping(value: unknown, file: string, path: string): Record<string, unknown> {
  if (value === undefined || value === null) {
    return {};
  }
  if (typeof value === "object" && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new Error(`${file}: ${path}must be a mapping of keys to values`);
}

/** @throws Error with the reason and the place, without a line of the text: it could be a secret */
function yamlOf(text: string, file: string): unknown {
  // As the engine reads it, which knows merge keys.
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  const [reason = ""] = error?.message.split("\n") ?? [];
  if (error) {
    throw new Error(`${file} is not valid YAML: ${reason.replace(/:$/, "")}`);
  }
  try {
    return document.toJS();
  } catch (problem) {
    throw new Error(`${file} is not valid YAML: ${(problem as Error).message}`);
  }
}

/** Pulumi hands a top-level value on as text, in which the program reads objects, lists and booleans as JSON. */
function received(key: string, value: unknown): unknown {
  const encrypted = (value as { secure?: unknown } | null)?.secure;
  if (encrypted !== undefined) {
    return encrypted;
  }
  if (typeof value === "number") {
    return `${value}`;
  }
  if (typeof value !== "string" || (SECRET_KEYS as readonly string[]).includes(key)) {
    return value;
  }
  return parseValue(value);
}
