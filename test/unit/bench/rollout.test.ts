import { expect, test } from "vitest";
import type { VegetaReport } from "../../bench/rollout/attack";
import { lost, type Phase, shortcomings, table } from "../../bench/rollout/report";

const sent = (codes: Record<string, number>, errors: string[] | null = null): VegetaReport => ({
  requests: Object.values(codes).reduce((sum, count) => sum + count, 0),
  status_codes: codes,
  latencies: { "50th": 1_234_567, "99th": 9_876_543, max: 1_000_000_000 },
  errors,
});
const phase = (changes: Partial<Phase>): Phase => ({
  what: "Rollout",
  times: 20,
  clients: "fresh",
  rate: 100,
  seconds: 6,
  strict: true,
  sent: sent({ "200": 600 }),
  ...changes,
});

test("every response except 200 is lost, and vegeta reports a failed connection as status 0", () => {
  expect(lost(sent({ "200": 600 }))).toBe(0);
  expect(lost(sent({ "200": 600, "502": 3, "0": 2 }))).toBe(5);
  expect(lost(sent({ "503": 7 }))).toBe(7);
});

test("the table has latencies in milliseconds", () => {
  const [, , row] = table([phase({ sent: sent({ "200": 1, "0": 1 }) })]).split("\n");
  expect(row).toBe("| Rollout | 20 | fresh | 2 | 1 | 1.2 | 9.9 | 1000.0 |");
});

test("a strict phase with lost or too few requests is reported, and another phase is not", () => {
  const losing = sent({ "200": 599, "502": 1 }, ["502 Bad Gateway"]);
  expect(shortcomings([phase({})], 600)).toEqual([]);
  expect(shortcomings([phase({})], 601)).toEqual(["600 requests are less than 601"]);
  expect(shortcomings([phase({}), phase({ strict: false, sent: losing })], 600)).toEqual([]);
  expect(shortcomings([phase({ sent: losing })], 600)).toEqual([
    "Rollout, clients fresh: 1 lost: 502 Bad Gateway",
  ]);
});

test("a strict phase with less than 95 % of the requests of its rate and time is reported", () => {
  expect(shortcomings([phase({ sent: sent({ "200": 570 }) })], 0)).toEqual([]);
  expect(shortcomings([phase({ sent: sent({ "200": 569 }) })], 0)).toEqual([
    "Rollout, clients fresh: 569 requests of 600",
  ]);
  expect(shortcomings([phase({ strict: false, sent: sent({ "200": 1 }) })], 0)).toEqual([]);
});
