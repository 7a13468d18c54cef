import type { OpenStack } from ".";

/** A resource in the state. Fields that only the engine reads are kept. */
export interface StateResource {
  urn: string;
  type: string;
  custom?: boolean;
  id?: string;
  provider?: string;
  protect?: boolean;
  /** Replaced, and deleted by the next update. */
  delete?: boolean;
  /** Deleted, and created again by the next update. */
  pendingReplacement?: boolean;
  initErrors?: string[];
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** An operation that was in progress when the engine was killed. */
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

/** Replaces a stack's state. The engine keeps a copy of the old state, and refuses an inconsistent one. */
export async function writeState({ pulumi }: OpenStack, state: State): Promise<void> {
  await pulumi(["stack", "import"], JSON.stringify(state));
}
