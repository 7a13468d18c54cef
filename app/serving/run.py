"""The event loop, from the first connection to the last answer."""

import asyncio
import gc
import resource
import signal

import uvloop

from serving.app import Service
from serving.endpoint import Served
from serving.loader import Loading
from serving.log import logger
from serving.settings import Settings

#: Open files beside connections; libraries and the event loop have some thirty.
_OTHER_FILES = 128


def allow_files(connections: int) -> None:
    """Raises the limit of open files to what so many connections need, as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def build(config: Settings) -> Service:
    """The application that the settings ask for."""
    return Service(config.asked_for, config.limits)


async def serve(config: Settings, loading: Loading[Served]) -> int:
    """Serves until SIGTERM or SIGINT, then finishes what is in flight; returns the exit code."""
    service = build(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def started() -> None:
        logger.info("listening", extra={"port": config.port})
        gc.freeze()  # what is there by now stays
        gc.enable()
        loading.then(service.use)

    try:
        await service.server.run(config.port, stop, started)
    except OSError as error:
        fields = {"port": config.port, "detail": error.strerror or str(error)}
        logger.error("cannot listen", extra=fields)
        return 1
    finally:
        loading.stop()
    return 0


def run(config: Settings, loading: Loading[Served]) -> int:
    """Serves what is being loaded; returns the exit code: 0 once stopped, 1 if it cannot listen."""
    allow_files(config.limits.connections + config.limits.crowd)
    return uvloop.run(serve(config, loading))
