"""The command line: whatever goes wrong is one line on stderr and an exit status, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from plunk.cli.commands import plunk
from plunk.errors import PlunkError

USAGE, FAILED, INTERRUPTED = 2, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 well, 1 failed, 2 not understood."""
    try:
        status = plunk.main(arguments, prog_name="plunk", standalone_mode=False)
    except click.ClickException as error:
        return complain(error.format_message(), _misuse(error))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone; there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except PlunkError as error:
        return complain(error.message + _fields(error), FAILED)
    except Exception as error:  # the last handler: a person reads this, not a program
        if os.environ.get("PLUNK_TRACEBACK"):
            raise
        kind = type(error).__name__
        return complain(f"{kind}: {error} (PLUNK_TRACEBACK=1 shows where)", FAILED)
    return status if isinstance(status, int) else 0


def _misuse(error: click.ClickException) -> int:
    """Return the exit status; of a plan, 2 would mean that something would change."""
    context = getattr(error, "ctx", None)
    return FAILED if context is not None and context.info_name == "plan" else error.exit_code


def _fields(error: PlunkError) -> str:
    """Return what a server refused in a request, member by member."""
    refused = [one for one in getattr(error, "fields", ()) if isinstance(one, dict)]
    told = "; ".join(f"{one.get('field')}: {one.get('message')}" for one in refused)
    return f" ({told})" if told else ""


def complain(message: str, status: int) -> int:
    """Say in one line what went wrong; return the exit status."""
    print(f"plunk: {' '.join(message.split())}", file=sys.stderr)
    return status
