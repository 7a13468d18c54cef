import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { x } from "tinyexec";
import { connectTo } from "../../../cli/common/http";
import { SAMPLE } from "../../../cli/stack/summary";

/** A kind of client. */
export interface Clients {
  readonly name: string;
  /** URL of the model. */
  readonly url: string;
  /** Whether they reuse connections; otherwise each request has a new one. */
  readonly keptAlive: boolean;
  /** File of their network namespace. @default that of this machine */
  readonly netns?: string;
}

/** The fields of vegeta's report that are used. Durations are in nanoseconds. */
export interface VegetaReport {
  readonly requests: number;
  readonly status_codes: Record<string, number>;
  readonly latencies: { "50th": number; "99th": number; max: number };
  readonly errors: string[] | null;
}

/** A load that runs until it is stopped, at most an hour. */
export interface Attack {
  /** @throws Error if it has failed, so that its figures are invalid */
  readonly stop: () => Promise<VegetaReport>;
}

/** Path of vegeta in the version of go.mod; Go builds it if necessary. */
async function vegeta(): Promise<string> {
  const options = { throwOnError: true, nodeOptions: { cwd: __dirname } };
  return (await x("go", ["tool", "-n", "vegeta"], options)).stdout.trim();
}

/**
 * Requests predictions at a constant rate, independent of the responses.
 * @param rate requests per second
 * @param folder folder for its files
 */
export async function attack(
  { name, url, keptAlive, netns }: Clients,
  rate: number,
  folder: string,
): Promise<Attack> {
  const command = await vegeta();
  const file = (suffix: string) => join(folder, `${name.replace(/\W+/g, "-")}-${suffix}`);
  writeFileSync(file("body"), JSON.stringify(SAMPLE));
  writeFileSync(file("targets"), targets(new URL(`${url}/predict`), file("body")));
  const [program = "", ...args] = [
    ...(netns ? ["nsenter", `--net=${netns}`, "--"] : []),
    command,
    "attack",
    `-rate=${rate}/s`,
    "-duration=1h",
    "-timeout=10s",
    "-max-workers=512",
    `-keepalive=${keptAlive}`,
    `-targets=${file("targets")}`,
  ];
  const running = spawn(program, args, {
    stdio: ["ignore", openSync(file("results"), "w"), "inherit"],
  });
  const ended = once(running, "exit");
  return {
    stop: async () => {
      // It waits for outstanding responses, and exits.
      running.kill("SIGINT");
      const [code] = await ended;
      if (code !== 0) {
        throw new Error(`vegeta, clients ${name}: exited with code ${code}`);
      }
      const report = await x(command, ["report", "-type=json", file("results")], {
        throwOnError: true,
      });
      return JSON.parse(report.stdout) as VegetaReport;
    },
  };
}

function targets(url: URL, body: string): string {
  const { host, port } = connectTo(url);
  return [
    `POST ${url.protocol}//${host}:${port}${url.pathname}`,
    `Host: ${url.host}`,
    "Content-Type: application/json",
    `@${body}`,
    "",
  ].join("\n");
}
