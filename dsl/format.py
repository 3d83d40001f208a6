"""Text → text in the one layout: parse, print, put the comments back."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsl.parser import Comment, Parsed, parse
from dsl.printer import Line, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.diagnostics import Diagnostic

_MARGIN = "  "


class NotFormattable(ValueError):
    """The text has mistakes of form; they are listed in diagnostics."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        """Keep the mistakes."""
        super().__init__("the text cannot be read")
        self.diagnostics = diagnostics


def format(text: str | bytes, path: str = "input.flow") -> str:  # noqa: A001 - its public name
    """Return the text in canonical layout, with its comments."""
    return format_parsed(parse(text, path))


def format_parsed(parsed: Parsed) -> str:
    """Return a parsed text in canonical layout; raise NotFormattable when it cannot be read."""
    if parsed.diagnostics:
        raise NotFormattable(parsed.diagnostics)
    places = [comment.span.start for comment in parsed.comments]
    layout = _Layout(parsed.source.text, lines(parsed.file, places))
    for comment in parsed.comments:
        layout.place(comment)
    return "".join(f"{line}\n" for line in layout.written())


@dataclass(slots=True)
class _Group:
    """A line with the comments above it and the one behind it."""

    line: Line
    above: list[Comment] = field(default_factory=list)
    behind: Comment | None = None


class _Layout:
    """The printed lines, each with its comments."""

    def __init__(self, text: str, printed: list[Line]) -> None:
        self.text = text
        self.groups = [_Group(line) for line in printed]
        self.starts = [line.span.start for line in printed]
        self.last: list[Comment] = []

    def place(self, comment: Comment) -> None:
        """Attach a comment to the line it belongs to."""
        following = bisect_left(self.starts, comment.span.start)
        before = self.groups[following - 1] if following else None
        if before and before.line.span.end > comment.span.start:
            before.above.append(comment)  # written inside the line, which has no room for it
        elif before and not comment.is_alone and before.behind is None:
            before.behind = comment
        elif following < len(self.groups):
            self.groups[following].above.append(comment)
        else:
            self.last.append(comment)

    def written(self) -> Iterator[str]:
        """All lines, with blank lines where the layout or the author wants one."""
        opened = True
        for group in self.groups:
            yield from self._group(group, opened=opened)
            opened = group.line.text.endswith(("{", "["))
        for number, comment in enumerate(self.last):
            if (number or self.groups) and self._has_blank_before(comment.span.start):
                yield ""
            yield comment.text

    def _group(self, group: _Group, *, opened: bool) -> Iterator[str]:
        line, closes = group.line, group.line.text.startswith(("}", "]"))
        margin = _MARGIN * (line.depth + closes)
        gap = line.has_gap
        for comment in group.above:
            if gap or (not opened and self._has_blank_before(comment.span.start)):
                yield ""
            gap = opened = False
            yield margin + comment.text
        if gap or (not (opened or closes) and self._has_blank_before(line.span.start)):
            yield ""
        behind = f"  {group.behind.text}" if group.behind else ""
        yield line.indented() + behind

    def _has_blank_before(self, offset: int) -> bool:
        """Tell whether the line above is blank, if nothing stands before the place on its own."""
        line = self._skip_back(offset)
        return line > 0 and self.text[line - 1] == "\n" and self._is_blank_up_to(line - 1)

    def _is_blank_up_to(self, end: int) -> bool:
        line = self._skip_back(end)
        return line > 0 and self.text[line - 1] == "\n"

    def _skip_back(self, offset: int) -> int:
        while offset and self.text[offset - 1] in " \t":
            offset -= 1
        return offset
