"""`npm run bench:serving`: compares the model service with other servers, on two cores."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from shutil import which

from bench import report, venvs
from bench.aims import Medians, medians
from bench.load import LOAD_CORE
from bench.measure import WARM_UP, Bench, Plan, Sample, samples, smoke
from bench.paths import APP, CACHE
from bench.processes import busy_share
from bench.server import ServerError
from bench.stage import free_ports, install_code, tracking_server, train
from bench.targets import TARGETS, Target

#: Maximum share of the machine's CPU time that other processes may use.
MOST_BUSY = 0.08

#: Average seconds to start and stop a target.
_OVERHEAD = 7


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run bench:serving --", description=__doc__)
    names = ", ".join(TARGETS)
    parser.add_argument("--targets", help=f"comma-separated subset of: {names}")
    parser.add_argument("--seconds", type=int, default=5, help="of each load (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="the median is used (default 3)")
    parser.add_argument(
        "--connections", type=int, default=16, help="kept-alive connections (default 16)"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="one correct response of each, no load"
    )
    parser.add_argument("--force", action="store_true", help="measure also on a busy machine")
    parser.add_argument(
        "--write", action="store_true", help="write to app/README.md and app/speed.svg"
    )
    return parser.parse_args(words)


def _chosen(names: str | None) -> list[Target]:
    wanted = names.split(",") if names else list(TARGETS)
    unknown = [name for name in wanted if name not in TARGETS]
    if unknown:
        raise venvs.SetupError(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    return [TARGETS[name] for name in wanted]


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _check_machine(force: bool) -> None:
    if len(os.sched_getaffinity(0)) <= LOAD_CORE:
        raise venvs.SetupError("two cores are needed: one for the server, one for the load")
    if which("wrk") is None:
        raise venvs.SetupError("wrk is missing; on Debian: apt-get install wrk")
    stat = Path("/proc/stat")
    before = stat.read_text()
    time.sleep(3)
    busy = busy_share(before, stat.read_text())
    if busy > MOST_BUSY and not force:
        raise venvs.SetupError(
            f"the machine is busy ({busy:.0%} of its CPU time is in use); wait, or use --force"
        )


def _environment(plan: Plan, targets: list[Target]) -> str:
    named = "bentoml fastapi flask gunicorn mlflow mlserver onnxruntime scikit-learn uvicorn uvloop"
    packages: dict[str, str] = {}
    for target in targets:
        lock = venvs.LOCKS[target.venv].read_text()
        # A framework may also be a dependency of a later server, in an older version.
        packages = venvs.locked_versions(lock, named.split()) | packages
    pinned = ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))
    version = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    wrk = version.stdout.split("[")[0].strip()
    python = subprocess.run([venvs.PYTHON, "--version"], capture_output=True, text=True, check=True)
    return (
        f"{python.stdout.strip()}, {wrk}, Linux {platform.release().split('-')[0]}, "
        f"{plan.connections} connections, median of {plan.rounds} x {plan.seconds} s; {pinned}"
    )


def _run(options: argparse.Namespace, targets: list[Target], work: Path) -> list[Sample]:
    plan = Plan(options.seconds, options.rounds, options.connections)
    for name in dict.fromkeys(target.venv for target in targets):
        venvs.ensure(name, _say)
    port = free_ports(1)
    with tracking_server(work, port, _say) as tracking_uri:
        models = train(work, tracking_uri, _say)
        bench = Bench(work, models, install_code(work), tracking_uri, plan)
        if options.smoke:
            smoke(targets, bench, _say)
            return []
        each = 2 * plan.seconds + WARM_UP + _OVERHEAD
        _say(f"takes about {len(targets) * plan.rounds * each / 60:.0f} minutes")
        found = []
        for one in samples(targets, bench, _say):
            found.append(one)
            with (work / "samples.jsonl").open("a") as file:
                print(json.dumps(asdict(one)), file=file)
        return found


def _draw(known: Medians, path: Path) -> None:
    names = [name for name in known if TARGETS[name].model == "linear" and "-no-" not in name]
    bars = [
        {
            "label": TARGETS[name].label.strip("*"),
            "rate": known[name]["rate"],
            "cpu": known[name]["cpu"] * 1e6,
            "ours": TARGETS[name].venv.startswith("serving"),
        }
        for name in sorted(names, key=lambda name: -known[name]["rate"])
    ]
    python = venvs.ensure("plot", _say) / "bin" / "python"
    script = Path(__file__).with_name("plot.py")
    subprocess.run(
        [str(python), str(script), str(path)], input=json.dumps(bars), text=True, check=True
    )


def _publish(known: Medians, text: str) -> None:
    readme = APP / "README.md"
    readme.write_text(report.put_between_markers(readme.read_text(), text))
    _draw(known, APP / "speed.svg")
    _say(f"written into {readme} and {APP / 'speed.svg'}")


def main(words: list[str]) -> int:
    """Command line entry; returns 1 if a response was wrong or nothing could run."""
    options = _arguments(words)
    CACHE.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE))
    _say(f"logs and samples: {work}")
    try:
        targets = _chosen(options.targets)
        _check_machine(options.force or options.smoke)
        found = _run(options, targets, work)
    except (venvs.SetupError, ServerError) as error:
        _say(f"failed: {error}")
        return 1
    if options.smoke:
        return 0
    known = medians(found)
    checked = sum(one.answers for one in found)
    plan = Plan(options.seconds, options.rounds, options.connections)
    note = f"{_environment(plan, targets)}. {checked:,} answers, each compared with scikit-learn's."
    text = "\n\n".join(filter(None, [report.results(known), note, report.aims(known)]))
    print(text)
    _draw(known, work / "speed.svg")
    flawed = [one for one in found if one.flaws]
    for one in flawed:
        _say(f"failed: {one.target}, round {one.round}: {one.flaws}")
    if options.write and not flawed:
        _publish(known, text)
    return 1 if flawed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
