import { x } from "tinyexec";
import { step } from "../../cli/common/terminal";
import { run } from "../../cli/interruption";

/**
 * A command with an engine process: it exits a second after the first SIGINT, and immediately after the second one. Arguments:
 * `builds` or `updates`, the guarded phase, and `stubborn` for an engine that ignores SIGINT.
 */
const [phase = "builds", manner] = process.argv.slice(2);
const trap = manner === "stubborn" ? "" : 'trap "exit 4" INT; sleep 1 & wait; exit 3';
const ENGINE = `trap '${trap}' INT; echo engine $$ >&2; while :; do sleep 0.1; done`;

async function engine(signal?: AbortSignal): Promise<void> {
  const child = x("sh", ["-c", ENGINE], {
    nodeOptions: { stdio: ["ignore", "ignore", "inherit"] },
  });
  signal?.addEventListener("abort", () => child.kill("SIGINT"));
  const { exitCode } = await child;
  step(`engine ended with ${exitCode}`);
  throw new Error("the engine was ended");
}

run("continue with npm start", async (interruption) => {
  if (phase === "builds") {
    await engine();
  } else {
    await interruption.guard((signal) => engine(signal));
  }
  step("went on");
});
