/** Debian packages of the machine: those of a small standard installation, and an ssh server. */
export const PACKAGES = [
  ...["systemd", "systemd-sysv", "udev", "dbus", "libpam-systemd", "kmod", "procps"],
  ...["openssh-server", "sudo", "ca-certificates", "openssl", "curl", "git", "less"],
  ...["iproute2", "iptables", "python3", "python3-venv", "xz-utils"],
  ...["linux-image-amd64", "initramfs-tools"],
];

/** Code names of the supported releases. */
export const RELEASES = ["bookworm", "trixie"] as const;
export type Release = (typeof RELEASES)[number];

/** Ways to boot the root file system. */
export const KERNELS = ["uml", "qemu"] as const;
export type Kernel = (typeof KERNELS)[number];
