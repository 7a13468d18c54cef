"""The program from its settings to its exit code."""

from serving import log, settings
from serving.endpoint import Served
from serving.loader import Loading
from serving.registry import Registry


def load(config: settings.Settings) -> Served:
    """Fetches the model that the settings name and makes its endpoints; raises ModelUnavailable."""
    found = Registry(config.tracking_uri).fetch(config.model_name, config.model_version)
    from serving import models

    return models.load(found, config.max_batch_rows)


def main() -> int:
    """Command line entry; returns the exit code: 0 once stopped, 2 for unusable settings."""
    log.configure()
    try:
        config = settings.load()
    except settings.SettingsError as error:
        log.logger.error("settings refused", extra={"detail": str(error)})
        return 2
    loading = Loading(lambda: load(config), config.asked_for)
    # The tracking server answers while this is imported, which takes longer than its answers.
    from serving.run import run

    return run(config, loading)
