import type { Report } from "../../toolchain";
import { ensureCluster } from "../cluster/ensure";
import { step } from "../common/terminal";
import type { Interruption } from "../interruption";
import { finishInterrupted } from "../interruption/unfinished";
import { type OpenStack, openStack } from ".";
import { removeCertificate } from "./certificate";
import { labOf } from "./file";
import { readState, type State } from "./state";

/** The options of `ml-platform destroy`. */
export interface DestroyOptions {
  readonly stack: string;
  readonly yes?: boolean;
}

/**
 * Deletes all resources of a stack, and finishes an interrupted command first.
 * @throws Error before anything is deleted, where a resource is protected
 */
export async function destroy(open: OpenStack, signal: AbortSignal, report: Report): Promise<void> {
  const { stack, options } = open;
  refuseProtected(stack.name, await readState(open));
  await finishInterrupted(open, signal, report);
  signal.throwIfAborted();
  report(`stack ${stack.name}: destroying`);
  const { color, onOutput } = options;
  await stack.destroy({ color, onOutput, signal });
}

/** The engine refuses a protected resource last, when all that depends on it is deleted already. */
function refuseProtected(name: string, { deployment }: State): void {
  const pending = deployment.pending_operations?.map(({ resource }) => resource) ?? [];
  const kept = [...(deployment.resources ?? []), ...pending].filter(({ protect }) => protect);
  if (kept.length === 0) {
    return;
  }
  const names = [...new Set(kept.map(({ urn }) => urn.split("::").at(-1)))].join(", ");
  throw new Error(
    `stack ${name} protects its data, and nothing was deleted: ${names}\n${unprotecting(name)}`,
  );
}

/** Two files, as the policies check the one against the other. */
function unprotecting(name: string): string {
  const start = name === "dev" ? "npm start" : `npm start -- --stack ${name}`;
  return [
    "To delete the stack with its data:",
    `  1. set  ml-platform:retainData: false  in Pulumi.${name}.yaml and  "retainData": false  in policy/stacks/${name}.json`,
    `  2. ${start}`,
    `  3. npm run destroy -- --stack ${name} --yes`,
  ].join("\n");
}

/** Destroys a stack on the local cluster, which is started where needed, or with `yes` on a cluster of the user's own. */
export async function destroyCommand(
  { stack: name, yes }: DestroyOptions,
  interruption: Interruption,
): Promise<void> {
  if (!labOf(name) && !yes) {
    throw new Error(
      `stack ${name} is on a cluster of yours: add --yes to destroy it with its data`,
    );
  }
  await ensureCluster(name);
  const open = await openStack({ name }, step);
  await interruption.guard((signal) => destroy(open, signal, step));
  removeCertificate(name);
  step(`stack ${name}: destroyed; its history and configuration are kept`);
}
