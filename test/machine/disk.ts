import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { x } from "tinyexec";
import { cacheRoot, type Report } from "../../toolchain";
import { type Kernel, PACKAGES, type Release } from "./packages";

const CHECKOUT = resolve(__dirname, "../..");
/** Path of the checkout in the guest. */
export const GUEST_CHECKOUT = "/home/dev/ml-platform";
/** Size of the guest's disk; the file is sparse. */
const DISK_SIZE = "40G";
const BUILD_LIMIT = 1_200_000;

/** Folder of root file systems, disks and logs. */
export const workFolder = () => join(cacheRoot(), "machine");

/** Runs a command on this machine. */
export async function sh(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const run = x(command, [...args], { timeout: BUILD_LIMIT, nodeOptions: { cwd } });
  const { exitCode, stdout, stderr } = await run;
  if (exitCode === 0) {
    return stdout;
  }
  throw new Error(`"${command} ${args.join(" ")}" failed (exit ${exitCode}):\n${stderr.trim()}`);
}

/** The root file system of mmdebstrap, which is cached for each list of packages. */
async function rootArchive(release: Release, report: Report): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(PACKAGES)).digest("hex").slice(0, 8);
  const file = join(workFolder(), `${release}-${hash}.tar`);
  if (existsSync(file)) {
    return file;
  }
  report(`${release}: making the root file system with mmdebstrap ...`);
  mkdirSync(workFolder(), { recursive: true });
  const options = ["--variant=minbase", `--include=${PACKAGES.join(",")}`, "--format=tar"];
  const keyring = "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg";
  await sh("mmdebstrap", [...options, keyring, release, `${file}.partial`]);
  renameSync(`${file}.partial`, file);
  return file;
}

/** The environment variables with which this machine reaches the package registries. */
function registryVariables(): string {
  const wanted = /(CERT|CA_BUNDLE|_proxy$|^GOPROXY$|^GOSUMDB$|^PIP_INDEX_URL$)/i;
  const found = Object.entries(process.env).filter(([name]) => wanted.test(name));
  return found.map(([name, value]) => `${name}=${value}\n`).join("");
}

const NETWORK = `[Match]
Name=e* vec*
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
`;

/** Names, network, certificates, and a user `dev` who may use sudo. */
async function configure(root: string, release: Release, kernel: Kernel): Promise<void> {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    rmSync(join(root, path), { force: true }); // it may be a link out of the root
    writeFileSync(join(root, path), text);
  };
  const inside = (...command: string[]) => sh("chroot", [root, ...command]);
  write("etc/hostname", `${release}\n`);
  write("etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${release}\n`);
  write("etc/resolv.conf", "nameserver 10.0.2.3\n");
  write("etc/systemd/network/10-test.network", NETWORK);
  write("etc/environment", registryVariables());
  // It boots with the initramfs of mmdebstrap; a package such as busybox would make a new one for minutes.
  write("etc/initramfs-tools/update-initramfs.conf", "update_initramfs=no\n");
  write("etc/sudoers.d/dev", "dev ALL=(ALL) NOPASSWD: ALL\n");
  const disk = kernel === "uml" ? "/dev/ubda" : "/dev/vda";
  write("etc/fstab", `${disk} / ext4 defaults 0 1\n`);
  await inside("systemctl", "enable", "systemd-networkd", "ssh");
  await inside("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", "dev");
  const authorities = "/usr/local/share/ca-certificates";
  cpSync(authorities, join(root, authorities), { recursive: true });
  await inside("update-ca-certificates");
  if (kernel === "uml") {
    await adaptToUml(root);
  }
}

