"""Logs: one line on stderr for each happening, set up here and nowhere else.

JSON in production, `time level event key=value` while developing. A request binds its request_id
and project_id to all of its lines, a worker its own name and the name of the job.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from plunk.config import LOG_LEVELS, Settings

LEVELS = {name: getattr(logging, name.upper()) for name in LOG_LEVELS}
# Where PostgreSQL shows the row that it refused, up to the end of its message.
DETAIL = re.compile(r"\nDETAIL:.*?(?=\n\[SQL|\n\nThe above|\Z)", re.DOTALL)
FIRST = ["timestamp", "level", "event"]


def configure(settings: Settings, **constants: Any) -> None:  # noqa: ANN401 - any field of a line
    """Log from LOG_LEVEL on in LOG_FORMAT; the constants stand in every line.

    Of an error there is a traceback, without the values and rows that a statement was about.
    """
    # It warns whenever a tick finds the last one still at work, which is how ticks are meant.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([_naming(constants)] if constants else []),
            structlog.processors.format_exc_info,
            _without_rows,
            _renderer(settings),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.log_level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def worker_name() -> str:
    """Return what tells this process from all others around one database."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _naming(constants: dict[str, Any]) -> Processor:
    def name(_logger: object, _method: str, line: EventDict) -> EventDict:
        line.update(constants)
        return line

    return name


def _without_rows(_logger: object, _method: str, line: EventDict) -> EventDict:
    for name in ("exception", "reason"):
        if name in line:
            line[name] = DETAIL.sub("", line[name])
    return line


def _renderer(settings: Settings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.processors.KeyValueRenderer(key_order=FIRST, drop_missing=True)
