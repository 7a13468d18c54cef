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

/** Starts a process as the leader of a process group, as a shell starts a job, and records its output. */
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
 * Starts a promotion of a stack with these weights, as the command does.
 * @param seconds duration of an update
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

describe("the process of a promotion", () => {
  test.each(["SIGTERM", "SIGHUP"] as const)(
    "rolls back after a %s to this process only",
    async (name) => {
      const { pid, says, ended } = await promotion(100, 0);
      await says("updated: 0");
      process.kill(pid, name);
      const { said, ...end } = await ended();
      expect(end).toEqual({ code: 1, weights: "100/0" });
      expect(said).toContain(`rolling back to main 100, candidate 0: ${name} was received`);
      expect(said).toContain("rolled back to main 100, candidate 0");
    },
  );

  test("completes its rollback after a second Ctrl-C, and so does its engine", async () => {
    const { pid, says, ended } = await promotion(100, 0, 2);
    await says("updated: 0");
    // A terminal sends the signal to all processes of the group.
    process.kill(-pid, "SIGINT");
    await says("rolling back");
    // Later than a second: a signal within a second is the same one, forwarded by npm.
    await setTimeout(1200);
    process.kill(-pid, "SIGINT");
    const { said, ...end } = await ended();
    expect(end).toEqual({ code: 1, weights: "100/0" });
    expect(said).toContain("SIGINT: already rolling back");
    expect(said.match(/updated: 0/g)).toHaveLength(2);
    expect(said).toContain("rolled back to main 100, candidate 0");
  });

  test("stops the update in progress before it rolls back", async () => {
    const { pid, says, ended } = await promotion(100, 0, 3);
    await says("updating");
    process.kill(pid, "SIGTERM");
    const { code, said } = await ended();
    expect(code).toBe(1);
    expect(said).toContain("rolling back to main 100, candidate 0: SIGTERM was received");
    expect(said.match(/updated: 0/g)).toHaveLength(1);
  });

  test("exits with code 0 if there is nothing to do", async () => {
    expect((await (await promotion(0, 100)).ended()).code).toBe(0);
  });

  test("exits with code 2 if the promotion cannot start", async () => {
    const { code, said } = await (await promotion(100, 0, 0, false)).ended();
    expect(code).toBe(2);
    expect(said).toContain("✗ http://127.0.0.1");
  });

  test.each([
    [["--help"], 0, /Exit code:\n {2}0 .+\n {2}1 .+\n {2}2 .+\n {2}3 /],
    [["--stack", "prod"], 2, /required option '--model <name>' not specified/],
  ])("started by npm run promote -- %s exits with code %i", async (args, expected, says) => {
    const { code, said } = await start("npm", "run", "promote", "--", ...args).ended();
    expect(code).toBe(expected);
    expect(said).toMatch(says);
  });
});

/** Starts a command of the project as npm does. */
function command(...args: string[]) {
  return start(
    process.execPath,
    "cli/own-session.cjs",
    "test/support/interruptible-process.ts",
    ...args,
  );
}

/** The process id of the engine, from the output of a command. */
async function engineOf({ says }: ReturnType<typeof start>): Promise<number> {
  return Number(/engine (\d+)/.exec(await says("engine "))?.[1]);
}

const runs = (pid: number) => startTimeOf(pid) !== undefined;

describe.concurrent("an interrupted command", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "waits for its engine after one %s, and prints the command that continues",
    async (name, code) => {
      const running = command("updates");
      const engine = await engineOf(running);
      process.kill(-running.pid, name);
      const { said, ...end } = await running.ended();
      expect(end).toEqual({ code });
      expect(said).toContain(`${name}: ending; operations in progress are finished or recorded.`);
      // The engine has received one signal, not two.
      expect(said).toContain("engine ended with 3");
      expect(said).toContain(`interrupted (${name}): continue with npm start`);
      expect({ wentOn: said.includes("went on"), runs: runs(engine) }).toEqual({
        wentOn: false,
        runs: false,
      });
    },
  );

  test("counts a signal and its copy from npm within a second as one", async () => {
    const running = command("updates");
    await engineOf(running);
    process.kill(-running.pid, "SIGINT");
    process.kill(running.pid, "SIGINT");
    expect((await running.ended()).said).toContain("engine ended with 3");
  });

  test("kills its engine after the second Ctrl-C", async () => {
    const running = command("updates", "stubborn");
    const engine = await engineOf(running);
    process.kill(-running.pid, "SIGINT");
    await running.says("A second signal stops them now");
    await setTimeout(1200);
    process.kill(-running.pid, "SIGINT");
    const { code, said } = await running.ended();
    // The engine is killed, as it ignores the signal.
    expect(code).toBe(137);
    expect(said).toContain("interrupted (SIGINT): continue with npm start");
    expect(runs(engine)).toBe(false);
  });

  test("stops a build after the first Ctrl-C", async () => {
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

  test("lets its engine end if the parent process is killed", async () => {
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

describe.concurrent("npm in a terminal", () => {
  /** Runs the command with npm, from a package with the same script as this project, and types Ctrl-C. */
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

  test("returns to the prompt after the engine has exited, after one Ctrl-C", async () => {
    const { seen, after } = await typed(1, "");
    expect(seen).toContain("engine ended with 3");
    expect(seen).toContain("interrupted (SIGINT): continue with npm start");
    expect(after).toBe("130");
  });

  test("returns to the prompt after the engine is killed, after two Ctrl-C", async () => {
    const { seen, after } = await typed(2, "stubborn");
    expect(seen).toContain("interrupted (SIGINT): continue with npm start");
    expect(after).toBe("137");
  });
});
