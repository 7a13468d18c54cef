import { DockerfileError, type Instruction, instructionIn, type Stage } from "./parse";

/**
 * The stages whose layers end up in an image: that of the target, and those that it starts from.
 * @param target name or number of a stage; the last one where it is empty
 * @throws DockerfileError for a target that there is none of
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
    throw new DockerfileError("there is no stage of the target's name");
  }
  return index;
}

function named(stages: readonly Stage[], name: string): number {
  return stages.findLastIndex((stage) => stage.name.toLowerCase() === name.toLowerCase());
}

/** What a stage adds to the beginning of those that start from it. */
function triggersOf(stage: Stage | undefined): Instruction[] {
  return (stage?.instructions ?? [])
    .filter(({ keyword }) => keyword === "ONBUILD")
    .map(({ args, line }) => instructionIn(args, line));
}
