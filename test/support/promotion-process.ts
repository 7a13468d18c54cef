import { x } from "tinyexec";
import { step } from "../../cli/common/terminal";
import { Interruption } from "../../cli/interruption";
import { NOT_STARTED } from "../../cli/promote";
import { conclude, ROLLING_BACK } from "../../cli/promote/command";
import { promote } from "../../cli/promote/promotion";
import type { OpenStack } from "../../cli/stack";

/**
 * Runs a promotion as the command does, with an engine process that only sleeps. Arguments: the folder of the stack, the URL
 * of Prometheus, and the duration of an update in seconds.
 */
const [workDir, prometheusUrl, seconds = "0"] = process.argv.slice(2);

const stack = {
  name: "prod",
  preview: async () => {},
  outputs: async () => ({}),
  up: async ({ signal }: { signal?: AbortSignal }) => {
    step("updating");
    const engine = await x("sleep", [seconds], { signal });
    step(`updated: ${engine.exitCode}`);
    signal?.throwIfAborted();
    if (engine.exitCode !== 0) {
      throw new Error("the engine was ended");
    }
  },
};

const interruption = new Interruption(NOT_STARTED);
const open = { stack, options: {} } as unknown as OpenStack;
const promotion = interruption.guard(
  (signal) => promote({ open, workDir, model: "card-fraud", prometheusUrl, signal }, step),
  ROLLING_BACK,
);
conclude(interruption, promotion);
