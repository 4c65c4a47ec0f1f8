"""Logs: lines for people on a terminal, one JSON object a line for machines; once per change of state, no secrets."""

import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import orjson

_QUIET: Final = ("httpx", "httpcore", "uvicorn", "aiomqtt", "mqtt", "pymodbus", "ocpp", "websockets")
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogStyle(StrEnum):
    """How log lines look."""

    AUTO = "auto"  # text on a terminal, else JSON
    TEXT = "text"
    JSON = "json"


class JsonLines(logging.Formatter):
    """`{"time": ..., "level": ..., "logger": ..., "message": ..., ...}`; what `extra` gave stands beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info and record.exc_info[0] is not None:
            document["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(document, default=str).decode()


def set_up(style: LogStyle = LogStyle.AUTO) -> None:
    """Log to standard error; libraries only when something is wrong."""
    is_json = style is LogStyle.JSON or (style is LogStyle.AUTO and not sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if is_json else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