/** Adapts the system to a user-mode kernel, which has no nftables and no CPU clock rate, without which the kubelet exits. */
async function adaptToUml(root: string): Promise<void> {
  const modules = "/usr/lib/uml/modules";
  const [version = ""] = readdirSync(modules);
  cpSync(join(modules, version), join(root, "lib/modules", version), { recursive: true });
  writeFileSync(
    join(root, "etc/cpuinfo"),
    "processor\t: 0\nvendor_id\t: User Mode Linux\nmodel name\t: UML\ncpu MHz\t\t: 2000.000\n",
  );
  appendFileSync(join(root, "etc/fstab"), "/etc/cpuinfo /proc/cpuinfo none bind 0 0\n");
  mkdirSync(join(root, "etc/alternatives"), { recursive: true });
  // Set before the package iptables is installed, which keeps the choice of an administrator.
  for (const name of ["iptables", "ip6tables"]) {
    mkdirSync(join(root, "var/lib/dpkg/alternatives"), { recursive: true });
    symlinkSync(`/usr/sbin/${name}-legacy`, join(root, "usr/local/sbin", name));
    for (const end of ["save", "restore"]) {
      symlinkSync(
        `/usr/sbin/${name}-legacy-${end}`,
        join(root, "usr/local/sbin", `${name}-${end}`),
      );
    }
  }
}

/** Copies the current checkout, its npm packages, and the tools in the cache. */
async function fill(root: string): Promise<void> {
  const target = join(root, GUEST_CHECKOUT);
  mkdirSync(target, { recursive: true });
  const listing = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const files = (await sh("git", listing, CHECKOUT)).split("\0");
  for (const file of files.filter((it) => it !== "" && existsSync(join(CHECKOUT, it)))) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    copyFileSync(join(CHECKOUT, file), join(target, file));
  }
  await sh("cp", ["-a", join(CHECKOUT, "node_modules"), target]);
  await sh("chroot", [root, "chown", "-R", "dev:dev", "/home/dev"]);
  const cache = join(root, "root/.cache/ml-platform");
  mkdirSync(cache, { recursive: true });
  for (const part of ["tools", "images"].filter((it) => existsSync(join(cacheRoot(), it)))) {
    await sh("cp", ["-a", join(cacheRoot(), part), cache]);
  }
  await provideNode(root);
  await sh("cp", ["-a", await goRoot(), join(root, "usr/local/go")]);
}

/** Copies Node of the npm package, and this machine's npm, to the paths of Debian. */
async function provideNode(root: string): Promise<void> {
  copyFileSync(join(CHECKOUT, "node_modules/node/bin/node"), join(root, "usr/bin/node"));
  const npm = resolve(dirname((await sh("readlink", ["-f", await onPath("npm")])).trim()), "..");
  cpSync(npm, join(root, "usr/share/npm"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../share/npm/bin/${name}-cli.js`, join(root, "usr/bin", name));
  }
}

const onPath = async (name: string) => (await sh("which", [name])).trim();
const goRoot = async () => (await sh("go", ["env", "GOROOT"])).trim();

async function admitKey(root: string): Promise<void> {
  const key = join(workFolder(), "key");
  if (!existsSync(key)) {
    await sh("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  }
  for (const home of ["root", "home/dev"]) {
    const folder = join(root, home, ".ssh");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    copyFileSync(`${key}.pub`, join(folder, "authorized_keys"));
  }
  await sh("chroot", [root, "chown", "-R", "dev:dev", "/home/dev/.ssh"]);
}

/** The disk and kernel of a machine. */
export interface Disk {
  readonly image: string;
  /** The Debian kernel and its initramfs, for an emulator. */
  readonly linux: string;
  readonly initrd: string;
}

/** Creates the disk of a machine, with the current checkout. Its name is that of its files. */
export async function makeDisk(
  name: string,
  release: Release,
  kernel: Kernel,
  report: Report,
): Promise<Disk> {
  const archive = await rootArchive(release, report);
  const place = join(workFolder(), name);
  const root = `${place}.root`;
  report(`${name}: filling the disk ...`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await sh("tar", ["-C", root, "--numeric-owner", "-xpf", archive]);
  await configure(root, release, kernel);
  await fill(root);
  await admitKey(root);
  const boot = (name: string) => {
    const found = readdirSync(join(root, "boot")).find((it) => it.startsWith(name)) ?? name;
    copyFileSync(join(root, "boot", found), `${place}.${name}`);
    return `${place}.${basename(name)}`;
  };
  const disk = { image: `${place}.raw`, linux: boot("vmlinuz"), initrd: boot("initrd") };
  rmSync(disk.image, { force: true });
  await sh("truncate", ["-s", DISK_SIZE, disk.image]);
  await sh("mkfs.ext4", ["-q", "-F", "-d", root, disk.image]);
  rmSync(root, { recursive: true, force: true });
  return disk;
}
