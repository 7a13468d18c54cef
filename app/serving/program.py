"""The program: settings, loading, exit code."""

from serving import log, settings
from serving.endpoint import LoadedModel
from serving.loader import Loading
from serving.registry import Registry


def load(config: settings.Settings) -> LoadedModel:
    """Fetches the model of the settings and makes its endpoints; raises ModelUnavailable."""
    registry = Registry(config.tracking_uri, config.authorization)
    found = registry.find(config.model_name, config.model_version)
    from serving import models

    return models.load(found, config.model_options, config.max_batch_rows)


def main() -> int:
    """Command line entry; returns the exit code: 0 once stopped, 2 for invalid settings."""
    log.configure()
    try:
        config = settings.load()
    except settings.SettingsError as error:
        log.logger.error("invalid settings", extra={"detail": str(error)})
        return 2
    loading = Loading(lambda: load(config), config.requested)
    # Imported while the tracking server responds: the import takes longer than the responses.
    from serving.run import run

    return run(config, loading)
