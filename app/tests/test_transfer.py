"""Copies to and from the data folder: whole, continued, refused, and never visible too early."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training import transfer
from training.partial import IncompleteError, PartialFile
from training.transfer import Connection, TransferError

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOTHING = hashlib.sha256(b"").hexdigest()


def line(**values: object) -> bytes:
    return json.dumps(values).encode() + b"\n"


def run(folder: Path, arguments: list[str], given: bytes) -> tuple[int, bytes, str]:
    process = subprocess.run(
        [sys.executable, "-m", "training.transfer", *arguments],
        check=False,
        input=given,
        capture_output=True,
        env={**os.environ, "DATA_DIR": str(folder)},
        timeout=60,
    )
    return process.returncode, process.stdout, process.stderr.decode().strip()


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(one) for one in output.splitlines()]


def put(folder: Path, given: bytes, name: str = "set/data.bin") -> tuple[int, bytes, str]:
    return run(folder, ["put", name, str(len(CONTENT))], given)


def test_put_gives_the_file_its_name_when_it_is_complete(tmp_path: Path) -> None:
    given = line(offset=0) + CONTENT + line(sha256=SHA256) + line(done=True)
    code, output, _ = put(tmp_path, given)
    assert code == 0
    assert lines(output) == [
        {"offset": 0, "sha256": NOTHING},
        {"offset": len(CONTENT)},
        {"done": True},
    ]
    folder = tmp_path / "set"
    assert [path.name for path in folder.iterdir()] == ["data.bin"]
    assert (folder / "data.bin").read_bytes() == CONTENT


def test_put_continues_what_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/data.bin").write_text("the former file")
    code, _, error = put(tmp_path, line(offset=0) + CONTENT[:500_000])
    assert (code, error) == (1, "the connection has ended")
    assert (tmp_path / "set/data.bin").read_text() == "the former file"
    given = line(offset=500_000) + CONTENT[500_000:] + line(sha256=SHA256) + line(done=True)
    code, output, _ = put(tmp_path, given)
    assert code == 0
    first = hashlib.sha256(CONTENT[:500_000]).hexdigest()
    assert lines(output)[0] == {"offset": 500_000, "sha256": first}
    assert (tmp_path / "set/data.bin").read_bytes() == CONTENT


def test_put_starts_again_if_the_part_is_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"something else")
    given = line(offset=0) + CONTENT + line(sha256=SHA256) + line(done=True)
    assert put(tmp_path, given, "data.bin")[0] == 0
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_put_deletes_a_copy_that_differs(tmp_path: Path) -> None:
    code, _, error = put(tmp_path, line(offset=0) + CONTENT + line(sha256=NOTHING), "data.bin")
    assert code == 1
    assert error.endswith(
        f"has the SHA-256 {SHA256}, but {NOTHING} is expected; the copy was deleted"
    )
    assert list(tmp_path.iterdir()) == []


def test_put_refuses_what_does_not_fit(tmp_path: Path) -> None:
    code, _, error = run(tmp_path, ["put", "data.bin", str(10**18)], line(offset=0))
    assert code == 1
    assert "bytes left, and the file needs 1000000000000000000 more" in error


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a"), pytest.raises(IncompleteError, match="another process"):
        PartialFile(tmp_path / "a")


@pytest.mark.parametrize(
    ("offset", "sha256", "start"),
    [
        (0, NOTHING, 0),
        (300_000, hashlib.sha256(CONTENT[:300_000]).hexdigest(), 300_000),
        (300_000, NOTHING, 0),
        (len(CONTENT) + 1, SHA256, 0),
    ],
)
def test_get_continues_if_the_start_is_the_same(
    tmp_path: Path, offset: int, sha256: str, start: int
) -> None:
    (tmp_path / "data.bin").write_bytes(CONTENT)
    given = line(offset=len(CONTENT)) + line(done=True)
    code, output, _ = run(tmp_path, ["get", "data.bin", str(offset), sha256], given)
    assert code == 0
    first = line(offset=start, size=len(CONTENT))
    assert output == first + CONTENT[start:] + line(sha256=SHA256)


def test_get_waits_for_a_receiver_that_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 1000)
    monkeypatch.setattr(transfer, "WINDOW", 4000)
    (tmp_path / "data.bin").write_bytes(CONTENT[:10_000])
    sent = io.BytesIO()
    connection = Connection(io.BytesIO(line(offset=3000)), sent)
    with pytest.raises(TransferError, match="the connection has ended"):
        transfer.get(tmp_path / "data.bin", 0, NOTHING, connection)
    # The first answer allows 7000 bytes; a further chunk is sent before the next one is read.
    assert len(sent.getvalue().split(b"\n", 1)[1]) == 8000


def test_ls_names_sizes_and_folders(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "b.csv").write_text("1,2")
    code, output, _ = run(tmp_path, ["ls", "."], line(done=True))
    (answer,) = lines(output)
    names = [(entry["name"], entry["size"]) for entry in answer["entries"]]
    assert (code, [name for name, _ in names]) == (0, ["b.csv", "folder/"])
    assert dict(names)["b.csv"] == 3
    (answer,) = lines(run(tmp_path, ["ls", "b.csv"], line(done=True))[1])
    assert [entry["name"] for entry in answer["entries"]] == ["b.csv"]


def test_a_link_out_of_the_volume_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    code, _, error = run(tmp_path, ["get", "out/passwd", "0", NOTHING], b"")
    assert (code, error) == (1, "out/passwd: is not in the volume")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["get", "no", "0", NOTHING], "/no: No such file or directory"),
        (["ls", "no"], "/no: No such file or directory"),
        (["copy"], "unknown arguments: copy"),
    ],
)
def test_failures_are_one_line(tmp_path: Path, arguments: list[str], reason: str) -> None:
    code, _, error = run(tmp_path, arguments, b"")
    assert code == 1
    assert error.endswith(reason)
    assert "\n" not in error


def test_wait_ends_when_no_other_process_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [True, True, False, False, False, False]
    monkeypatch.setattr(transfer, "_is_other_process", lambda _: runs.pop(0))
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([Path("/proc/7")]))
    transfer.wait(idle=0.1, interval=0.05)
    assert True not in runs


def test_a_process_is_named_by_its_number() -> None:
    assert transfer._is_other_process("0")
    assert not transfer._is_other_process("self")


def test_a_container_that_is_stopped_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: list[Callable[[], None]] = []
    monkeypatch.setattr(signal, "signal", lambda _, handler: handlers.append(handler))
    monkeypatch.setattr(transfer, "wait", lambda: None)
    transfer.run(["wait"], Connection(io.BytesIO(), io.BytesIO()))
    with pytest.raises(SystemExit) as ended:
        handlers[0]()
    assert ended.value.code == 0
