import { type Agreement, count, evaluator, fixtures, forbidding, KINDS, LEVELS } from "./oracle";

/** The agreement of the rules with the admission controller, for each check. */
export interface Comparison {
  readonly title: string;
  /** Number of objects that both have evaluated. */
  readonly subjects: number;
  readonly tally: ReadonlyMap<string, Agreement>;
  /** Names of a few objects with different results. */
  readonly differences: readonly string[];
}

/** Compares all pods of the admission controller's test data, in every kind with a pod. */
export async function compareFixtures(): Promise<Comparison> {
  const all = fixtures();
  const judged = evaluator(["-given"], all.map(({ pod }) => JSON.stringify(pod)).join("\n"));
  const tally = new Map<string, Agreement>();
  const differences: string[] = [];
  let subjects = 0;
  for (const [index, { level, verdict, file, pod }] of all.entries()) {
    const expected = judged[index]?.[level] ?? [];
    if ((expected.length === 0) !== (verdict === "pass")) {
      throw new Error(`${level} ${file}: the evaluator contradicts its own test data`);
    }
    for (const [kind, lift] of Object.entries(KINDS)) {
      const found = await forbidding(level, lift(pod));
      count(tally, level, expected, found);
      subjects += 1;
      if (`${found}` !== `${[...expected].sort()}`) {
        differences.push(`${level} ${verdict} ${file} as ${kind}: ${found} for ${expected}`);
      }
    }
  }
  return { title: "admission test data", subjects, tally, differences };
}

/** Compares random pods, each in another kind than the previous one; the same seed gives the same pods. */
export async function compareRandom(seed: number, pods: number): Promise<Comparison> {
  const tally = new Map<string, Agreement>();
  const differences: string[] = [];
  const lifts = Object.values(KINDS);
  for (const [index, judged] of evaluator([`-seed=${seed}`, `-count=${pods}`]).entries()) {
    const value = lifts[index % lifts.length]?.(judged.pod) ?? judged.pod;
    for (const level of LEVELS) {
      const found = await forbidding(level, value);
      count(tally, level, judged[level], found);
      if (`${found}` !== `${[...judged[level]].sort()}` && differences.length < 5) {
        differences.push(`${level}: ${found} for ${judged[level]}: ${JSON.stringify(judged.pod)}`);
      }
    }
  }
  return { title: `random pods, seed ${seed}`, subjects: pods, tally, differences };
}
