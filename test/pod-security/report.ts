import Table from "cli-table3";
import { Command } from "commander";
import { apiServerVote } from "./api-server";
import { type Comparison, compareFixtures, compareRandom } from "./compare";

/** Prints the agreement of the pod security rules with Pod Security admission. */
async function report(options: {
  pods: string;
  seed: string;
  kubeconfig?: string;
  votes: string;
}): Promise<void> {
  const seed = Number(options.seed);
  print(await compareFixtures());
  print(await compareRandom(seed, Number(options.pods)));
  if (options.kubeconfig !== undefined) {
    const vote = await apiServerVote(options.kubeconfig, seed, Number(options.votes));
    const { judged, refused, differences } = vote;
    console.log(
      `API server: ${judged} pods, ${refused} refused, ${differences.length} disagreements`,
    );
    fail(differences);
  }
}

function print({ title, subjects, tally, differences }: Comparison): void {
  const table = new Table({
    head: ["level and check", "both forbid", "both allow", "false positives", "false negatives"],
    style: { head: [], border: [], compact: true },
  });
  for (const [check, agreement] of tally) {
    const { bothForbid, bothAllow, falsePositives, falseNegatives } = agreement;
    table.push([check, bothForbid, bothAllow, falsePositives, falseNegatives]);
  }
  console.log(`${title}: ${subjects} objects, ${differences.length} disagreements`);
  console.log(table.toString());
  fail(differences);
}

function fail(differences: readonly string[]): void {
  for (const difference of differences) {
    console.log(difference);
    process.exitCode = 1;
  }
}

void new Command("pod-security")
  .description("Compares the pod security rules with the Pod Security admission controller.")
  .option("--pods <number>", "random pods", "20000")
  .option("--seed <number>", "seed of the random pods", `${Date.now()}`)
  .option("--kubeconfig <file>", "compare with the API server of this cluster as well")
  .option("--votes <number>", "number of pods for the API server", "300")
  .action(report)
  .parseAsync();
