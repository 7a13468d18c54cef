import type { OpenStack } from ".";

/** A resource in the state. Fields that only the engine reads are kept. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly custom?: boolean;
  readonly id?: string;
  readonly provider?: string;
  readonly protect?: boolean;
  /** Replaced, and deleted by the next update. */
  readonly delete?: boolean;
  /** Deleted, and created again by the next update. */
  readonly pendingReplacement?: boolean;
  readonly initErrors?: string[];
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

/** An operation that was in progress when the engine was killed. */
export interface PendingOperation {
  readonly type: "creating" | "updating" | "deleting" | "reading" | "importing";
  readonly resource: StateResource;
}

export interface State {
  readonly version: number;
  readonly deployment: { resources?: StateResource[]; pending_operations?: PendingOperation[] };
}

/** A stack's state; its secrets stay encrypted. */
export async function readState({ pulumi }: OpenStack): Promise<State> {
  return JSON.parse(await pulumi(["stack", "export"]));
}

/** Replaces a stack's state. The engine keeps a copy of the old state, and refuses an inconsistent one. */
export async function writeState({ pulumi }: OpenStack, state: State): Promise<void> {
  await pulumi(["stack", "import"], JSON.stringify(state));
}
