import type { Resource } from "../../policy/model/resource";
import { type Inputs, run, type Stack } from "../support/mocks";

/** The resources that this project's program declares, as the pack gets them. */
export async function resourcesOf(stack: Stack): Promise<Resource[]> {
  const { default: program } = await import("../../index");
  const { registrations, error } = await run(program, stack);
  if (error) {
    throw error;
  }
  return registrations.map(({ type, urn, name, inputs, options }) => ({
    type,
    urn,
    name,
    props: autonamed(name, inputs),
    protect: options.protect,
  }));
}

/** The provider's autonaming, which policies see in the inputs. */
function autonamed(name: string, inputs: Inputs): Inputs {
  return inputs.metadata
    ? { ...inputs, metadata: { name: `${name}-autonamed`, ...inputs.metadata } }
    : inputs;
}
