"""Every diagnostic has a page, and its examples do what the page says.

In the examples, comments tell what a single text cannot show:
`# file: other.flow` begins another file, `# In the project: template "t"` says what the project
has, `# … and 9 more lines like this one` repeats the line above, `# saved as: …` names an encoding.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import dsl

FOLDER = Path(dsl.__file__).parent / "pages"
FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)
REPEATED = re.compile(r"^(.*\n) *# … and ([\d,]+) more lines like this one\n", re.MULTILINE)
ENCODED = re.compile(r"^# saved as: (\S+)\n", re.MULTILINE)
PROJECT = re.compile(r"^# In the project: .*$", re.MULTILINE)
MOST_WORDS, WIDEST = 75, 106
COMPANIONS = {"FLOW-E112": {"FLOW-E101"}}  # too many mistakes are a hundred others first


@dataclass(frozen=True)
class Example:
    """What an example stands for: files, and what the project has when it is asked."""

    files: dict[str, bytes]
    templates: frozenset[str] | None
    segments: frozenset[str] | None

    def diagnostics(self) -> list[dsl.Diagnostic]:
        return dsl.check(dsl.read_bundle(self.files), self.templates, self.segments)

    def codes(self) -> set[str]:
        return {one.code for one in self.diagnostics()}


def repeated(found: re.Match[str]) -> str:
    return found[1] * (1 + int(found[2].replace(",", "")))


def example(text: str) -> Example:
    text += "\n"
    encoding = ENCODED.search(text)
    project = PROJECT.search(text)
    first, *others = FILE.split(REPEATED.sub(repeated, text))
    named = {"example.flow": first} if first.strip() else {}
    named |= dict(zip(others[::2], others[1::2], strict=True))
    return Example(
        {name: part.encode(encoding[1] if encoding else "utf-8") for name, part in named.items()},
        frozenset(re.findall(r'template "([^"]+)"', project[0])) if project else None,
        frozenset(re.findall(r'segment "([^"]+)"', project[0])) if project else None,
    )


def page(code: str) -> dsl.Page:
    found = dsl.explain(code)
    assert found
    return found


def test_there_are_no_other_pages() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(dsl.CODES)


@pytest.mark.parametrize("code", dsl.CODES)
def test_a_page_is_called_like_its_code(code: str) -> None:
    assert (page(code).code, page(code).title) == (code, dsl.CODES[code].title)


@pytest.mark.parametrize("code", dsl.CODES)
def test_a_page_is_short_and_speaks_for_itself(code: str) -> None:
    words = f"{page(code).text} {page(code).remark}".split()
    assert 15 < len(words) < MOST_WORDS, len(words)
    lines = f"{page(code).text}\n{page(code).remark}".splitlines()
    assert max(len(line) for line in lines) <= WIDEST
    others = " ".join(page(other).text for other in dsl.CODES if other != code)
    assert page(code).text not in others


@pytest.mark.parametrize("code", dsl.CODES)
def test_the_wrong_example_is_this_mistake(code: str) -> None:
    assert example(page(code).wrong).codes() == {code} | COMPANIONS.get(code, set())


@pytest.mark.parametrize("code", dsl.CODES)
def test_the_right_example_is_right_and_formatted(code: str) -> None:
    right = example(page(code).right)
    assert right.diagnostics() == []
    for name, text in right.files.items():
        if name.endswith(".flow"):
            assert dsl.format(text.decode()) == text.decode()


@pytest.mark.parametrize("written", ["FLOW-E204", "flow-e204", "E204", "e204", "204", " E204 "])
def test_a_code_may_be_shortened(written: str) -> None:
    assert page(written).code == "FLOW-E204"


@pytest.mark.parametrize(
    "written", ["", "E999", "FLOW-W204", "template", "E20", "E2044", "../E204"]
)
def test_what_is_no_code_has_no_page(written: str) -> None:
    assert dsl.explain(written) is None


def test_nearest_codes_speak_of_the_word_or_look_alike() -> None:
    assert "FLOW-E317" in dsl.nearest_codes("time zone")
    assert "FLOW-E204" in dsl.nearest_codes("FLOW-W204")
    assert dsl.nearest_codes("") == []


def test_every_code_is_in_a_group() -> None:
    assert [*dict.fromkeys(one.group for one in dsl.CODES.values())] == [
        "The text itself",
        "Names",
        "Structure and values",
        "Doubtful, but allowed",
    ]
