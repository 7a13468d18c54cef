"""One JSON object per line on standard output, for the service and for the HTTP server alike."""

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes time, level, event (the message) and every field given through `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Formats one record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


#: For `logging.config.dictConfig`. The HTTP server's own notes below an error are left out.
CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stdout",
        }
    },
    "loggers": {
        "serving": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
        "_granian": {"handlers": ["stdout"], "level": "ERROR", "propagate": False},
    },
}

logger = logging.getLogger("serving")


def configure() -> None:
    """Makes the service's loggers write JSON lines."""
    logging.config.dictConfig(CONFIG)
