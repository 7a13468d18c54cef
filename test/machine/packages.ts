/** Debian packages of the machine: what an ordinary small installation has, and a way in. */
export const PACKAGES = [
  ...["systemd", "systemd-sysv", "udev", "dbus", "libpam-systemd", "kmod", "procps"],
  ...["openssh-server", "sudo", "ca-certificates", "openssl", "curl", "git", "less"],
  ...["iproute2", "iptables", "python3", "python3-venv", "xz-utils"],
  ...["linux-image-amd64", "initramfs-tools"],
];

/** Releases that can be tried, by their code names. */
export const RELEASES = ["bookworm", "trixie"] as const;
export type Release = (typeof RELEASES)[number];

/** Ways to boot the root file system. */
export const KERNELS = ["uml", "qemu"] as const;
export type Kernel = (typeof KERNELS)[number];
