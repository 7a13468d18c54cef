import { delimiter, dirname, join } from "node:path";
import { x } from "tinyexec";
import { environment, ROOT } from "../../cli/stack";
import { ensurePulumi, pulumiTools } from "../../toolchain/pulumi";

/**
 * Runs `pulumi preview` as a user of the plain command line does: the engine starts a language host, which runs index.ts
 * by itself. Without policies: an engine that was built here runs the pack or the language host, but not both.
 * @throws Error with what Pulumi prints, where the preview fails or shows what it should not
 */
export async function plainPreview(
  folder: string,
  stack: string,
  { expectNoChanges }: { expectNoChanges: boolean },
): Promise<void> {
  const pulumi = await ensurePulumi(console.log);
  const host = await pulumiTools.ensure(["pulumi-language-nodejs"], console.log);
  const binDirs = [...pulumi.binDirs, dirname(host.get("pulumi-language-nodejs") ?? "")];
  const args = ["preview", "--stack", stack, "--non-interactive", "--diff"];
  const result = await x(
    pulumi.command,
    [...args, ...(expectNoChanges ? ["--expect-no-changes"] : [])],
    {
      nodeOptions: {
        cwd: folder,
        env: {
          ...environment({ ...pulumi, binDirs }, false),
          PATH: [...binDirs, join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter),
          PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        },
      },
    },
  );
  if (result.exitCode !== 0) throw new Error(`${result.stdout}\n${result.stderr}`);
}
