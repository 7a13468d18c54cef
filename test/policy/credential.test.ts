import { expect, test } from "vitest";
import { credentialInText } from "../../policy/model/credential";

/** Longer than any text that the API server stores, in a shape that some pattern might read again and again. */
const LENGTH = 2_000_000;
/** Reading a text once takes a tenth of it; once for each of its characters, hours. */
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
])("a long text of %j is read once", (unit) => {
  const start = performance.now();
  credentialInText("text", unit.repeat(LENGTH / unit.length));
  expect(performance.now() - start).toBeLessThan(SECONDS * 1000);
});
