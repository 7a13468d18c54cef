"""One measurement of one target, and the order of all measurements."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import venvs
from bench.load import Question, flaws, pace, saturate
from bench.processes import cpu_seconds, resident_bytes
from bench.server import Command, Server
from bench.stage import free_ports, question_for
from bench.targets import Site, Target

#: Seconds of load that are not measured, except for wrong responses.
WARM_UP = 2

#: Share of the rate at full load, for the latency of a service that is not saturated.
PACED_SHARE = 0.5

#: HTTP, and two more ports of MLServer.
_PORTS = 3


@dataclass(frozen=True)
class Plan:
    """Duration and amount of load."""

    seconds: int
    rounds: int
    connections: int


@dataclass(frozen=True)
class Sample:
    """The result of one round for one target. Times in seconds, memory in bytes."""

    target: str
    round: int
    #: From the start of the process to its first correct response.
    start: float
    #: Correct responses per second, at full load.
    rate: float
    #: CPU time of all its processes per response.
    cpu: float
    p50: float
    p99: float
    paced_rate: float
    paced_p50: float
    paced_p99: float
    #: After the load.
    memory: int
    #: Size of its packages on disk in bytes.
    installed: int
    answers: int
    #: Description of wrong responses; empty if there were none.
    flaws: str


@dataclass(frozen=True)
class Bench:
    """Data of all measurements."""

    work: Path
    models: Path
    code: Path
    tracking_uri: str
    plan: Plan


def server_of(target: Target, bench: Bench, question: Question) -> Server:
    """The server of a target, which is not started yet."""
    venv = venvs.ensure(target.venv, lambda _: None)
    site = Site(venv, free_ports(_PORTS), bench.models, bench.code, bench.tracking_uri)
    command = Command(
        target.name, target.command(site), site.port, target.variables(site), target.start_in(site)
    )
    return Server(command, question, bench.work / f"{target.name}.log")


def sample(target: Target, number: int, bench: Bench) -> Sample:
    """Starts a target, loads it fully, then at a fixed rate, and stops it."""
    plan = bench.plan
    question = question_for(target, bench.models)
    with server_of(target, bench, question) as server:
        if target.metrics:
            server.get(target.metrics)
        loads = [saturate(server.port, question, WARM_UP, plan.connections)]
        before = cpu_seconds(server.pid)
        full = saturate(server.port, question, plan.seconds, plan.connections)
        used = cpu_seconds(server.pid) - before
        rate = full.right / full.seconds
        loads += [full]
        paced = full
        if full.right:
            paced = pace(server.port, question, plan.seconds, plan.connections, rate * PACED_SHARE)
            loads += [paced]
        memory = resident_bytes(server.pid)
    return Sample(
        target=target.name,
        round=number,
        start=server.seconds,
        rate=rate,
        cpu=used / max(full.right, 1),
        p50=full.p50,
        p99=full.p99,
        paced_rate=paced.right / paced.seconds,
        paced_p50=paced.p50,
        paced_p99=paced.p99,
        memory=memory,
        installed=venvs.installed_bytes(venvs.ensure(target.venv, lambda _: None)),
        answers=sum(load.right for load in loads),
        flaws="; ".join(filter(None, map(flaws, loads))),
    )


def samples(targets: list[Target], bench: Bench, say: Callable[[str], None]) -> Iterator[Sample]:
    """All samples, round by round, so that a slower machine affects all targets equally."""
    total = len(targets) * bench.plan.rounds
    for number in range(bench.plan.rounds):
        for index, target in enumerate(targets):
            done = number * len(targets) + index
            result = sample(target, number, bench)
            say(
                f"[{done + 1}/{total}] {target.name}: {result.rate:,.0f} requests/s, "
                f"{result.cpu * 1e6:.0f} us of CPU each, start {result.start:.2f} s"
                + (f"; WRONG: {result.flaws}" if result.flaws else "")
            )
            yield result


def smoke(targets: list[Target], bench: Bench, say: Callable[[str], None]) -> None:
    """Starts each target, and stops it after its first correct response."""
    for target in targets:
        began = time.perf_counter()
        with server_of(target, bench, question_for(target, bench.models)) as server:
            say(f"{target.name}: correct response after {server.seconds:.2f} s")
        say(f"{target.name}: stopped, {time.perf_counter() - began:.1f} s in all")
