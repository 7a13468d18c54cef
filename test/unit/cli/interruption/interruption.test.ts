import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../../cli/common/root";
import { withWeights } from "../../../../cli/promote/weights";
import { stackFile } from "../../../../cli/stack/file";
import { startTimeOf } from "../../../../lab/cluster/process-record";
import { GOOD, startPrometheusStub } from "../../../support/prometheus";
import { waitFor } from "../../../support/wait";

const folder = mkdtempSync(join(tmpdir(), "interruption-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that leads a process group, as a shell's job does, and its output. */
function start(command: string, ...args: string[]) {
  const child = spawn(command, args, { cwd: ROOT, detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
  }
  const closed = once(child, "close");
  const says = (line: string) =>
    waitFor(
      line,
      25,
      async () => said,
      (all) => all.includes(line),
    );
  return { pid: child.pid ?? 0, says, ended: async () => ({ code: (await closed)[0], said }) };
}

/**
 * A promotion of a stack with these weights, as the command runs it.
 * @param seconds that an update takes
 */
async function promotion(main: number, candidate: number, seconds = 0, reachable = true) {
  const place = mkdtempSync(join(folder, "stack-"));
  const file = stackFile("prod", place);
  copyFileSync(join(ROOT, "Pulumi.team.yaml"), file);
  const text = () => readFileSync(file, "utf8");
  writeFileSync(file, withWeights(text(), "card-fraud", { main, candidate }));
  const prometheus = await startPrometheusStub(() => GOOD);
  if (!reachable) {
    prometheus.close();
  }
  const script = ["cli/own-session.cjs", "test/support/promotion-process.ts"];
  const running = start(process.execPath, ...script, place, prometheus.url, `${seconds}`);
  const weights = () =>
    [...text().matchAll(/weight: (\d+)/g)].map(([, weight]) => weight).join("/");
  const ended = async () => {
    const end = await running.ended();
    prometheus.close();
    return { ...end, weights: weights() };
  };
  return { ...running, ended };
}

describe("a promotion's process", () => {
  test.each(["SIGTERM", "SIGHUP"] as const)("rolls back on a %s to it alone", async (name) => {
    const { pid, says, ended } = await promotion(100, 0);
    await says("updated: 0");
    process.kill(pid, name);
    const { said, ...end } = await ended();
    expect(end).toEqual({ code: 1, weights: "100/0" });
    expect(said).toContain(`rolling back to main 100, candidate 0: ${name} was received`);
    expect(said).toContain("rolled back to main 100, candidate 0");
  });

  test("rolls back to the end when Ctrl-C comes again, and so does its engine", async () => {
    const { pid, says, ended } = await promotion(100, 0, 2);
    await says("updated: 0");
    // As a terminal does: to all processes of the group.
    process.kill(-pid, "SIGINT");
    await says("rolling back");
    // As a person does: a signal within a second is the same one, which npm forwards.
    await setTimeout(1200);
    process.kill(-pid, "SIGINT");
    const { said, ...end } = await ended();
    expect(end).toEqual({ code: 1, weights: "100/0" });
    expect(said).toContain("SIGINT: already rolling back");
    expect(said.match(/updated: 0/g)).toHaveLength(2);
    expect(said).toContain("rolled back to main 100, candidate 0");
  });

  test("ends an update in progress, to roll back", async () => {
    const { pid, says, ended } = await promotion(100, 0, 3);
    await says("updating");
    process.kill(pid, "SIGTERM");
    const { code, said } = await ended();
    expect(code).toBe(1);
    expect(said).toContain("rolling back to main 100, candidate 0: SIGTERM was received");
    expect(said.match(/updated: 0/g)).toHaveLength(1);
  });

  test("ends with 0 where nothing is left to do", async () => {
    expect((await (await promotion(0, 100)).ended()).code).toBe(0);
  });

  test("ends with 2 where it is refused", async () => {
    const { code, said } = await (await promotion(100, 0, 0, false)).ended();
    expect(code).toBe(2);
    expect(said).toContain("✗ http://127.0.0.1");
  });

  test.each([
    [["--help"], 0, /Exit code:\n {2}0 .+\n {2}1 .+\n {2}2 .+\n {2}3 /],
    [["--stack", "prod"], 2, /required option '--model <name>' not specified/],
  ])("npm run promote -- %s ends with %i", async (args, expected, says) => {
    const { code, said } = await start("npm", "run", "promote", "--", ...args).ended();
    expect(code).toBe(expected);
    expect(said).toMatch(says);
  });
});

/** A command of the project, as npm starts it. */
function command(...args: string[]) {
  return start(
    process.execPath,
    "cli/own-session.cjs",
    "test/support/interruptible-process.ts",
    ...args,
  );
}

/** The engine that a command has started, by what it said. */
async function engineOf({ says }: ReturnType<typeof start>): Promise<number> {
  return Number(/engine (\d+)/.exec(await says("engine "))?.[1]);
}

const runs = (pid: number) => startTimeOf(pid) !== undefined;

describe.concurrent("a command", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "lets its engine end on one %s, and says what continues from there",
    async (name, code) => {
      const running = command("updates");
      const engine = await engineOf(running);
      process.kill(-running.pid, name);
      const { said, ...end } = await running.ended();
      expect(end).toEqual({ code });
      expect(said).toContain(`${name}: ending; operations in progress are finished or recorded.`);
      // The engine has got one signal, not two.
      expect(said).toContain("engine ended with 3");
      expect(said).toContain(`interrupted (${name}): continue with npm start`);
      expect({ wentOn: said.includes("went on"), runs: runs(engine) }).toEqual({
        wentOn: false,
        runs: false,
      });
    },
  );

  test("counts a signal that npm forwards within a second once", async () => {
    const running = command("updates");
    await engineOf(running);
    process.kill(-running.pid, "SIGINT");
    process.kill(running.pid, "SIGINT");
    expect((await running.ended()).said).toContain("engine ended with 3");
  });

  test("stops now on the second Ctrl-C", async () => {
    const running = command("updates", "stubborn");
    const engine = await engineOf(running);
    process.kill(-running.pid, "SIGINT");
    await running.says("A second signal stops them now");
    await setTimeout(1200);
    process.kill(-running.pid, "SIGINT");
    const { code, said } = await running.ended();
    // Killed, as it ignores the signal.
    expect(code).toBe(137);
    expect(said).toContain("interrupted (SIGINT): continue with npm start");
    expect(runs(engine)).toBe(false);
  });

  test("stops a build on the first Ctrl-C", async () => {
    const running = command("builds");
    const engine = await engineOf(running);
    process.kill(-running.pid, "SIGINT");
    const { code, said } = await running.ended();
    expect(code).toBe(130);
    expect(said).toContain("interrupted (SIGINT): continue with npm start");
    expect({ wentOn: said.includes("went on\n"), runs: runs(engine) }).toEqual({
      wentOn: false,
      runs: false,
    });
  });

  test("lets its engine end where what started it was killed", async () => {
    const running = command("updates");
    const engine = await engineOf(running);
    process.kill(running.pid, "SIGKILL");
    await waitFor(
      "the engine's end",
      10,
      async () => runs(engine),
      (still) => !still,
    );
    expect((await running.ended()).said).toContain("engine ended with 3");
  });
});

describe.concurrent("in a terminal, npm", () => {
  /** Runs the command with npm, from a package whose script is as ours, and types Ctrl-C. */
  async function typed(times: number, manner: string) {
    const place = mkdtempSync(join(folder, "package-"));
    const script = "cli/own-session.cjs test/support/interruptible-process.ts";
    const scripts = { command: `cd ${ROOT} && exec node ${script} updates ${manner}` };
    writeFileSync(join(place, "package.json"), JSON.stringify({ scripts }));
    const terminal = ["test/support/terminal.py", `${times}`, "engine "];
    const { said } = await start(
      "python3",
      ...terminal,
      ...["npm", "run", "--prefix", place, "command"],
    ).ended();
    const [seen = "", after] = said.split(/^exit code /m);
    return { seen, after: after?.trim() };
  }

  test("returns the prompt when the engine has ended, on one Ctrl-C", async () => {
    const { seen, after } = await typed(1, "");
    expect(seen).toContain("engine ended with 3");
    expect(seen).toContain("interrupted (SIGINT): continue with npm start");
    expect(after).toBe("130");
  });

  test("returns the prompt when all is killed, on two", async () => {
    const { seen, after } = await typed(2, "stubborn");
    expect(seen).toContain("interrupted (SIGINT): continue with npm start");
    expect(after).toBe("137");
  });
});
