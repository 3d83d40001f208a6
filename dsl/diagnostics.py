"""A mistake as a value: what is wrong, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from dsl.codes import CODES
from dsl.spans import Position, Range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsl.codes import Severity
    from dsl.spans import Source, Span

JsonObject: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that explains the first."""

    message: str
    file: str
    range: Range


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that mends the mistake."""

    title: str
    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake or doubt in one place of one file."""

    code: str
    message: str
    file: str
    range: Range
    hint: str | None = None
    notes: tuple[Note, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def severity(self) -> Severity:
        """Error or warning; the code decides."""
        return CODES[self.code].severity

    @property
    def is_error(self) -> bool:
        """Whether it holds back compiling."""
        return self.severity == "error"

    def to_json(self) -> JsonObject:
        """Return the wire form."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.file,
            "range": _range_json(self.range),
            "related": [_note_json(note) for note in self.notes],
            "notes": [self.hint] if self.hint else [],
            "fixes": [_fix_json(fix) for fix in self.fixes],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Diagnostic:
        """Read the wire form."""
        return cls(
            code=data["code"],
            message=data["message"],
            file=data["file"],
            range=_range(data["range"]),
            hint="; ".join(data["notes"]) or None,
            notes=tuple(
                Note(one["message"], one["file"], _range(one["range"])) for one in data["related"]
            ),
            fixes=tuple(
                Fix(one["title"], _range(one["range"]), one["text"]) for one in data["fixes"]
            ),
        )


def report(
    source: Source,
    code: str,
    span: Span,
    message: str,
    *,
    hint: str | None = None,
    notes: tuple[Note, ...] = (),
    fixes: tuple[Fix, ...] = (),
) -> Diagnostic:
    """Diagnostic about a place in a source."""
    place = source.range(span)
    return Diagnostic(code, message, source.path, place, hint, notes, fixes)


def note(source: Source, span: Span, message: str) -> Note:
    """Note about a place in a source."""
    return Note(message, source.path, source.range(span))


def fix(source: Source, span: Span, text: str) -> Fix:
    """Replace a piece of a source by a text."""
    title = f"write {text.strip()}" if text.strip() else "remove it"
    return Fix(title, source.range(span), text)


def sort_key(diagnostic: Diagnostic) -> tuple[str, Position, Position, str]:
    """Return reading order: by file, then by place."""
    place = diagnostic.range
    return diagnostic.file, place.start, place.end, diagnostic.code


def _range(data: Mapping[str, Any]) -> Range:
    return Range(Position(**data["start"]), Position(**data["end"]))


def _position_json(position: Position) -> JsonObject:
    return {"line": position.line, "column": position.column}


def _range_json(place: Range) -> JsonObject:
    return {"start": _position_json(place.start), "end": _position_json(place.end)}


def _note_json(secondary: Note) -> JsonObject:
    return {
        "message": secondary.message,
        "file": secondary.file,
        "range": _range_json(secondary.range),
    }


def _fix_json(edit: Fix) -> JsonObject:
    return {"title": edit.title, "range": _range_json(edit.range), "text": edit.text}
