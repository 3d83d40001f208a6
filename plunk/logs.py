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
from collections.abc import Iterator
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from plunk.config import LOG_LEVELS, Settings

LEVELS = {name: getattr(logging, name.upper()) for name in LOG_LEVELS}
BAD_VALUES = "22"  # the class of SQLSTATE whose very first line shows the value
MOST_REASON = 500
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


def _without_rows(logger: object, method: str, line: EventDict) -> EventDict:
    """Write down the error of a line, and one that is its reason."""
    error, reason = _error(line.get("exc_info")), line.get("reason")
    line = structlog.processors.format_exc_info(logger, method, line)
    if error is not None and "exception" in line:
        line["exception"] = _harmless(line["exception"], error)
    if isinstance(reason, BaseException):
        line["reason"] = _harmless(str(reason), reason)[:MOST_REASON]
    return line


def _error(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
    return sys.exc_info()[1] if exc_info else None


def _harmless(text: str, error: BaseException) -> str:
    """Return the text of an error without the rows and values that PostgreSQL shows in it.

    They stand in its details and its context, under titles in the language of the server.
    """
    for one in _all_in(error, set()):
        diag = getattr(one, "diag", None)
        if (state := getattr(diag, "sqlstate", None)) is None:
            continue
        kept = None if state.startswith(BAD_VALUES) else getattr(diag, "message_primary", None)
        told = f"{kept} (SQLSTATE {state})" if kept else f"SQLSTATE {state}"
        # In a group of errors each line has a margin.
        shown = r"\n[ |]*".join(map(re.escape, str(one).split("\n")))
        text = re.sub(shown, told.replace("\\", r"\\"), text)
    return text


def _all_in(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """Yield an error and all that led to it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    led = (error.__cause__, error.__context__, getattr(error, "orig", None))
    for one in (*led, *getattr(error, "exceptions", ())):
        yield from _all_in(one, seen)


def _renderer(settings: Settings) -> Processor:
    if settings.log_format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.processors.KeyValueRenderer(key_order=FIRST, drop_missing=True)
