import { expect, test } from "vitest";
import { credentialInText } from "../../policy/model/credential";

/** Longer than any text that the API server stores, in a form that could cause backtracking. */
const LENGTH = 2_000_000;
/** Scanning a text once takes a tenth of this; once per character, hours. */
const SECONDS = 10;

test.each([
  "a.",
  "eyJ-",
  ' a="',
  "--a ",
  '"a":',
  "- ",
  "export ",
  "a://b:",
  ";a=b",
  '\\"',
  "$(",
  "/aB",
])("a long text of %j is scanned once", (unit) => {
  const start = performance.now();
  credentialInText("text", unit.repeat(LENGTH / unit.length));
  expect(performance.now() - start).toBeLessThan(SECONDS * 1000);
});
