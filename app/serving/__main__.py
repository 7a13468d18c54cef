"""Runs the model service: `python -m serving`."""

import asyncio
import signal
import sys

import uvloop

from serving import log, models, settings
from serving.app import Service
from serving.registry import Registry


def build(config: settings.Settings) -> Service:
    """Wires the application to the registry that the settings name."""
    registry = Registry(config.tracking_uri)
    return Service(
        lambda: models.load(
            registry, config.model_name, config.model_version, config.max_batch_rows
        ),
        config.model_name,
        config.model_version,
        config.limits,
    )


async def serve(config: settings.Settings) -> int:
    """Serves until SIGTERM or SIGINT, then finishes what is in flight; returns the exit code."""
    service = build(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def started() -> None:
        log.logger.info("listening", extra={"port": config.port})
        service.start()

    try:
        await service.server.run(config.port, stop, started)
    except OSError as error:
        fields = {"port": config.port, "detail": error.strerror or str(error)}
        log.logger.error("cannot listen", extra=fields)
        return 1
    finally:
        service.stop()
    return 0


def main() -> int:
    """Command line entry; returns the exit code: 0 once stopped, 2 for unusable settings."""
    log.configure()
    try:
        config = settings.load()
    except settings.SettingsError as error:
        log.logger.error("settings refused", extra={"detail": str(error)})
        return 2
    return uvloop.run(serve(config))


if __name__ == "__main__":
    sys.exit(main())
