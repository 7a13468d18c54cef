import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isScalar, parse, parseDocument } from "yaml";
import { replaceFile } from "../common/files";
import type { Weights } from "./shares";

const TEAM = "ml-platform:team";

interface StackFile {
  readonly config: {
    [TEAM]: { models: { name: string; variants: { name: string; weight: number }[] }[] };
  };
}

/** A file's values; aliases become copies. */
function valuesOf(text: string): StackFile {
  return JSON.parse(JSON.stringify(parse(text)));
}

/**
 * Changes the weights in the text of a stack file, and nothing else, so that the diff shows the numbers alone.
 * @throws Error where a weight has no place of its own in the text (an alias, a merge key) and cannot be changed alone
 */
export function withWeights(text: string, model: string, weights: Weights): string {
  const refusal = new Error(
    `the weights of ${model} cannot be changed alone; write ${Object.keys(weights).join(" and ")} in the stack file with a number each, without anchor, alias or merge key`,
  );
  const wanted = valuesOf(text);
  const { models } = wanted.config[TEAM];
  const index = models.findIndex(({ name }) => name === model);
  const document = parseDocument(text);
  const edits = (models[index]?.variants ?? []).map((variant, place) => {
    const path = ["config", TEAM, "models", index, "variants", place, "weight"];
    const node = document.getIn(path, true);
    const weight = weights[variant.name];
    if (weight === undefined || !isScalar(node) || !node.range) {
      throw refusal;
    }
    variant.weight = weight;
    const [start, end] = node.range;
    return { start, end, weight };
  });
  const edited = edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((out, { start, end, weight }) => out.slice(0, start) + weight + out.slice(end), text);
  // Reading the text again shows whether an edit changed another value as well.
  const alone = isDeepStrictEqual(valuesOf(edited), wanted);
  if (!alone || edits.length !== Object.keys(weights).length) {
    throw refusal;
  }
  return edited;
}

/** Writes weights into a stack file. The file is read again, as it may have been edited since. */
export function writeWeights(file: string, model: string, weights: Weights): void {
  replaceFile(file, withWeights(readFileSync(file, "utf8"), model, weights));
}
