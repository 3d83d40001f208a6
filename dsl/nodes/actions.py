"""Statements that do something."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsl.nodes.parts import Prefix, Reference
from dsl.nodes.values import Object, Operand, Text
from dsl.spans import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class SendEmail:
    """send email "template" [to value] [{ overrides }]."""

    template: Reference
    to: Operand | None = None
    overrides: Object | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """webhook METHOD "url" [{ options }] [as name]."""

    method: Text
    url: Text
    options: Object | None = None
    binding: Text | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UpdateContact:
    """update contact { key: value … }."""

    updates: Object
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """subscribe."""

    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """unsubscribe."""

    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ChangeMembership:
    """add to segment "s", remove from segment "s"."""

    is_added: bool
    segment: Reference
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Track:
    """track "event" [{ key: value … }]."""

    event: Text
    data: Object | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exit:
    """exit ["reason"]."""

    reason: Text | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RawStep:
    """step TYPE { config } | step TYPE json "config"; the one or the other."""

    type: Text
    config: Object | None = None
    prefix: Prefix | None = None
    json: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Edge:
    """edge @a -> @b [{ options }]."""

    source: Text
    target: Text
    options: Object | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)
