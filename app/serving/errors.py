"""Why a model could not be loaded, for people and for log queries."""

from enum import StrEnum


class Reason(StrEnum):
    """Why the model could not be loaded; the `reason` of the log line."""

    TRACKING_SERVER_UNREACHABLE = "tracking_server_unreachable"
    TRACKING_SERVER_ERROR = "tracking_server_error"
    MODEL_NOT_REGISTERED = "model_not_registered"
    ALIAS_NOT_SET = "alias_not_set"
    VERSION_NOT_FOUND = "version_not_found"
    ARTIFACT_NOT_PROXIED = "artifact_not_proxied"
    ARTIFACT_MISSING = "artifact_missing"
    ARTIFACT_TOO_LARGE = "artifact_too_large"
    MODEL_CORRUPT = "model_corrupt"
    MODEL_UNSUPPORTED = "model_unsupported"
    UNEXPECTED = "unexpected"


class ModelUnavailable(Exception):
    """The model cannot be served now. The message says what is missing, and where."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keeps the reason and the message."""
        super().__init__(message)
        self.reason = reason
