"""The words of the language, as the messages about mistakes need them."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WORDS = {
    "file": _words("workflow template segment test"),
    "block": _words(
        "description on reentry stop goal timezone quiet disabled send wait if switch split "
        "webhook update subscribe unsubscribe add remove track exit goto step edge"
    ),
    "test": _words(
        "workflow at timezone contact track start advance mock set unsubscribe subscribe expect"
    ),
    "segment": _words("where description track static"),
}
# A word that only this kind of place accepts, by which the parser's state tells it.
MARKS = {"file": "TEMPLATE", "block": "SEND", "test": "EXPECT", "segment": "STATIC"}
STATEMENT_STARTS = frozenset({*(word.upper() for word in WORDS["block"]), "LABEL"})
UNIT_WORDS = _words("second seconds minute minutes hour hours day days week weeks")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = frozenset({*WEEKDAYS, "weekdays", "weekends"})
ACTIVITIES = _words("sent received opened clicked bounced complained")
HISTORY = ACTIVITIES | _words("triggered count")

# Signs of other languages → the token and the spelling that may have been meant.
FOREIGN_SIGNS = {
    "=": (("COLON", ":"), ("EQ", "==")),
    "&&": (("AND", "and"),),
    "||": (("OR", "or"),),
    "!": (("NOT", "not"),),
}

_SIGNS = {
    "LBRACE": "{",
    "RBRACE": "}",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "COLON": ":",
    "DOT": ".",
    "PLUS": "+",
    "MINUS": "-",
    "STAR": "*",
    "SLASH": "/",
    "COALESCE": "??",
    "ARROW": "->",
    "PERCENT": "%",
    "EQ": "==",
    "NE": "!=",
    "GE": ">=",
    "LE": "<=",
    "MORETHAN": ">",
    "LESSTHAN": "<",
    "STRING": "a text in quotes",
    "TRIPLE": "a text in quotes",
    "NUMBER": "a number",
    "NAME": "a name",
    "LABEL": "@label",
    "BEFORE": "minus",
    "BEHIND": "plus",
    "CLOCK": "a time of day such as 09:00",
    "UNIT": "a unit of time",
    "ON_DAYS": "on",
    "AT_PLACE": "at",
    "WHERE_EVENT": "where",
    "$END": "the end of the file",
}
KEYWORDS = (
    frozenset().union(*WORDS.values())
    | HISTORY
    | _words(
        "event manual schedule date in for entry exit minus plus every year never always after "
        "when then default quiet hours to email id until where up timeout past else case as "
        "contact from membership random no waiting completed failed not entered and or contains "
        "starts ends with is set empty within older than any json true false null end"
    )
)
SHOWN = {**{word.upper(): word for word in sorted(KEYWORDS)}, **_SIGNS}
