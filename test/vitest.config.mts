import { defineConfig } from "vitest/config";

const root = process.cwd();

/** Tests that start labs of their own, one file after the other: each lab wants both cores. */
function onLabs(name: string, include: string) {
  return {
    test: {
      name,
      root,
      include: [include],
      pool: "forks" as const,
      testTimeout: 30_000,
      fileParallelism: false,
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
      onLabs("faults", "test/faults/**/*.test.ts"),
      onLabs("e2e", "test/e2e/**/*.test.ts"),
      // Takes longer than all others together: a command of its own.
      onLabs("interruption", "test/interruption/**/*.test.ts"),
    ],
  },
});
