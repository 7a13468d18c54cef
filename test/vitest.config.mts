import { defineConfig } from "vitest/config";

const root = process.cwd();

/**
 * A project of tests that start labs of their own. Its files run one after another, as a lab uses both cores: on a busy machine
 * the Kubernetes provider may report an update as complete before the controller has observed the Deployment.
 * @param order position among the projects that one command runs; lower numbers run first
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
      // The tests of a file depend on those before them.
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
          // Pulumi keeps the state of a program in the process, so each file runs in its own process.
          pool: "forks",
          testTimeout: 30_000,
        },
      },
      // It mostly waits, so it runs at the same time as the unit tests.
      onLabs("faults", "test/lab/faults.test.ts"),
      // It compares the state of the machine before and after, so nothing else runs at the same time.
      onLabs("lab", "test/lab/lab.test.ts", 1),
      onLabs("e2e", "test/e2e/**/*.test.ts", 2),
      // It takes longer than all other projects together, so it has its own command.
      onLabs("interruption", "test/interruption/**/*.test.ts"),
    ],
  },
});
