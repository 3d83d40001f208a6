"""What editors are given: every word of the language has its colour, and the files are sound."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dsl.vocabulary import KEYWORDS, UNIT_WORDS

EDITORS = Path(__file__).parents[2] / "docs" / "editors"
GRAMMAR = json.loads((EDITORS / "vscode/syntaxes/flow.tmLanguage.json").read_text("utf-8"))


def patterns(part: Any) -> list[str]:
    """Return every regular expression of the grammar."""
    if isinstance(part, list):
        return [one for item in part for one in patterns(item)]
    if not isinstance(part, dict):
        return []
    own = [part[key] for key in ("match", "begin", "end") if key in part]
    return own + [one for value in part.values() for one in patterns(value)]


def test_every_pattern_is_a_regular_expression() -> None:
    found = patterns(GRAMMAR)
    assert len(found) > 10
    assert all(re.compile(one) for one in found)


@pytest.mark.parametrize("word", sorted(KEYWORDS | UNIT_WORDS))
def test_every_word_has_a_colour(word: str) -> None:
    written = {"label": f"{word} 1", "number": f"3 {word}", "declaration": f'{word} "x"'}
    texts = {key: written.get(key, word) for key in GRAMMAR["repository"]}
    rules = ((key, rule) for key, rule in GRAMMAR["repository"].items() if "match" in rule)
    assert any(re.search(rule["match"], texts[key]) for key, rule in rules if key != "label")


def test_what_is_included_exists() -> None:
    text = json.dumps(GRAMMAR)
    names = set(re.findall(r'"include": "#([\w-]+)"', text))
    assert names <= set(GRAMMAR["repository"])


def test_the_extension_names_files_that_exist() -> None:
    folder = EDITORS / "vscode"
    package = json.loads((folder / "package.json").read_text("utf-8"))
    (language,) = package["contributes"]["languages"]
    (grammar,) = package["contributes"]["grammars"]
    for path in (package["main"], language["configuration"], grammar["path"]):
        assert (folder / path).is_file()
    json.loads((folder / language["configuration"]).read_text("utf-8"))
    assert grammar["scopeName"] == GRAMMAR["scopeName"]
