import { x } from "tinyexec";
import { interruption } from "../../cli/interruption";
import { conclude, GOING_BACK, promote } from "../../cli/promote";
import type { OpenStack } from "../../cli/stack";
import { step } from "../../cli/terminal";

/**
 * A promotion as the command runs it, with an engine that is a process of its own and only takes its time. Arguments: the
 * stack's folder, the address of Prometheus, and seconds that an update takes.
 */
const [workDir, prometheusUrl, seconds = "0"] = process.argv.slice(2);

const stack = {
  name: "prod",
  preview: async () => {},
  up: async ({ signal }: { signal?: AbortSignal }) => {
    step("updating");
    const engine = await x("sleep", [seconds], { signal });
    step(`updated: ${engine.exitCode}`);
    signal?.throwIfAborted();
    if (engine.exitCode !== 0) throw new Error("the engine was ended");
  },
};

const signal = interruption(GOING_BACK);
const open = { stack, options: {} } as unknown as OpenStack;
conclude(promote({ open, workDir, model: "card-fraud", prometheusUrl, signal }, step));
