import os
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import ClassVar

import pytest

from bench.load import Load, Question, flaws, pace, read_wrk
from bench.paced import Answer, read_answer
from bench.wires import MLFLOW, PREDICT, is_right, open_inference

QUESTION = Question(PREDICT, [[1.0, 2.0], [3.0, 4.5]], [3.0, 7.5], 1e-6)


class Adder(BaseHTTPRequestHandler):
    """Responds with the sum of the features; every FLAW_EVERY-th response has the flaw."""

    protocol_version = "HTTP/1.1"
    flaw: ClassVar[str] = ""
    numbers: ClassVar[Iterator[int]] = count(1)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        numbers = [float(word) for word in body.split("[")[1].split("]")[0].split(",")]
        flaw = self.flaw if next(self.numbers) % 10 == 0 else ""
        answer = f'{{"prediction":[{sum(numbers) + (flaw == "wrong")}]}}'.encode()
        if flaw == "slow":
            time.sleep(0.2)
        if flaw == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
            self.close_connection = True
            return
        self.send_response(503 if flaw == "refused" else 200)
        self.send_header("Content-Length", str(len(answer)))
        if flaw == "close":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer + (answer if flaw == "twice" else b""))

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def adder(flaw: str) -> Iterator[int]:
    handler = type("Flawed", (Adder,), {"flaw": flaw, "numbers": count(1)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


needs_two_cores = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the client needs a core of its own"
)


@needs_two_cores
@pytest.mark.parametrize(
    ("flaw", "right", "wrong", "refused", "errors"),
    [
        ("", 100, 0, 0, 0),
        ("close", 100, 0, 0, 0),
        ("wrong", 90, 10, 0, 0),
        ("refused", 90, 0, 10, 0),
        ("cut", 90, 0, 0, 10),
        ("twice", 90, 0, 0, 10),
    ],
)
def test_every_response_at_a_fixed_rate_is_checked(
    flaw: str, right: int, wrong: int, refused: int, errors: int
) -> None:
    with adder(flaw) as port:
        found = pace(port, QUESTION, 1, 4, 100)
    assert (found.right, found.wrong, found.refused, found.errors) == (
        right,
        wrong,
        refused,
        errors,
    )
    # 100 at 100 per second, on a machine that may have other load.
    assert 0.9 < found.seconds < 5
    assert bool(flaws(found)) == (flaw not in ("", "close"))


@needs_two_cores
def test_a_stall_counts_for_all_delayed_requests() -> None:
    with adder("slow") as port:
        found = pace(port, QUESTION, 1, 1, 50)  # each tenth takes as long as ten intervals
    assert found.right == 50
    assert found.p50 > 0.05


@pytest.mark.parametrize(
    ("raw", "ended", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", False, Answer(200, True, "{}")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", False, None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", False, None),
        (b"HTTP/1.0 400 Bad\r\ncontent-length:2\r\n\r\n{}", False, Answer(400, False, "{}")),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", False, None),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", True, Answer(200, False, "{}")),
    ],
)
def test_a_response_is_parsed_when_it_is_complete(
    raw: bytes, ended: bool, answer: Answer | None
) -> None:
    assert read_answer(raw, ended) == answer


def test_reads_the_result_of_wrk() -> None:
    text = (
        'RESULT {"right":9,"wrong":1,"refused":0,"errors":0,"seconds":2.0,'
        '"p50":0.001,"p99":0.002}\n'
        'EXAMPLE {"prediction":[1]}\n'
    )
    found = read_wrk(text)
    assert found == Load(9, 1, 0, 0, 2.0, 0.001, 0.002, '{"prediction":[1]}')
    assert flaws(found) == '1 wrong of 10: {"prediction":[1]}'


def test_without_a_result_of_wrk_the_error_quotes_its_output() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        read_wrk("unable to connect to 127.0.0.1")


def test_no_response_is_a_flaw() -> None:
    assert flaws(Load(0, 0, 0, 0, 2.0, 0, 0)).startswith("no response")


def test_the_request_and_response_formats() -> None:
    assert PREDICT.body([1.5, -2.0]) == '{"features":[1.5,-2.0]}'
    assert MLFLOW.body([1.5]) == '{"inputs":[[1.5]]}'
    tensor = '{"name":"x","shape":[1,1],"datatype":"FP64","data":[1.5]}'
    assert open_inference("m").body([1.5]) == f'{{"inputs":[{tensor}]}}'
    assert PREDICT.answer('{"prediction": [2.5], "classes": [1]}') == 2.5
    assert PREDICT.answer('{"predictions":[2.5]}') is None
    assert PREDICT.answer('{"prediction":[1,2]}') is None


def test_correct_is_within_the_tolerance_and_nan_never_is() -> None:
    assert is_right(100.00001, 100.0, 1e-6)
    assert not is_right(100.001, 100.0, 1e-6)
    assert not is_right(float("nan"), 100.0, 1e-6)
    assert not is_right(None, 100.0, 1e-6)
