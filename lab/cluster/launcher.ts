/**
 * Pauses before a part that has ended is started again, in seconds: their number is the bound. It is what systemd calls a
 * start limit; a machine may have no systemd (a container), and runit's runsv knows neither pauses nor a bound.
 */
export const PAUSES = [1, 2, 4, 8, 16];
/** A run of this many seconds makes earlier ends forgotten. */
const LONG_RUN = 600;

/** Writes a process record: pid, start time, fingerprint. Arguments: file, fingerprint. */
const RECORD = `printf '%s %s %s\\n' $$ "$(cut -d ' ' -f 22 /proc/$$/stat)" "$2" > "$1.new"
mv "$1.new" "$1"`;

/** Notes its own pid and becomes the command, all in one process. Arguments: record file, fingerprint, command... */
export const RUN = `set -e
${RECORD}
shift 2
exec "$@"`;

/**
 * Supervises one part. It joins the lab's cgroup and notes its own pid, whatever happens to the program that launched it;
 * then it runs the part, and runs it again after a pause when it has ended. It leads a process group, in which the part is
 * too: a signal to the group ends both, with no moment at which a new run could escape it.
 * Arguments: cgroup file, own record, the part's record, file of ends, pauses, fingerprint, RUN, command...
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
    echo "lab: ended with exit code $code, and is not started again"
    exit 1
  fi
  left=\${left#"$pause"} left=\${left# }
  echo "lab: ended with exit code $code; started again in $pause s"
  sleep "$pause"
done`;
