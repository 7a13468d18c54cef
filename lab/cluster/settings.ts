import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import getPort from "get-port";
import { z } from "zod";
import { DEFAULT_LAB, type Lab, LabError, type LabOptions } from "./identity";
import { runningProcess } from "./processes";
import { attempt } from "./shell";

const port = z.number().int().min(1).max(65_535);

/** Settings that a lab keeps between starts, so that its addresses do not change. */
const Settings = z.object({
  name: z.string(),
  /** The /30 of the link to the host. */
  subnet: z.string().optional(),
  registryPort: port,
  ingressPort: port,
  /** A lab that an older version started has none. */
  httpsPort: port.optional(),
});
export type Settings = z.infer<typeof Settings>;

/** The ports of the default lab, which committed stack files contain. */
export const FIRST_PORTS = { registryPort: 5001, ingressPort: 8080, httpsPort: 8443 } as const;

type PortName = keyof typeof FIRST_PORTS;
const PORTS = [
  { name: "registryPort", flag: "--registry-port", component: "registry-forwarder" },
  { name: "ingressPort", flag: "--ingress-port", component: "ingress-forwarder" },
  { name: "httpsPort", flag: "--https-port", component: "https-forwarder" },
] as const;

/** The settings of the lab; undefined before its first start. Throws if the file is invalid or belongs to another lab. */
export function readSettings(lab: Lab): Settings | undefined {
  const { settings, folder } = lab.paths;
  if (!existsSync(settings)) {
    return undefined;
  }
  const parsed = Settings.safeParse(jsonOf(readFileSync(settings, "utf8")));
  if (!parsed.success) {
    throw new LabError(`${settings} is not valid. Remove the folder ${folder} and start again.`);
  }
  if (parsed.data.name !== lab.name) {
    throw new LabError(
      `${folder} is the folder of the lab "${parsed.data.name}". Use --name ${parsed.data.name}, or another --folder.`,
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

/** Writes the settings of the lab. */
export function writeSettings(lab: Lab, settings: Settings): void {
  mkdirSync(dirname(lab.paths.settings), { recursive: true });
  writeFileSync(lab.paths.settings, `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** The ports of the options, else those of the last start, else the fixed ones of the default lab or the next free ones. */
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
    httpsPort: await choose("httpsPort"),
  };
  for (const [index, { name, flag }] of PORTS.entries()) {
    const same = PORTS.slice(0, index).find((other) => chosen[other.name] === chosen[name]);
    if (same) {
      throw new LabError(`${same.flag} and ${flag} are both ${chosen[name]}.`);
    }
  }
  return chosen;
}

/** Number of ports above those of the default lab from which other labs choose. */
const PORT_RANGE = 200;

/**
 * Other labs do not take the ports of the default lab, even while it is stopped. The search starts at an offset that depends
 * on the lab, so that two labs that start at the same time do not choose the same port.
 */
async function firstPort(lab: Lab, name: PortName): Promise<number> {
  const first = FIRST_PORTS[name];
  if (lab.name === DEFAULT_LAB) {
    return first;
  }
  const start = createHash("sha256").update(lab.paths.folder).digest().readUInt16BE() % PORT_RANGE;
  const range = Array.from(
    { length: PORT_RANGE },
    (_, index) => first + 1 + ((start + index) % PORT_RANGE),
  );
  return getPort({ port: range, host: "127.0.0.1" });
}

/** Throws if another program listens on a port, before anything is started. */
export async function checkPorts(lab: Lab, ports: Record<PortName, number>): Promise<void> {
  for (const { name, flag, component } of PORTS) {
    const own = runningProcess(lab, component)?.pid;
    const { stdout } = await attempt("ss", ["-Hltnp", `sport = :${ports[name]}`]);
    const taken = stdout.split("\n").find(listensOnLoopback);
    if (taken && !(own && taken.includes(`pid=${own},`))) {
      throw new LabError(
        `Port ${ports[name]} of 127.0.0.1 is in use by ${ownerOf(taken)}. Stop it, or choose another port: "npm run lab -- up ${flag} PORT", and replace ${ports[name]} in the files of the stacks that use this lab (Pulumi.dev.yaml).`,
      );
    }
  }
}

/** Whether a line of `ss -ltn` is a socket that listens on 127.0.0.1. */
export function listensOnLoopback(line: string): boolean {
  const local = line.trim().split(/\s+/)[3] ?? "";
  return /^(127\.0\.0\.1|0\.0\.0\.0|\*|\[::\]):\d+$/.test(local);
}

/** Name and pid of the process in a line of `ss -p`, which does not show processes of other users. */
export function ownerOf(line: string): string {
  const [, name, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(line) ?? [];
  return name && pid ? `${name} (pid ${pid})` : "another process";
}
