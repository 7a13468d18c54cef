/**
 * The properties of a privileged container: its own mounts, processes and cgroups, with a cgroup root that is not the
 * kernel's, and no systemd. The network is that of the machine.
 */
const INIT = `umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run/systemd
test ! -e /etc/cpuinfo || mount --bind /etc/cpuinfo /proc/cpuinfo
sleep infinity & wait`;

/** Creates the cgroup of the container, with all controllers and without any process from outside of it. */
const RUNTIME = `base=/sys/fs/cgroup$(cut -d: -f3- /proc/self/cgroup)
mkdir "$base/runtime" "$base/box"
echo 0 > "$base/runtime/cgroup.procs"
for each in $(cat "$base/cgroup.controllers"); do echo "+$each" > "$base/cgroup.subtree_control"; done
export base INIT
exec unshare --pid --fork bash -c "echo 0 > \\"\\$base/box/cgroup.procs\\"; exec unshare --mount --cgroup --mount-proc bash -c \\"\\$INIT\\""`;

/**
 * Runs a command in the namespaces and the cgroup of the container's first process. The processes outside of its PID namespace
 * leave its cgroup again, as a container runtime's do: nobody inside could move them.
 */
const ENTER = `first=$(pgrep -P "$(systemctl show --property=MainPID --value container)") || exit 1
procs() { echo "/sys/fs/cgroup$(cut -d: -f3- "/proc/$1/cgroup")/cgroup.procs"; }
own=$(procs self)
echo $$ > "$(procs "$first")"
nsenter --target "$first" --mount --cgroup --pid sudo -u dev sh -c "$1" & outer=$!
while kill -0 "$outer" && ! pgrep -P "$outer" > /dev/null; do sleep 0.1; done
for each in "$outer" $$; do echo "$each" > "$own"; done
wait "$outer"`;

/** The command line that starts the container. */
export const CONTAINER_UP = `sudo systemd-run --quiet --unit=container --property=Delegate=yes --setenv=INIT='${INIT}' bash -c '${RUNTIME}'`;

/** The command line that runs another command line in it, as the user `dev`. */
export function inContainer(command: string): string {
  const text = Buffer.from(command).toString("base64");
  return `sudo sh -c '${ENTER}' enter "$(echo ${text} | base64 -d)"`;
}
