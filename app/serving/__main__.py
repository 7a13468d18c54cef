"""Runs the model service: `python -m serving`."""

import asyncio
import os
import signal
import sys

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from serving import log, settings
from serving.app import Served, Service
from serving.model import OnnxModel
from serving.registry import Registry


def build(config: settings.Settings) -> Service:
    """Wires the application to the registry that the settings name."""
    registry = Registry(config.tracking_uri)

    def load() -> Served:
        file = registry.fetch(config.model_name, config.model_version)
        return Served.of(file.name, file.version, OnnxModel(file))

    return Service(load, {"model": config.model_name, "version": config.model_version})


def server_of(config: settings.Settings) -> Server:
    """Makes the HTTP server, not started.

    granian's embedded server keeps everything in this one process; its command line would hold a
    second interpreter just to watch the first, which Kubernetes does already.
    """
    return Server(
        build(config),
        address="0.0.0.0",  # noqa: S104 (a pod is reached at its own address)
        port=config.port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        log_level=LogLevels.error,
        log_dictconfig=log.CONFIG,
    )


async def serve(config: settings.Settings) -> int:
    """Serves until SIGTERM or SIGINT, then finishes what is in flight; returns the exit code."""
    server = server_of(config)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        server.stop()  # type: ignore[no-untyped-call]

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    server.on_startup(lambda: log.logger.info("listening", extra={"port": config.port}))
    try:
        await server.serve()
    except RuntimeError as error:  # granian's only error here: the address cannot be bound
        reason = str(error).partition("\n")[0]
        log.logger.error("cannot listen", extra={"port": config.port, "detail": reason})
    return 0 if stopped.is_set() else 1


def main() -> int:
    """Command line entry; returns the exit code: 0 once stopped, 2 for unusable settings."""
    log.configure()
    try:
        config = settings.load()
    except settings.SettingsError as error:
        log.logger.error("settings refused", extra={"detail": str(error)})
        return 2
    return asyncio.run(serve(config))


if __name__ == "__main__":
    code = main()
    # Not sys.exit: a thread of granian's may still be on its way out of Python, and one that needs
    # the interpreter while that is taken down aborts the process: seen in one stop out of seven.
    sys.stdout.flush()
    os._exit(code)
