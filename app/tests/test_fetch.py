"""Files that are fetched over HTTP and from S3: pinned, continued, and never visible too early."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from training import fetch

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()

#: Fetches a URL with further keys of the source; returns the exit code and the output.
Run = Callable[..., tuple[int, str]]


class FileServer(ThreadingHTTPServer):
    """Serves CONTENT at every path; records the requests."""

    requests: list[tuple[str, dict[str, str]]]
    #: Bytes after which the next response ends.
    cut: int | None = None
    ranges: bool = True
    status: int = 200
    encoding: str | None = None
    #: Where /moved leads.
    elsewhere: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
            return
        asked = self.headers["Range"] if self.server.ranges else None
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        if self.server.encoding:
            self.send_header("Content-Encoding", self.server.encoding)
        self.end_headers()
        cut, self.server.cut = self.server.cut, None
        self.wfile.write(CONTENT[start:cut])

    def log_message(self, *_: object) -> None:
        pass


def serve() -> FileServer:
    server = FileServer(("127.0.0.1", 0), Handler)
    server.requests = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = serve()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(url: str, **others: str) -> tuple[int, str]:
        entry = {"url": url, "path": str(tmp_path / "sets/a.bin"), "sha256": SHA256, **others}
        monkeypatch.setenv("SOURCES", json.dumps([entry]))
        code = fetch.main()
        output = capsys.readouterr()
        return code, (output.out + output.err).strip()

    return run


def test_fetches_a_file_once(tmp_path: Path, server: FileServer, run: Run) -> None:
    path = tmp_path / "sets/a.bin"
    assert run(f"{server.url}/a.bin") == (0, f"data: {path}: fetched, sha256 {SHA256}")
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["a.bin"]
    assert run(f"{server.url}/a.bin") == (0, f"data: {path}: exists, not changed, sha256 {SHA256}")
    assert len(server.requests) == 1


def test_replaces_a_file_with_another_hash(tmp_path: Path, server: FileServer, run: Run) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/a.bin").write_text("old")
    assert run(f"{server.url}/a.bin")[0] == 0
    assert (tmp_path / "sets/a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_continues_what_was_cut_off(
    tmp_path: Path, server: FileServer, run: Run, ranges: bool
) -> None:
    server.cut, server.ranges = 500_000, ranges
    code, line = run(f"{server.url}/a.bin")
    assert code == 1
    assert line.startswith(f"data: failed: {server.url}/a.bin: ")
    assert not (tmp_path / "sets/a.bin").exists()
    part = (tmp_path / "sets/a.bin.part").stat().st_size
    assert part == 500_000
    assert run(f"{server.url}/a.bin")[0] == 0
    assert (tmp_path / "sets/a.bin").read_bytes() == CONTENT
    assert server.requests[-1][1]["Range"] == f"bytes={part}-"


def test_starts_again_if_the_part_is_longer_than_the_file(
    tmp_path: Path, server: FileServer, run: Run
) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/a.bin.part").write_bytes(CONTENT + b"more")
    assert run(f"{server.url}/a.bin")[0] == 0
    assert (tmp_path / "sets/a.bin").read_bytes() == CONTENT


def test_a_complete_part_is_not_fetched_again(tmp_path: Path, server: FileServer, run: Run) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/a.bin.part").write_bytes(CONTENT)
    assert run(f"{server.url}/a.bin")[0] == 0
    assert server.requests == []


def test_refuses_a_file_with_another_hash(tmp_path: Path, server: FileServer, run: Run) -> None:
    code, line = run(f"{server.url}/a.bin", sha256="0" * 64)
    assert code == 1
    assert f"has the SHA-256 {SHA256}, but {'0' * 64} is expected" in line
    assert list((tmp_path / "sets").iterdir()) == []


def test_keeps_a_file_as_it_was_sent(tmp_path: Path, server: FileServer, run: Run) -> None:
    server.encoding = "gzip"
    assert run(f"{server.url}/a.bin")[0] == 0
    assert (tmp_path / "sets/a.bin").read_bytes() == CONTENT


def test_names_the_status_and_not_the_query(server: FileServer, run: Run) -> None:
    server.status = 403
    url = f"{server.url}/a.bin"
    assert run(f"{url}?token=secret") == (1, f"data: failed: {url} status 403 Forbidden")


def test_names_a_server_that_does_not_answer(run: Run) -> None:
    code, line = run("http://127.0.0.1:1/a.bin?token=secret")
    assert code == 1
    assert "Connection refused" in line
    assert "secret" not in line
    assert "\n" not in line


def test_sends_the_authorization_to_its_host_only(
    tmp_path: Path, server: FileServer, run: Run
) -> None:
    (tmp_path / "authorization").write_text("Bearer secret\n")
    other = serve()
    server.elsewhere = f"http://localhost:{other.server_port}/a.bin"
    assert run(f"{server.url}/moved", credentials=str(tmp_path))[0] == 0
    assert server.requests[0][1]["Authorization"] == "Bearer secret"
    assert "Authorization" not in other.requests[0][1]
    other.shutdown()
    other.server_close()


def test_signs_the_url_of_a_file_in_s3(tmp_path: Path, server: FileServer, run: Run) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        (tmp_path / name).write_text(value)
    server.cut = 500_000
    url = "s3://bucket/sets/a b.bin"
    given = {"endpoint": server.url, "region": "eu-central-1", "credentials": str(tmp_path)}
    code, line = run(url, **given)
    assert code == 1
    assert "X-Amz" not in line
    assert run(url, **given)[0] == 0
    assert (tmp_path / "sets/a.bin").read_bytes() == CONTENT
    path, headers = server.requests[1]
    assert headers["Range"] == "bytes=500000-"
    parts = urlsplit(path)
    assert parts.path == "/bucket/sets/a%20b.bin"
    query = parse_qs(parts.query)
    assert query["X-Amz-Credential"][0].startswith("me/")
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/s3/aws4_request")
    assert len(query["X-Amz-Signature"][0]) == 64


def test_reads_a_public_bucket_without_a_signature(server: FileServer, run: Run) -> None:
    assert run("s3://bucket/a.bin", endpoint=server.url)[0] == 0
    assert server.requests[0][0] == "/bucket/a.bin"


def test_a_bucket_of_aws_has_a_host_name_of_its_own() -> None:
    source = fetch.Source("s3://bucket/a.bin", "a.bin", SHA256, region="eu-central-1")
    assert fetch._presigned(source) == "https://bucket.s3.eu-central-1.amazonaws.com/a.bin"


def test_a_volume_that_cannot_be_written_is_one_line(
    tmp_path: Path, server: FileServer, run: Run
) -> None:
    (tmp_path / "sets").write_text("a file")
    code, line = run(f"{server.url}/a.bin")
    assert code == 1
    assert line.endswith("File exists")
