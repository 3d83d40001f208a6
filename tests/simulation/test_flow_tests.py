"""Every folder in cases: source.flow → report.txt, what `plunk test` says about it.

SIMULATION_UPDATE_CASES=1 writes the expectations anew; read the difference before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

import dsl
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.testing.coverage import coverage, total
from plunk.simulation.testing.junit import junit
from plunk.simulation.testing.outcome import Result
from plunk.simulation.testing.report import report
from plunk.simulation.testing.runner import cases_of, run

CASES = sorted((Path(__file__).parent / "cases").iterdir())
UPDATES = bool(os.environ.get("SIMULATION_UPDATE_CASES"))


def results_of(text: str, wanted: str | None = None) -> tuple[list[Result], str]:
    """Run the tests in a text; return them with their report."""
    bundle = dsl.read_bundle({"source.flow": text})
    catalogue = catalogue_of(bundle)
    results = [run(catalogue, case) for case in cases_of(bundle, wanted)]
    return results, "\n".join(report(results, coverage(catalogue, results))) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_report_is_as_expected(case: Path) -> None:
    _, shown = results_of((case / "source.flow").read_text(encoding="utf-8"))
    golden = case / "report.txt"
    if UPDATES:
        golden.write_text(shown, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == shown


def test_every_test_of_the_failures_fails_where_its_last_line_is() -> None:
    results, _ = results_of((CASES[0].parent / "failures" / "source.flow").read_text("utf-8"))
    assert all(result.failure for result in results)


def test_tests_can_be_chosen_by_their_names() -> None:
    text = (CASES[0].parent / "failures" / "source.flow").read_text("utf-8")
    results, _ = results_of(text, "NO SUCH WEB")
    assert [result.name for result in results] == ["no such web hook"]


def test_nothing_of_a_test_reaches_the_next_one() -> None:
    flow = 'workflow "W" { on event "e"  update contact { n: (contact.data.n ?? 0) + 1 } }\n'
    test = 'test "{}" {{ track "e"  expect contact.data.n == 1 }}\n'
    results, _ = results_of(flow + test.format("one") + test.format("two"))
    assert [result.ok for result in results] == [True, True]


def test_the_junit_file_can_be_read_whatever_the_names_are() -> None:
    flow = 'workflow "W" { on event "e"  exit }\n'
    test = 'test "a <b> \\u{1} & \\"c\\"" { expect email "\\u{2}" }\n'
    results, _ = results_of(flow + test)
    root = fromstring(junit(results, {0: 0.25}))  # noqa: S314 - we have just written it
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == 'a <b> \ufffd & "c"'
    assert (root.get("failures"), root.get("time")) == ("1", "0.250")
    failure = case.find("failure")
    assert failure is not None
    assert "no more e-mail" in str(failure.get("message"))


def test_coverage_of_nothing_is_complete_and_of_no_test_is_none() -> None:
    assert total([]) == 100
    bundle = dsl.read_bundle({"a.flow": 'workflow "W" { on event "e"  wait 1 day }'})
    assert total(coverage(catalogue_of(bundle), [])) == 0


ASKED = """workflow "W" {
  on event "go"
  if contact.data.plan == "pro" { exit "pro" }
  exit "not pro"
}
"""


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ('track "go" { plan: "pro" }', "pro"),
        ('contact { email: "a@example.com" } track "go" { plan: "pro" }', "pro"),
        ('contact { data: { plan: "pro" } } track "go" { plan: "team" }', "pro"),
        ('contact { data: { plan: "pro" } } track "go"', "pro"),
        ('set contact { data: { plan: null } } track "go" { plan: "pro" }', "not pro"),
        ('track "other" { plan: "pro" } track "go" { plan: "team" }', "not pro"),
    ],
)
def test_tracked_data_becomes_the_contacts_as_in_the_product(lines: str, reason: str) -> None:
    results, shown = results_of(f'{ASKED}test "t" {{ {lines} expect completed "{reason}" }}\n')
    assert [result.ok for result in results] == [True], shown
