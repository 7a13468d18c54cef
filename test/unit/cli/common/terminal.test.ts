import { ConcurrentUpdateError } from "@pulumi/pulumi/automation";
import { expect, test } from "vitest";
import { engineErrors, reasonOf } from "../../../../cli/common/terminal";

test("only the errors of the engine's output are shown, each once", () => {
  const output = [
    "code: 255",
    " stdout: Updating (dev)",
    "  pulumi:pulumi:Stack ml-platform-dev running",
    "    error: team.name: is missing",
    "    warning: no error: all is well",
    " stderr: ",
    "error: team.name: is missing",
    "error: update failed",
  ];
  expect(engineErrors(output.join("\n"))).toBe(
    "error: team.name: is missing\n  error: update failed",
  );
});

test("a cancellation is not shown if its cause is shown", () => {
  const canceled = "error: failed to run remediation: context canceled";
  expect(engineErrors(`${canceled}\nerror: update failed`)).toBe("error: update failed");
  expect(engineErrors(canceled)).toBe(canceled);
});

test("errors with colour codes are found", () => {
  expect(engineErrors("Updating\n    \u001b[31merror: \u001b[0mupdate failed")).toBe(
    "error: update failed",
  );
});

test("the whole output is shown if it has no errors, so that nothing is lost", () => {
  expect(engineErrors("spawn pulumi ENOENT")).toBe("spawn pulumi ENOENT");
});

test("a lock of a remote backend is shown with its owner and the command that removes it", () => {
  const locked = [
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
    "  s3://state/.pulumi/locks/organization/ml-platform/prod/1.json: created by ann@host (pid 7) at 2026-01-02T03:04:05Z",
  ];
  const result = { toString: () => `code: 255\n stdout: \n stderr: ${locked.join("\n")}\n` };
  const error = new ConcurrentUpdateError(
    result as ConstructorParameters<typeof ConcurrentUpdateError>[0],
  );
  expect(reasonOf(error)).toMatch(
    /^the stack is currently locked.*created by ann@host \(pid 7\).*npm run pulumi -- cancel --yes --stack NAME$/s,
  );
});
