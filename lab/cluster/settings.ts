import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import getPort from "get-port";
import { z } from "zod";
import { DEFAULT_LAB, type Lab, LabError, type LabOptions } from "./identity";
import { runningProcess } from "./processes";
import { attempt } from "./shell";

const port = z.number().int().min(1).max(65_535);

/** What a lab remembers between two starts, so that its addresses stay. */
const Settings = z.object({
  name: z.string(),
  /** The /30 of the link to the host. */
  subnet: z.string().optional(),
  registryPort: port,
  ingressPort: port,
});
export type Settings = z.infer<typeof Settings>;

/** Ports that committed stack files name: the default lab's. */
const FIRST_PORTS = { registryPort: 5001, ingressPort: 8080 } as const;

type PortName = keyof typeof FIRST_PORTS;
const PORTS = [
  { name: "registryPort", flag: "--registry-port", part: "registry-forwarder" },
  { name: "ingressPort", flag: "--ingress-port", part: "ingress-forwarder" },
] as const;

/** What the lab remembers; undefined before its first start. Throws if the file is damaged or another lab's. */
export function readSettings(lab: Lab): Settings | undefined {
  const { settings, folder } = lab.paths;
  if (!existsSync(settings)) return undefined;
  const parsed = Settings.safeParse(jsonOf(readFileSync(settings, "utf8")));
  if (!parsed.success) {
    throw new LabError(`${settings} is damaged. Remove the folder ${folder} and start again.`);
  }
  if (parsed.data.name !== lab.name) {
    throw new LabError(
      `${folder} holds the lab "${parsed.data.name}". Use --name ${parsed.data.name}, or another --folder.`,
    );
  }
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes what the lab remembers. */
export function writeSettings(lab: Lab, settings: Settings): void {
  mkdirSync(dirname(lab.paths.settings), { recursive: true });
  writeFileSync(lab.paths.settings, `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** The ports that were asked for, else the remembered ones, else the default lab's fixed ones or the next free. */
export async function choosePorts(
  lab: Lab,
  options: LabOptions,
  remembered: Settings | undefined,
): Promise<Record<PortName, number>> {
  const choose = async (name: PortName) =>
    options[name] ?? remembered?.[name] ?? (await firstPort(lab, name));
  const chosen = {
    registryPort: await choose("registryPort"),
    ingressPort: await choose("ingressPort"),
  };
  if (chosen.registryPort === chosen.ingressPort) {
    throw new LabError(`--registry-port and --ingress-port are both ${chosen.ingressPort}.`);
  }
  return chosen;
}

/** How many ports above the default lab's the others choose from. */
const PORT_RANGE = 200;

/**
 * Labs other than the default one leave its two ports alone, even while it is down. Each begins to look at a place of its
 * own, so that two that are started at the same moment do not meet.
 */
async function firstPort(lab: Lab, name: PortName): Promise<number> {
  const first = FIRST_PORTS[name];
  if (lab.name === DEFAULT_LAB) return first;
  const start = createHash("sha256").update(lab.paths.folder).digest().readUInt16BE() % PORT_RANGE;
  const range = Array.from(
    { length: PORT_RANGE },
    (_, index) => first + 1 + ((start + index) % PORT_RANGE),
  );
  return getPort({ port: range, host: "127.0.0.1" });
}

/** Refuses a port that something other than this lab listens on, before anything is started. */
export async function checkPorts(lab: Lab, ports: Record<PortName, number>): Promise<void> {
  for (const { name, flag, part } of PORTS) {
    const own = runningProcess(lab, part)?.pid;
    const { stdout } = await attempt("ss", ["-Hltnp", `sport = :${ports[name]}`]);
    const taken = stdout.split("\n").find(listensOnLoopback);
    if (taken && !(own && taken.includes(`pid=${own},`))) {
      throw new LabError(
        `Port ${ports[name]} of 127.0.0.1 is taken by ${ownerOf(taken)}. End it, or choose another port: "npm run lab -- up ${flag} PORT", and write it in place of ${ports[name]} in the files of the stacks that use this lab (Pulumi.dev.yaml).`,
      );
    }
  }
}

/** Whether a line of `ss -ltn` is about a socket that hears 127.0.0.1. */
export function listensOnLoopback(line: string): boolean {
  const local = line.trim().split(/\s+/)[3] ?? "";
  return /^(127\.0\.0\.1|0\.0\.0\.0|\*|\[::\]):\d+$/.test(local);
}

/** Name and pid of the process in a line of `ss -p`; it is not told where the process belongs to someone else. */
export function ownerOf(line: string): string {
  const [, name, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(line) ?? [];
  return name && pid ? `${name} (pid ${pid})` : "another process";
}
