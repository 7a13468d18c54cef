import { DockerfileError, type Instruction, instructionIn, type Stage } from "./parse";

/**
 * The stages whose layers are in an image: the target, and its base stages.
 * @param target name or number of a stage; the last stage if it is empty
 * @throws DockerfileError for an unknown target
 */
export function chainOf(stages: readonly Stage[], target: string): Stage[] {
  const chain: Stage[] = [];
  let index = indexOf(stages, target);
  for (let stage = stages[index]; stage !== undefined; stage = stages[index]) {
    index = named(stages.slice(0, index), stage.base);
    chain.push({
      ...stage,
      instructions: [...triggersOf(stages[index]), ...stage.instructions],
    });
  }
  return chain;
}

function indexOf(stages: readonly Stage[], target: string): number {
  const byName = target === "" ? stages.length - 1 : named(stages, target);
  const index = byName < 0 && /^\d+$/.test(target) ? Number(target) : byName;
  if (stages[index] === undefined) {
    throw new DockerfileError("there is no stage with the name of the target");
  }
  return index;
}

function named(stages: readonly Stage[], name: string): number {
  return stages.findLastIndex((stage) => stage.name.toLowerCase() === name.toLowerCase());
}

/** The ONBUILD instructions of a stage, which run in the stages that are based on it. */
function triggersOf(stage: Stage | undefined): Instruction[] {
  return (stage?.instructions ?? [])
    .filter(({ keyword }) => keyword === "ONBUILD")
    .map(({ args, line }) => instructionIn(args, line));
}
