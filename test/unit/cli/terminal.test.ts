import { expect, test } from "vitest";
import { engineErrors } from "../../../cli/terminal";

test("of all that an engine has printed only its errors are repeated, each once", () => {
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

test("errors are found in colour as well", () => {
  expect(engineErrors("Updating\n    \u001b[31merror: \u001b[0mupdate failed")).toBe(
    "error: update failed",
  );
});

test("where no error stands out all is repeated, so that nothing is lost", () => {
  expect(engineErrors("spawn pulumi ENOENT")).toBe("spawn pulumi ENOENT");
});
