"""Teaching pages: what each diagnostic means, with a wrong and a right example.

A page is a file in dsl/pages, called after its code and always of this form:

    # CODE: title
    what happens and why it matters, in plain words
    ```flow wrong
    ```flow right
    a remark, or nothing
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files

from dsl.codes import CODES

_FORM = re.compile(
    r"# (?P<code>\S+): (?P<title>[^\n]+)\n\n(?P<text>.+?)\n\n"
    r"```flow wrong\n(?P<wrong>.+?)```\n\n```flow right\n(?P<right>.+?)```\n(?:\n(?P<remark>.+))?",
    re.DOTALL,
)
_SHORT = re.compile(r"(?:FLOW-?)?([EW]?)(\d{3})", re.IGNORECASE)
_MOST_NEAREST = 3
_SHORTEST_WORD = 3
_NEAR = 0.85


@dataclass(frozen=True, slots=True)
class Page:
    """One kind of mistake, explained to somebody who meets it for the first time."""

    code: str
    title: str
    text: str
    wrong: str
    right: str
    remark: str = ""


def explain(code: str) -> Page | None:
    """Return the page of a code, also for short forms such as e204; None when there is none."""
    name = full_code(code)
    if name is None:
        return None
    written = files("dsl").joinpath("pages", f"{name}.md").read_text(encoding="utf-8")
    found = _FORM.fullmatch(written)
    if found is None:
        raise ValueError(f"the page of {name} does not have the form of a page")
    return Page(**{key: (value or "").rstrip("\n") for key, value in found.groupdict().items()})


def full_code(written: str) -> str | None:
    """Return the code that was meant: FLOW-E204 for E204, e204, 204 and flow-e204."""
    short = _SHORT.fullmatch(written.strip())
    letters = (short[1].upper(),) if short and short[1] else ("E", "W")
    names = [f"FLOW-{letter}{short[2]}" for letter in letters] if short else []
    return next((name for name in names if name in CODES), None)


def nearest_codes(written: str) -> list[str]:
    """Return some codes that may have been meant: those that speak of the word, or look alike."""
    word = written.strip().lower()
    is_word = len(word) >= _SHORTEST_WORD
    speaking = [one.name for one in CODES.values() if is_word and word in one.title.lower()]
    short = _SHORT.fullmatch(word)
    code = f"FLOW-{short[1]}{short[2]}" if short else word
    looking = get_close_matches(code.upper(), CODES, n=_MOST_NEAREST, cutoff=_NEAR)
    return (speaking or looking)[:_MOST_NEAREST]
