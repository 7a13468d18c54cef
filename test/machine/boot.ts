import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import getPort from "get-port";
import { x } from "tinyexec";
import { waitFor } from "../support/wait";
import { type Disk, sh, workFolder } from "./disk";
import type { Kernel } from "./packages";

/** Memory of the guest. */
const MEMORY = "7G";
/** Timeout of the boot in seconds; the emulated guest is ten times slower. */
const BOOT_LIMIT = { uml: 180, qemu: 600 } as const;
/** Timeout of the shutdown in seconds: less than systemd waits for processes that do not exit. */
const SHUTDOWN_LIMIT = 80;

/** The result of a command in the guest. */
export interface Answer {
  readonly exitCode: number;
  /** Standard output and standard error. */
  readonly text: string;
}

/** A booted machine. */
export interface Guest {
  /** Path of its console log. */
  readonly console: string;
  /** Runs a command line as the user `dev`, who may use sudo. */
  run(command: string, seconds: number): Promise<Answer>;
  /** Reboots it, and returns when it responds again. */
  reboot(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * User-mode Linux maps each page of a process on its own, and kills a process with more mappings than this machine allows
 * (65530 by default); the API server has more.
 */
const MAPPINGS = 1_048_576;
const MAPPINGS_FILE = "/proc/sys/vm/max_map_count";

const SSH = [
  ...["-i", "key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
  ...["-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=30"],
];

interface Booted {
  readonly processes: readonly ChildProcess[];
  readonly ssh: readonly string[];
}

/** Starts a process with output to a file, which is stopped with this process. */
function start(command: string, args: readonly string[], log: string): ChildProcess {
  const output = openSync(log, "a");
  const child = spawn(command, args, { stdio: ["ignore", output, output], cwd: workFolder() });
  closeSync(output);
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

/**
 * User-mode Linux in namespaces of its own. slirp4netns connects its network to the outside with a user-space process; the
 * bridge gives this machine an address in it, for ssh.
 */
async function bootUml(disk: Disk, name: string, console: string): Promise<Booted> {
  const before = readFileSync(MAPPINGS_FILE, "utf8");
  if (Number(before) < MAPPINGS) {
    writeFileSync(MAPPINGS_FILE, String(MAPPINGS));
    process.once("exit", () => writeFileSync(MAPPINGS_FILE, before));
  }
  const script = `set -e
ip link set lo up
ip link add br0 type bridge
ip address add 10.0.2.50/24 dev br0
ip link set br0 up
ip tuntap add uml0 mode tap
ip link set uml0 master br0 up
exec linux.uml umid=${name} mem=${MEMORY} ubd0=${disk.image} root=/dev/ubda rw \
  vec0:transport=tap,ifname=uml0,depth=128 con=null con0=null,fd:1 con1=null,fd:1 ssl=null`;
  const own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const machine = start("unshare", [...own, "sh", "-c", script], console);
  const enter = ["nsenter", `--net=/proc/${machine.pid}/ns/net`];
  const inside = (...args: string[]) => sh("nsenter", [...enter.slice(1), ...args]);
  await waitFor("the bridge of the guest", 10, () => inside("ip", "link", "show", "uml0"), Boolean);
  const flags = ["--mtu=1500", "--disable-host-loopback", String(machine.pid), "tap0"];
  const network = start("slirp4netns", flags, `${console}.network`);
  await waitFor("slirp4netns", 10, () => inside("ip", "link", "show", "tap0"), Boolean);
  await inside("ip", "link", "set", "tap0", "master", "br0", "up");
  return { processes: [machine, network], ssh: [...enter, "ssh", ...SSH, "dev@10.0.2.15"] };
}

/** The Debian kernel in an emulator: slow, but with all controllers. */
async function bootQemu(disk: Disk, console: string): Promise<Booted> {
  const port = await getPort({ host: "127.0.0.1" });
  const machine = start(
    "qemu-system-x86_64",
    [
      ...["-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", "2"],
      ...["-m", MEMORY, "-nographic", "-nodefaults", "-serial", `file:${console}`],
      ...["-kernel", disk.linux, "-initrd", disk.initrd],
      ...["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0"],
      ...["-drive", `file=${disk.image},format=raw,if=virtio,cache=unsafe`],
      ...["-netdev", `user,id=n,hostfwd=tcp:127.0.0.1:${port}-:22`],
      ...["-device", "virtio-net-pci,netdev=n", "-device", "virtio-rng-pci"],
    ],
    `${console}.qemu`,
  );
  return { processes: [machine], ssh: ["ssh", ...SSH, "-p", String(port), "dev@127.0.0.1"] };
}

/** Boots a machine from a disk, and returns when it responds. */
export async function boot(kernel: Kernel, disk: Disk, name: string): Promise<Guest> {
  const console = `${disk.image.replace(/\.raw$/, "")}.console`;
  const powerOn = () => (kernel === "uml" ? bootUml(disk, name, console) : bootQemu(disk, console));
  let booted = await powerOn();
  const run = async (line: string, seconds: number): Promise<Answer> => {
    const [command = "", ...args] = booted.ssh;
    const nodeOptions = { cwd: workFolder() };
    const result = await x(command, [...args, line], { timeout: seconds * 1000, nodeOptions });
    return { exitCode: result.exitCode ?? -1, text: result.stdout + result.stderr };
  };
  const bootId = async () => (await run("cat /proc/sys/kernel/random/boot_id", 30)).text.trim();
  const answers = (old: string) =>
    waitFor(
      `the guest (its console: ${console})`,
      BOOT_LIMIT[kernel],
      bootId,
      (id) => /^[0-9a-f-]{36}$/.test(id) && id !== old,
    );
  const powerOff = async () => {
    const [machine] = booted.processes;
    if (machine?.exitCode === null) {
      await run("sudo systemctl poweroff", 30);
      await Promise.race([
        once(machine, "exit"),
        setTimeout(SHUTDOWN_LIMIT * 1000, undefined, { ref: false }),
      ]);
    }
    if (machine?.exitCode === null) {
      throw new Error(`The guest does not shut down in ${SHUTDOWN_LIMIT} s: see ${console}.`);
    }
  };
  const stop = async () => {
    await powerOff().catch(() => {}); // it is killed then
    for (const each of booted.processes) {
      each.kill("SIGKILL");
    }
  };
  try {
    await answers("");
  } catch (error) {
    await stop();
    throw error;
  }
  const reboot = async () => {
    const old = await bootId();
    if (kernel === "qemu") {
      await run("sudo systemctl reboot", 30);
    } else {
      // User-mode Linux cannot register its interrupts a second time in one process, and so comes back without network.
      await powerOff();
      await stop();
      booted = await powerOn();
    }
    await answers(old);
  };
  return { console, run, reboot, stop };
}
