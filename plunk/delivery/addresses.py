"""Addresses and display names in the form mail servers take."""

from __future__ import annotations

import re

import idna

from plunk.delivery.headers import UnsendableMessage, check_text, encode_words, needs_encoding

_MAX_LENGTH = 254
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9-]{1,63}")
_BARE_NAME = re.compile(rf"{_ATOM}(?: {_ATOM})*")


class UnsendableAddress(UnsendableMessage):
    """An address that no SMTP server would take."""


def to_ascii(address: str) -> str:
    """Return the address with its domain in ASCII, or raise UnsendableAddress."""
    local, at, domain = address.rpartition("@")
    if not at:
        raise UnsendableAddress(f"{address!r} is no e-mail address")
    if not local.isascii():
        raise UnsendableAddress(f"{address!r} needs SMTPUTF8: only ASCII is possible before the @")
    result = f"{local}@{_ascii_domain(domain)}"
    if not _LOCAL.fullmatch(local) or len(result) > _MAX_LENGTH:
        raise UnsendableAddress(f"{address!r} is no e-mail address")
    return result


def _ascii_domain(domain: str) -> str:
    try:
        encoded = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise UnsendableAddress(f"{domain!r} is no domain name") from error
    if not _DOMAIN.fullmatch(encoded):
        raise UnsendableAddress(f"{domain!r} is no domain name")
    return encoded


def to_mailbox(name: str | None, address: str) -> str:
    """Return `Name <address>` with the name quoted or encoded as it needs."""
    if not name:
        return to_ascii(address)
    return f"{_phrase(check_text('a display name', name))} <{to_ascii(address)}>"


def _phrase(name: str) -> str:
    if needs_encoding(name):
        return encode_words(name)
    if _BARE_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
