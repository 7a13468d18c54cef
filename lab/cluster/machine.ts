import { delimiter } from "node:path";
import { which } from "../../toolchain";
import { LabError } from "./identity";

/** What a lab takes from Debian; Docker's packages bring the two of ENGINE too, and must not be replaced. */
const PACKAGES = [
  ...["etcd-server", "containernetworking-plugins", "docker-registry"],
  ...["iproute2", "iptables", "ipset", "conntrack", "socat", "openssl"],
];
const ENGINE = ["containerd", "runc"];

/** Where administrators' programs are; `su` and some services leave them out. */
const ADMINISTRATION = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/** Where sudo looks for programs, as Debian sets it up (secure_path of sudoers). */
const SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The Debian packages that a lab needs on this machine. */
export function labPackages(): string[] {
  return [...PACKAGES, ...ENGINE.filter((program) => !which(program))];
}

/** What is asked about a machine before a lab is started on it. */
export interface Machine {
  platform: NodeJS.Platform;
  /** Whether Debian's package tools are there; its relatives have them too. */
  debian: boolean;
  root: boolean;
  /** Whether sudo finds npm. */
  sudoFindsNpm: boolean;
  /** The npm script that runs: `start`, `lab`. */
  script: string | undefined;
}

const ELSEWHERE = "With a cluster of your own none of it is needed: npm start -- --context NAME";

/** Why a lab cannot be started on a machine and what to do, in two lines; undefined where it can. */
export function machineFault(machine: Machine): string | undefined {
  if (machine.platform !== "linux") {
    return `The local cluster runs on Linux only, and this is ${machine.platform}.\n${ELSEWHERE}`;
  }
  if (!machine.debian) {
    return `The local cluster needs Debian, Ubuntu or a relative: apt-get and dpkg-query are not on PATH.\n${ELSEWHERE}`;
  }
  if (machine.root) return undefined;
  const command =
    machine.script === "start" ? "npm start" : `npm run ${machine.script ?? "lab"} -- ...`;
  // npm of nvm, say, is on the user's PATH alone.
  const sudo = machine.sudoFindsNpm ? "sudo" : 'sudo env "PATH=$PATH"';
  return `The local cluster needs root (for namespaces, mounts and firewall rules). Run: ${sudo} ${command}\n${ELSEWHERE}`;
}

function thisMachine(): Machine {
  return {
    platform: process.platform,
    debian: ["apt-get", "dpkg-query"].every((program) => which(program)),
    root: process.getuid?.() === 0,
    sudoFindsNpm: which("npm", SUDO_PATH) !== undefined,
    script: process.env.npm_lifecycle_event,
  };
}

/** Throws where no lab can run, before anything is done. Afterwards administrators' programs are on PATH. */
export function requireMachine(machine = thisMachine()): void {
  const fault = machineFault(machine);
  if (fault) throw new LabError(fault);
  const path = (process.env.PATH ?? "").split(delimiter);
  const missing = ADMINISTRATION.filter((folder) => !path.includes(folder));
  process.env.PATH = [...path, ...missing].join(delimiter);
}
