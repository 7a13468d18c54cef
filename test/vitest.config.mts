import { defineConfig } from "vitest/config";

const root = process.cwd();

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
      {
        test: {
          name: "e2e",
          root,
          include: ["test/e2e/**/*.test.ts"],
          pool: "forks",
          testTimeout: 30_000,
          // Each lab wants both cores.
          fileParallelism: false,
          // What comes after a failed step has nothing to stand on.
          bail: 1,
          disableConsoleIntercept: true,
        },
      },
    ],
  },
});
