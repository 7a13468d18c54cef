import type { OpenStack } from ".";

/** A resource as the state has it; fields that only the engine reads are kept as they are. */
export interface StateResource {
  urn: string;
  type: string;
  custom?: boolean;
  id?: string;
  provider?: string;
  protect?: boolean;
  /** Replaced, and left to be deleted by the next update. */
  delete?: boolean;
  /** Deleted already, and to be made anew. */
  pendingReplacement?: boolean;
  initErrors?: string[];
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** What was under way as an engine was killed. */
export interface PendingOperation {
  type: "creating" | "updating" | "deleting" | "reading" | "importing";
  resource: StateResource;
}

export interface State {
  version: number;
  deployment: { resources?: StateResource[]; pending_operations?: PendingOperation[] };
}

/** A stack's state; its secrets stay encrypted. */
export async function readState({ pulumi }: OpenStack): Promise<State> {
  return JSON.parse(await pulumi(["stack", "export"]));
}

/** Puts another state in the place of a stack's; the engine keeps a copy of the old one, and refuses one that is not sound. */
export async function writeState({ pulumi }: OpenStack, state: State): Promise<void> {
  await pulumi(["stack", "import"], JSON.stringify(state));
}
