/**
 * Backoff in seconds before a component is restarted: their number is the limit of restarts, which systemd calls a start
 * limit. A machine may have no systemd (a container), and runit's runsv has neither backoff nor a limit.
 */
export const PAUSES = [1, 2, 4, 8, 16];
/** After a run of this many seconds the backoff starts again. */
const LONG_RUN = 600;

/** Writes a process record: pid, start time, fingerprint. Arguments: file, fingerprint. */
const RECORD = `printf '%s %s %s\\n' $$ "$(cut -d ' ' -f 22 /proc/$$/stat)" "$2" > "$1.new"
mv "$1.new" "$1"`;

/** Writes its own record and executes the command in the same process. Arguments: record file, fingerprint, command... */
export const RUN = `set -e
${RECORD}
shift 2
exec "$@"`;

/**
 * Supervises one component. It joins the lab's cgroup and writes its own record, even if the program that started it exits;
 * then it runs the component, and restarts it after a pause when it has exited. It leads a process group that includes the
 * component: a signal to the group stops both, so that no new run can escape it.
 * Arguments: cgroup file, own record, the component's record, file of exits, pauses, fingerprint, RUN, command...
 */
export const SUPERVISOR = `set -e
echo $$ > "$1"
own=$2 record=$3 ends=$4 pauses=$5 fingerprint=$6 run=$7
shift 7
write() {
${RECORD}
}
write "$own" "$fingerprint"
seconds() { read -r up idle < /proc/uptime; echo "\${up%%.*}"; }
left=$pauses
while :; do
  began=$(seconds) code=0
  sh -c "$run" sh "$record" "$fingerprint" "$@" || code=$?
  [ $(($(seconds) - began)) -lt ${LONG_RUN} ] || left=$pauses
  printf '%s %s\\n' "$(date +%s)" "$code" >> "$ends"
  pause=\${left%% *}
  if [ -z "$pause" ]; then
    echo "lab: exited with code $code, and is not restarted"
    exit 1
  fi
  left=\${left#"$pause"} left=\${left# }
  echo "lab: exited with code $code; restarted in $pause s"
  sleep "$pause"
done`;
