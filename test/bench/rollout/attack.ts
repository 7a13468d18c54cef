import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { x } from "tinyexec";
import { connectTo } from "../../../cli/http";
import { SAMPLE } from "../../../cli/summary";

/** How a client uses its connections: one for each request, or the same ones again and again. */
export const CONNECTIONS = ["fresh", "kept alive"] as const;
export type Connections = (typeof CONNECTIONS)[number];

/** What vegeta reports of an attack, as far as it is read here. Durations are in nanoseconds. */
export interface VegetaReport {
  requests: number;
  status_codes: Record<string, number>;
  latencies: { "50th": number; "99th": number; max: number };
  errors: string[] | null;
}

/** A load that runs until it is stopped, but never longer than an hour. */
export interface Attack {
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
  modelUrl: string,
  connections: Connections,
  rate: number,
  folder: string,
): Promise<Attack> {
  const command = await vegeta();
  const url = new URL(`${modelUrl}/predict`);
  const { host, port } = connectTo(url);
  const file = (name: string) => join(folder, `${connections.replace(" ", "-")}-${name}`);
  writeFileSync(file("body"), JSON.stringify(SAMPLE));
  writeFileSync(
    file("targets"),
    [
      `POST ${url.protocol}//${host}:${port}${url.pathname}`,
      `Host: ${url.host}`,
      "Content-Type: application/json",
      `@${file("body")}`,
      "",
    ].join("\n"),
  );
  const args = ["attack", `-rate=${rate}/s`, "-duration=1h", "-timeout=10s", "-max-workers=512"];
  const kept = `-keepalive=${connections === "kept alive"}`;
  const running = spawn(command, [...args, kept, `-targets=${file("targets")}`], {
    stdio: ["ignore", openSync(file("results"), "w"), "inherit"],
  });
  const ended = once(running, "exit");
  return {
    stop: async () => {
      // It waits for the answers that are due, and ends.
      running.kill("SIGINT");
      await ended;
      const report = await x(command, ["report", "-type=json", file("results")], {
        throwOnError: true,
      });
      return JSON.parse(report.stdout) as VegetaReport;
    },
  };
}
