"""One JSON object per line on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes time, level, event (the message) and every field of `extra`."""

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


logger = logging.getLogger("serving")


def configure() -> None:
    """Configures JSON lines: from level INFO for the service, from WARNING for libraries."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    logger.setLevel(logging.INFO)
