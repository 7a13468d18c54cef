import program from "../../index";
import { type Registration, run, type Stack } from "./mocks";

/** The resources that the program declares for a stack. */
export async function declare(stack: Stack): Promise<Registration[]> {
  const { error, registrations } = await run(program, stack);
  if (error) {
    throw error;
  }
  return registrations;
}
