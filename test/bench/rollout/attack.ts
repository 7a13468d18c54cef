import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { x } from "tinyexec";
import { connectTo } from "../../../cli/common/http";
import { SAMPLE } from "../../../cli/stack/summary";

/** A kind of clients. */
export interface Clients {
  name: string;
  /** The model's address, as they are given it. */
  url: string;
  /** Whether they use the same connections again and again; else each request has one of its own. */
  keptAlive: boolean;
  /** File of the network namespace that they live in. @default this machine's */
  netns?: string;
}

/** What vegeta reports of an attack, as far as it is read here. Durations are in nanoseconds. */
export interface VegetaReport {
  requests: number;
  status_codes: Record<string, number>;
  latencies: { "50th": number; "99th": number; max: number };
  errors: string[] | null;
}

/** A load that runs until it is stopped, but never longer than an hour. */
export interface Attack {
  /** @throws Error where it has not run as it should, so that its figures mean nothing */
  stop: () => Promise<VegetaReport>;
}

/** Path of vegeta, of the version that go.mod pins; Go builds it where it has not yet. */
async function vegeta(): Promise<string> {
  const options = { throwOnError: true, nodeOptions: { cwd: __dirname } };
  return (await x("go", ["tool", "-n", "vegeta"], options)).stdout.trim();
}

/**
 * Asks for predictions at a constant rate, whatever becomes of the answers.
 * @param rate requests per second
 * @param folder for its files
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
      // It waits for the answers that are due, and ends.
      running.kill("SIGINT");
      const [code] = await ended;
      if (code !== 0) throw new Error(`vegeta, clients ${name}: ended with ${code}`);
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
