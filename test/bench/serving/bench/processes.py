"""CPU time and memory of a server: of its first process and all descendants."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """The fields of /proc/PID/stat that are used."""

    pid: int
    parent: int
    session: int
    #: CPU seconds in user and kernel mode, including children that were waited for.
    cpu: float


def parse_stat(line: str) -> Process | None:
    """Parses /proc/PID/stat; None for a zombie."""
    pid, rest = line.split(" (", 1)
    # The name in parentheses may contain anything, so the fields are counted from its end.
    fields = rest.rsplit(")", 1)[1].split()
    if fields[0] in "ZX":
        return None
    ticks = sum(int(field) for field in fields[11:15])
    return Process(int(pid), int(fields[1]), int(fields[3]), ticks / _TICKS_PER_SECOND)


def family(leader: int, processes: list[Process]) -> list[Process]:
    """The leader, its session, and all descendants of those."""
    found = {p.pid for p in processes if leader in (p.pid, p.session)}
    while True:
        more = {p.pid for p in processes if p.parent in found} - found
        if not more:
            return [p for p in processes if p.pid in found]
        found |= more


def running(leader: int) -> list[Process]:
    """The current family of a process."""
    processes = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                process = parse_stat((folder / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue  # exited in the meantime
            if process is not None:
                processes.append(process)
    return family(leader, processes)


def cpu_seconds(leader: int) -> float:
    """CPU time that the family has used since it was started."""
    return sum(process.cpu for process in running(leader))


def resident_bytes(leader: int) -> int:
    """Resident memory of the family; shared memory is counted once (PSS)."""
    return sum(_pss(process.pid) for process in running(leader))


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def busy_share(before: str, after: str) -> float:
    """The share of the CPU time of all cores that was used between two readings of /proc/stat."""
    first, second = ([int(word) for word in text.split()[1:9]] for text in (before, after))
    spent = [late - early for early, late in zip(first, second, strict=True)]
    idle = spent[3] + spent[4]  # idle, and iowait
    return 1 - idle / sum(spent)


#: Seconds between SIGTERM and SIGKILL.
_STOP_TIMEOUT = 20.0


def stop(process: subprocess.Popen[bytes]) -> bool:
    """Stops a session leader and its family: with SIGTERM, then with SIGKILL.

    Returns whether all of them have exited.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for member in running(process.pid):
            _signal(member.pid, number)
        until = time.perf_counter() + _STOP_TIMEOUT
        while time.perf_counter() < until:
            process.poll()  # reaps a zombie
            if not running(process.pid):
                return True
            time.sleep(0.02)
    return False


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
