import { defineConfig } from "vitest/config";

const root = process.cwd();

/**
 * Tests that start labs of their own.
 * One file after the other, as each lab wants both cores: on a busy one the Kubernetes provider may take an update for done
 * that its Deployment's controller has not looked at yet.
 * @param order of those that are run by one command, the lower ones come first
 */
function onLabs(name: string, include: string, order = 0) {
  return {
    test: {
      name,
      root,
      include: [include],
      pool: "forks" as const,
      testTimeout: 30_000,
      fileParallelism: false,
      sequence: { groupOrder: order },
      // What comes after a failed step has nothing to stand on.
      bail: 1,
      disableConsoleIntercept: true,
    },
  };
}

export default defineConfig({
  root,
  test: {
    projects: [
      {
        test: {
          name: "unit",
          root,
          include: ["test/unit/**/*.test.ts", "test/policy/**/*.test.ts"],
          // Pulumi keeps a program's state in the process, so that each file needs one of its own.
          pool: "forks",
          testTimeout: 30_000,
        },
      },
      // Waits more than it works: it runs beside the unit tests.
      onLabs("faults", "test/lab/faults.test.ts"),
      // Alone: it compares the machine before and after.
      onLabs("lab", "test/lab/lab.test.ts", 1),
      onLabs("e2e", "test/e2e/**/*.test.ts", 2),
      // Takes longer than all others together: a command of its own.
      onLabs("interruption", "test/interruption/**/*.test.ts"),
    ],
  },
});
