import { describe, expect, it } from "vitest";
import { waitFor, waitForAll } from "../../../lab/cluster/wait";

const fail = async () => {
  throw new Error("no response");
};
const pause = 5;

describe("waitFor", () => {
  it("returns when the probe succeeds", async () => {
    let attempts = 0;
    const probe = async () => {
      attempts += 1;
      if (attempts < 4) {
        throw new Error("not yet");
      }
    };
    await waitFor(probe, { stall: 10_000, total: 10_000, pause });
    expect(attempts).toBe(4);
  });

  it("continues while there is progress", async () => {
    const begin = Date.now();
    const probe = async () => {
      if (Date.now() - begin < 600) {
        throw new Error("not yet");
      }
    };
    // Ten times longer than the stall timeout.
    const progress = () => String(Date.now());
    await waitFor(probe, { stall: 60, total: 10_000, progress, pause });
  });

  it("counts another error as progress", async () => {
    let attempts = 0;
    const probe = async () => {
      attempts += 1;
      if (attempts < 60) {
        throw new Error(`step ${attempts}`);
      }
    };
    await waitFor(probe, { stall: 60, total: 10_000, pause });
    expect(attempts).toBe(60);
  });

  it("throws without progress, with the error and the times", async () => {
    const wait = waitFor(fail, { stall: 50, total: 10_000, pause });
    await expect(wait).rejects.toThrow(/^no response \(waited 0\.\d s, no progress for 0\.\d s\)$/);
  });

  it("throws at the total timeout, also with progress", async () => {
    const progress = () => String(performance.now());
    const wait = waitFor(fail, { stall: 10_000, total: 50, progress, pause });
    await expect(wait).rejects.toThrow("no response (waited");
  });

  it("throws at once if checkFailed throws", async () => {
    const checkFailed = () => {
      throw new Error("it has failed");
    };
    const wait = waitFor(fail, { stall: 10_000, total: 10_000, checkFailed, pause });
    await expect(wait).rejects.toThrow("it has failed");
  });
});

describe("waitForAll", () => {
  it("returns all results in order", async () => {
    const lines: string[] = [];
    const works = [Promise.resolve(1), Promise.resolve("b")] as const;
    expect(await waitForAll(works, (line) => lines.push(line))).toEqual([1, "b"]);
    expect(lines).toEqual([]);
  });

  it("reports the first failure at once, and throws it when the others are settled", async () => {
    const lines: string[] = [];
    let ended = false;
    const slow = new Promise<void>((done) => setTimeout(done, 50)).then(() => {
      expect(lines).toEqual(["failed: first. Waiting for the work in progress to end."]);
      ended = true;
    });
    const late = slow.then(() => Promise.reject(new Error("second")));
    const works = [late, Promise.reject(new Error("first.\nmore")), slow];
    await expect(waitForAll(works, (line) => lines.push(line))).rejects.toThrow("first.\nmore");
    expect(ended).toBe(true);
  });
});
