import subprocess
import sys

import pytest

from bench import processes
from bench.processes import Process, busy_share, family, parse_stat

LINE = "42 (a (b) c) S 7 42 40 0 -1 4194560 1 2 3 4 150 50 25 25 20 0 1 0 100 1000 10"


def test_parses_a_name_with_parentheses_and_spaces() -> None:
    assert parse_stat(LINE) == Process(42, 7, 40, 2.5)


def test_ignores_zombies() -> None:
    assert parse_stat(LINE.replace(" S ", " Z ")) is None


def test_a_family_is_the_session_and_all_descendants() -> None:
    leader = Process(10, 1, 10, 0)
    orphan = Process(11, 1, 10, 0)
    child = Process(12, 11, 12, 0)
    grandchild = Process(13, 12, 13, 0)
    unrelated = Process(14, 1, 14, 0)
    everything = [unrelated, grandchild, child, orphan, leader]
    assert family(10, everything) == [grandchild, child, orphan, leader]


def test_cpu_and_memory_of_a_real_family_with_an_exited_child() -> None:
    burn = "sum(i * i for i in range(3_000_000))"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", f"{child}; print('done', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        assert processes.cpu_seconds(process.pid) > 0.05
        assert processes.resident_bytes(process.pid) > 1_000_000
        assert processes.stop(process)
    assert processes.running(process.pid) == []


def test_kills_a_process_that_ignores_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_STOP_TIMEOUT", 1.0)
    ignoring = "import signal, subprocess, sys; signal.signal(15, signal.SIG_IGN);"
    ignoring += "subprocess.Popen(['sleep', '60'], start_new_session=True);"
    ignoring += "print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", ignoring],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(processes.running(process.pid)) == 2
        assert processes.stop(process)


def test_the_busy_share_excludes_idle_and_iowait() -> None:
    before = "cpu  100 0 100 1000 50 0 0 0 0 0\ncpu0 1 2"
    after = "cpu  130 0 110 1100 60 10 0 0 0 0\ncpu0 1 2"
    assert busy_share(before, after) == pytest.approx(50 / 160)
