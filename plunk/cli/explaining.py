"""The teaching pages of the .flow language, on the command line."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from textwrap import indent

import click

import dsl


def explain(written: str) -> None:
    """Print the page of a code; click.UsageError with the codes near it when there is none."""
    page = dsl.explain(written)
    if page is None:
        meant = ", ".join(dsl.nearest_codes(written))
        nearest = f"nearest are {meant}; " if meant else ""
        raise click.UsageError(f"there is no code {written!r}; {nearest}plunk explain lists all")
    click.echo(shown(page))


def list_codes() -> None:
    """Print every code with its title, in groups."""
    for group, codes in groupby(dsl.CODES.values(), attrgetter("group")):
        click.echo(f"{group}\n")
        for code in codes:
            click.echo(f"  {code.name}  {code.title}")
        click.echo()
    click.echo("plunk explain CODE says more about one of them.")


def shown(page: dsl.Page) -> str:
    """Return a page as plain text."""
    parts = [f"{page.code}: {page.title}", page.text]
    parts += ["Wrong:", indent(page.wrong, "    "), "Right:", indent(page.right, "    ")]
    return "\n\n".join([*parts, page.remark] if page.remark else parts)
