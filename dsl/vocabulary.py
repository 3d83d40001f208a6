"""The words of the language, as the messages about mistakes need them."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WORDS = {
    "file": _words("workflow template"),
    "block": _words(
        "description on reentry disabled send wait if webhook update subscribe unsubscribe exit"
    ),
}
STATEMENT_STARTS = frozenset({*(word.upper() for word in WORDS["block"]), "LABEL"})

# What the full language has and this version does not.
UNSUPPORTED_DECLARATIONS = _words("segment test")
UNSUPPORTED_STATEMENTS = _words(
    "split switch goto track add remove step edge stop goal quiet timezone"
)
UNSUPPORTED_AFTER = {"wait": _words("until"), "on": _words("segment schedule date")}
TIME_WORDS = _words("within older")
ACTIVITY = _words("triggered opened clicked received bounced count segment")
UNITS = _words("second seconds minute minutes hour hours day days week weeks")

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
    "DEFAULT": "??",
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
    "$END": "the end of the file",
}
KEYWORDS = _words(
    "workflow template description on event contact manual reentry never always after disabled "
    "send email id to wait for where up timeout if else webhook as update subscribe unsubscribe "
    "exit and or not contains in starts ends with is set empty true false null"
)
SHOWN = {**_SIGNS, **{word.upper(): word for word in sorted(KEYWORDS)}}
