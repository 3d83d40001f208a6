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

    @property
    def group(self) -> str:
        """What codes of the same hundred are about."""
        return _GROUPS[self.name[len("FLOW-E")]]


_GROUPS = {
    "1": "The text itself",
    "2": "Names",
    "3": "Structure and values",
    "4": "Doubtful, but allowed",
}
_TITLES = {
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
    "FLOW-E212": "Two segments have the same name",
    "FLOW-E213": "Unknown segment",
    "FLOW-E214": "Unknown label",
    "FLOW-E215": "Two tests have the same name",
    "FLOW-E216": "Unknown workflow",
    "FLOW-E217": "The test expects what cannot happen",
    "FLOW-E218": "Segments depend on each other",
    "FLOW-E219": "Two goals have the same name",
    "FLOW-E220": "Not known in a segment",
    "FLOW-E221": "Two ways are the same",
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
    "FLOW-E315": "There is no such time of day",
    "FLOW-E316": "There is no such day",
    "FLOW-E317": "Unknown time zone",
    "FLOW-E318": "The schedule does not fit",
    "FLOW-E319": "This is no date",
    "FLOW-E320": "The shares do not fit",
    "FLOW-E321": "A case is a plain value",
    "FLOW-E322": "Too few or too many ways",
    "FLOW-E323": "Does not go with this wait",
    "FLOW-E324": "A segment has a condition, or is static",
    "FLOW-E325": "Membership follows from the condition",
    "FLOW-E326": "Quiet hours need two different times",
    "FLOW-E327": "This JSON is no condition",
    "FLOW-E328": "The name of a secret is a plain text",
    "FLOW-E329": "A secret goes to web hooks only",
    "FLOW-E330": "This event belongs to the system",
    "FLOW-E331": "The test is not complete",
    "FLOW-E332": "This comes too late in the test",
    "FLOW-E333": "A duration stands alone",
    "FLOW-E334": "The field cannot be compared like this",
    "FLOW-E335": "Unknown type of step",
    "FLOW-E336": "This key cannot be updated",
    "FLOW-E337": "A placeholder is not closed",
    "FLOW-E338": "Nothing is computed from a secret",
    "FLOW-W401": "Never reached",
    "FLOW-W402": "Different from a value that may be missing",
    "FLOW-W403": "Probably another event was meant",
    "FLOW-W404": "May wait for ever",
    "FLOW-W405": "Always the same answer",
    "FLOW-W406": "Probably another template was meant",
    "FLOW-W407": "Nothing happens here",
    "FLOW-W408": "Probably another segment was meant",
    "FLOW-W409": "Not set on every way",
    "FLOW-W410": "Goes round without a wait",
    "FLOW-W411": "Nothing sets this variable",
    "FLOW-W412": "Workflows start each other",
    "FLOW-W413": "A secret stands in the text",
    "FLOW-W414": "An empty value counts as none",
    "FLOW-W415": "The segment does not tell",
    "FLOW-W416": "Placeholders are not filled in here",
    "FLOW-W417": "Repeats, but nobody may come again",
}
CODES = {name: Code(name, title) for name, title in _TITLES.items()}
