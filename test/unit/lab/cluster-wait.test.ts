import { describe, expect, it } from "vitest";
import { together, waitFor } from "../../../lab/cluster/wait";

const fail = async () => {
  throw new Error("no answer");
};
const pause = 5;

describe("waitFor", () => {
  it("returns at the first look that is well", async () => {
    let looks = 0;
    const look = async () => {
      looks += 1;
      if (looks < 4) throw new Error("not yet");
    };
    await waitFor(look, { quiet: 10_000, bound: 10_000, pause });
    expect(looks).toBe(4);
  });

  it("goes on while something moves, however long that takes", async () => {
    const begin = Date.now();
    const look = async () => {
      if (Date.now() - begin < 600) throw new Error("not yet");
    };
    // Ten times longer than it would wait for something that stands still.
    const movement = () => String(Date.now());
    await waitFor(look, { quiet: 60, bound: 10_000, movement, pause });
  });

  it("counts a new complaint as movement", async () => {
    let looks = 0;
    const look = async () => {
      looks += 1;
      if (looks < 60) throw new Error(`step ${looks}`);
    };
    await waitFor(look, { quiet: 60, bound: 10_000, pause });
    expect(looks).toBe(60);
  });

  it("ends when nothing has moved, with the complaint and the times", async () => {
    const wait = waitFor(fail, { quiet: 50, bound: 10_000, pause });
    await expect(wait).rejects.toThrow(/^no answer \(waited 0\.\d s, nothing moved for 0\.\d s\)$/);
  });

  it("ends at the bound, whatever moves", async () => {
    const movement = () => String(performance.now());
    const wait = waitFor(fail, { quiet: 10_000, bound: 50, movement, pause });
    await expect(wait).rejects.toThrow("no answer (waited");
  });

  it("ends at once when it is in vain", async () => {
    const hopeless = () => {
      throw new Error("it has died");
    };
    const wait = waitFor(fail, { quiet: 10_000, bound: 10_000, hopeless, pause });
    await expect(wait).rejects.toThrow("it has died");
  });
});

describe("together", () => {
  it("gives all results in order", async () => {
    const lines: string[] = [];
    const works = [Promise.resolve(1), Promise.resolve("b")] as const;
    expect(await together(works, (line) => lines.push(line))).toEqual([1, "b"]);
    expect(lines).toEqual([]);
  });

  it("tells the first failure at once, and throws it when the others have ended", async () => {
    const lines: string[] = [];
    let ended = false;
    const slow = new Promise<void>((done) => setTimeout(done, 50)).then(() => {
      expect(lines).toEqual(["failed: first. What is still under way is ended first."]);
      ended = true;
    });
    const late = slow.then(() => Promise.reject(new Error("second")));
    const works = [late, Promise.reject(new Error("first.\nmore")), slow];
    await expect(together(works, (line) => lines.push(line))).rejects.toThrow("first.\nmore");
    expect(ended).toBe(true);
  });
});
