"""The event loop, from the first connection to the last response."""

import asyncio
import gc
import resource
import signal

import uvloop

from serving.app import Service
from serving.endpoint import LoadedModel
from serving.loader import Loading
from serving.log import logger
from serving.settings import Settings

#: Open files other than connections; libraries and the event loop need some thirty.
_OTHER_FILES = 128


def allow_files(connections: int) -> None:
    """Raises the soft limit of open files for this many connections, as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def build(config: Settings) -> Service:
    """The application of these settings."""
    return Service(config.requested, config.limits)


async def serve(config: Settings, loading: Loading[LoadedModel]) -> int:
    """Serves until SIGTERM or SIGINT, then drains; returns the exit code."""
    service = build(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def started() -> None:
        logger.info("listening", extra={"port": config.port})
        gc.freeze()  # objects of the startup are never garbage
        gc.enable()
        loading.then(service.set_model)

    try:
        await service.server.run(config.port, stop, started)
    except OSError as error:
        fields = {"port": config.port, "detail": error.strerror or str(error)}
        logger.error("cannot listen", extra=fields)
        return 1
    finally:
        loading.stop()
    return 0


def run(config: Settings, loading: Loading[LoadedModel]) -> int:
    """Serves; returns the exit code: 0 once stopped, 1 if it cannot listen."""
    allow_files(config.limits.connections + config.limits.probe_connections)
    return uvloop.run(serve(config, loading))
