/**
 * The properties of a privileged container: its own mounts, processes and cgroups, with a cgroup root that is not the
 * kernel's, and no systemd. The network is that of the machine.
 */
const INIT = `umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run/systemd
test ! -e /etc/cpuinfo || mount --bind /etc/cpuinfo /proc/cpuinfo
sleep infinity & wait`;
const OWN = "--mount --cgroup --pid --fork --mount-proc";

/** Joins the cgroup of the container's first process, and then its namespaces, as a container runtime does for `exec`. */
const ENTER = `pid=$(pgrep -P "$(systemctl show --property=MainPID --value container)") || exit 1
echo $$ > "/sys/fs/cgroup$(cut -d: -f3- /proc/$pid/cgroup)/cgroup.procs"
exec nsenter --target "$pid" --mount --cgroup --pid sudo -u dev sh -c "$1"`;

/** The command line that starts the container. */
export const CONTAINER_UP = `sudo systemd-run --quiet --unit=container --property=Delegate=yes unshare ${OWN} bash -c '${INIT}'`;

/** The command line that runs another command line in it, as the user `dev`. */
export function inContainer(command: string): string {
  const text = Buffer.from(command).toString("base64");
  return `sudo sh -c '${ENTER}' enter "$(echo ${text} | base64 -d)"`;
}
