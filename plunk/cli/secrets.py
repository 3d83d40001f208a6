"""Secrets of a project, set through the API so that only the server can seal them."""

from __future__ import annotations

import sys

import click

from plunk.cli.flows import open_client
from plunk.errors import BadRequest


def set_secret(name: str) -> None:
    """Store what stands on standard input, or what a person types, under this name."""
    value = _typed(name) if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    if not value:
        raise BadRequest("A secret cannot be empty; nothing was stored.")
    with open_client() as client:
        client.set_secret(name, value)
    click.echo(f"secret {name}: stored")


def list_secrets() -> None:
    """Print the names of all secrets, one on a line."""
    with open_client() as client:
        for secret in client.list_secrets():
            click.echo(secret["name"])


def delete_secret(name: str) -> None:
    """Delete a secret."""
    with open_client() as client:
        client.delete_secret(name)
    click.echo(f"secret {name}: deleted")


def _typed(name: str) -> str:
    return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True))
