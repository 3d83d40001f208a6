"""The report of a test run in the XML that CI servers read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from plunk.simulation.testing.outcome import Result
from plunk.simulation.testing.report import failure_lines

# XML 1.0 §2.2: no other character may stand in a document, escaped or not.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result], seconds: Mapping[int, float]) -> str:
    """Return the document; `seconds` are how long each test took, by its place."""
    root = Element("testsuites", name="plunk test")
    _count(root, results, sum(seconds.values()))
    for file in dict.fromkeys(result.file for result in results):
        numbered = [(at, one) for at, one in enumerate(results) if one.file == file]
        suite = SubElement(root, "testsuite", name=_clean(file))
        _count(suite, [one for _, one in numbered], sum(seconds.get(at, 0) for at, _ in numbered))
        for at, result in numbered:
            _case(suite, result, seconds.get(at, 0))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _count(element: Element, results: Sequence[Result], seconds: float) -> None:
    element.set("tests", str(len(results)))
    element.set("failures", str(sum(not result.ok for result in results)))
    element.set("errors", "0")
    element.set("time", f"{seconds:.3f}")


def _case(suite: Element, result: Result, seconds: float) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=_clean(result.file.removesuffix(".flow").replace("/", ".")),
        name=_clean(result.name),
        file=_clean(result.file),
        line=str(result.line),
        time=f"{seconds:.3f}",
    )
    if result.failure is not None:
        mismatch = result.failure.mismatch
        message = _clean(f"expected {mismatch.expected}, but {mismatch.found}")
        failure = SubElement(case, "failure", type="expectation", message=message)
        failure.text = _clean("\n".join(failure_lines(result, result.failure)))


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
