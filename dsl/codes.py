"""Every diagnostic there is: a stable code, how bad it is, and a title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of diagnostic."""

    name: str
    title: str

    @property
    def severity(self) -> Severity:
        """Errors hold back compiling, warnings do not."""
        return "error" if self.name.startswith("FLOW-E") else "warning"


_TITLES = {
    # The text itself
    "FLOW-E101": "Something else was expected here",
    "FLOW-E102": "A text is not closed",
    "FLOW-E103": "This character has no meaning",
    "FLOW-E104": "This escape has no meaning",
    "FLOW-E105": "A brace is not closed",
    "FLOW-E106": "Too deeply nested",
    "FLOW-E107": "The file is too large",
    "FLOW-E108": "The file is not UTF-8 text",
    "FLOW-E109": "The number is too large",
    "FLOW-E110": "Unknown word",
    "FLOW-E111": "Names and texts stand in double quotes",
    "FLOW-E112": "Too many mistakes",
    "FLOW-E113": "Written differently in this language",
    "FLOW-E190": "Not supported yet by this version",
    # Names
    "FLOW-E201": "Two workflows have the same name",
    "FLOW-E202": "Two templates have the same name",
    "FLOW-E203": "Two statements have the same label",
    "FLOW-E204": "Unknown template",
    "FLOW-E205": "Unknown name",
    "FLOW-E206": "Name used before it is set",
    "FLOW-E207": "This name is reserved",
    "FLOW-E208": "Unknown function",
    "FLOW-E209": "There is no such property",
    "FLOW-E210": "File not found",
    "FLOW-E211": "The file is outside the bundle",
    # Structure and values
    "FLOW-E301": "The workflow never starts",
    "FLOW-E302": "The header stands twice",
    "FLOW-E303": "Unknown key",
    "FLOW-E304": "The key stands twice",
    "FLOW-E305": "A key is missing",
    "FLOW-E306": "The value does not fit",
    "FLOW-E307": "The duration does not fit",
    "FLOW-E308": "Headers come first",
    "FLOW-E309": "The address is not absolute",
    "FLOW-E310": "Unknown method",
    "FLOW-E311": "A time-out without a limit",
    "FLOW-E312": "A condition where a value belongs",
    "FLOW-E313": "A name is empty or too long",
    "FLOW-E314": "The number of arguments does not fit",
    # Doubtful, but allowed
    "FLOW-W401": "Never reached",
    "FLOW-W402": "Different from a value that may be missing",
    "FLOW-W403": "Probably another event was meant",
    "FLOW-W404": "May wait for ever",
    "FLOW-W405": "Always the same answer",
    "FLOW-W406": "Template not declared here",
    "FLOW-W407": "Nothing happens here",
}
CODES = {name: Code(name, title) for name, title in _TITLES.items()}
