import { delimiter } from "node:path";
import { which } from "../../toolchain";
import { LabError } from "./identity";

/** Debian packages that a lab needs. Docker's packages provide those of ENGINE, and must not be replaced. */
const PACKAGES = [
  ...["etcd-server", "containernetworking-plugins", "docker-registry"],
  ...["iproute2", "iptables", "ipset", "conntrack", "socat", "openssl"],
];
const ENGINE = ["containerd", "runc"];

/** Folders of administration programs, which the PATH of `su` and some services does not have. */
const ADMINISTRATION = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/** The PATH of sudo in Debian (secure_path of sudoers). */
const SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The Debian packages that a lab needs on this machine. */
export function labPackages(): string[] {
  return [...PACKAGES, ...ENGINE.filter((program) => !which(program))];
}

/** Properties of a machine that are checked before a lab is started. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** Whether Debian's package tools are installed; distributions based on Debian have them too. */
  readonly debian: boolean;
  readonly root: boolean;
  /** Whether sudo finds npm. */
  readonly sudoFindsNpm: boolean;
  /** The npm script that runs: `start`, `lab`. */
  readonly script: string | undefined;
}

const ELSEWHERE = "A cluster of your own does not need this: npm start -- --context NAME";

/** Why a lab cannot be started on a machine and what to do, in two lines; undefined if it can. */
export function machineProblem(machine: Machine): string | undefined {
  if (machine.platform !== "linux") {
    return `The local cluster runs on Linux only, and this is ${machine.platform}.\n${ELSEWHERE}`;
  }
  if (!machine.debian) {
    return `The local cluster needs Debian, Ubuntu or a distribution based on them: apt-get and dpkg-query are not on PATH.\n${ELSEWHERE}`;
  }
  if (machine.root) {
    return undefined;
  }
  const command =
    machine.script === "start" ? "npm start" : `npm run ${machine.script ?? "lab"} -- ...`;
  // The npm of nvm, for example, is only on the user's PATH.
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

/** Throws, before anything is done, if no lab can run on the machine. Adds the folders of administration programs to PATH. */
export function requireMachine(machine = thisMachine()): void {
  const fault = machineProblem(machine);
  if (fault) {
    throw new LabError(fault);
  }
  const path = (process.env.PATH ?? "").split(delimiter);
  const missing = ADMINISTRATION.filter((folder) => !path.includes(folder));
  process.env.PATH = [...path, ...missing].join(delimiter);
}
