"""Pictures: every step and every way is in them, whatever things are called."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

import dsl
from plunk import pictures
from plunk.cli import main
from plunk.cli.commands import plunk
from plunk.errors import BadRequest

FLOW = """workflow "Everything & <more>" {
  on event "signed_up" where event.plan == "pro"
  on segment "VIP" entry

  @again send email "welcome"
  if contact.data.plan == "pro" {
    wait 1 day
  } else {
    wait for event "upgraded" up to 7 days {
      webhook POST "https://crm.example.com/x"
    } timeout {
      goto @again
    }
  }
  switch contact.data.country {
    case "BE", "NL" { track "benelux" }
    else { subscribe }
  }
  split {
    50% "new" { add to segment "Testers" }
    else { exit "control" }
  }
  exit "done"
  @orphan "A \\"quoted\\" name; with ]} signs" wait 2 days
  @round wait 1 day
  goto @round
}

workflow "Small" {
  on event "tick"

  subscribe
}
"""
STRANGE = ["", " ", "\u202e\u0007", "]]></svg>", '"];x', "x" * 100, "日本語"]
SVG = "{http://www.w3.org/2000/svg}"


def compiled(text: str = FLOW) -> list[dict[str, Any]]:
    bundle = dsl.read_bundle({"a.flow": text})
    return [dict(one.to_json()) for one in dsl.compile(bundle).workflows]


def drawn(form: str, text: str = FLOW) -> str:
    return pictures.draw(compiled(text), form)


def test_svg_shows_every_step_and_every_way() -> None:
    root = ET.fromstring(drawn("svg"))  # noqa: S314 - our own text
    workflows = compiled()
    shown = [one.text for one in root.iter(f"{SVG}title")]
    names = [step["name"] for flow in workflows for step in flow["steps"]]
    assert shown[1:2] == ["Send welcome"]
    assert [one for one in names if not one.startswith("Trigger")] == [
        one for one in shown if not str(one).startswith("on ")
    ]
    ways = {(way["from"], way["to"], at) for at, flow in enumerate(workflows)
            for way in flow["transitions"]}  # fmt: skip
    assert len([one for one in root.iter(f"{SVG}path") if one.get("class") == "way"]) == len(ways)
    words = {one.text for one in root.iter(f"{SVG}text")}
    assert {"yes", "no", "event", "time-out", "BE, NL", "else", "new"} <= words


def test_boxes_do_not_cover_each_other() -> None:
    root = ET.fromstring(drawn("svg"))  # noqa: S314 - as above
    for scene in root.findall(f"{SVG}g"):
        boxes = [
            (float(box.get("x", 0)), float(box.get("y", 0)))
            for group in scene.findall(f"{SVG}g")
            for box in group.findall(f"{SVG}rect")
        ]
        for at, (x, y) in enumerate(boxes):
            assert all(abs(x - a) >= 190 or abs(y - b) >= 58 for a, b in boxes[at + 1 :])


@pytest.mark.parametrize("form", sorted(pictures.FORMATS))
def test_pictures_are_as_expected(form: str) -> None:
    golden = Path(__file__).parent / f"expected.{form}"
    text = drawn(form)
    if not golden.exists():
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert drawn(form) == text


@pytest.mark.parametrize("form", sorted(pictures.FORMATS))
@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_break_no_picture(form: str, name: str) -> None:
    (flow,) = compiled('workflow "w" {\n  on manual\n  wait 1 day\n}\n')
    flow["name"] = flow["steps"][1]["name"] = name
    text = pictures.draw([flow], form)
    if form == "svg":
        ET.fromstring(text)  # noqa: S314 - as above
    plain = pictures.draw(compiled_plain(), form)
    for sign in ("<rect", "<path", "-->", "->", "label="):
        assert text.count(sign) == plain.count(sign)


def compiled_plain() -> list[dict[str, Any]]:
    return compiled('workflow "w" {\n  on manual\n  wait 1 day\n}\n')


def test_a_workflow_without_ways_is_drawn() -> None:
    text = drawn("svg", 'workflow "w" {\n  on manual\n}\n')
    assert "started by hand" in text


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadRequest, match="mermaid, dot, svg"):
        drawn("png")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(plunk, list(arguments))


def test_the_command_draws_one_workflow(tmp_path: Path) -> None:
    (tmp_path / "a.flow").write_text(FLOW)
    found = run("graph", str(tmp_path), "--workflow", "Small")
    assert found.stdout.startswith("flowchart TD\n")
    assert "on tick" in found.stdout
    assert "welcome" not in found.stdout


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.flow").write_text('workflow "w" {\n  on manual\n  wait 1 dya\n}\n')
    assert main(["graph", str(tmp_path)]) == 1
    assert "FLOW-E307" in capsys.readouterr().out
    (tmp_path / "a.flow").write_text(FLOW)
    assert main(["graph", str(tmp_path), "--workflow", "Nope"]) == 1
    assert capsys.readouterr().err == "plunk: There is no workflow 'Nope'.\n"
    assert main(["graph", str(tmp_path), "--format", "png"]) == 1
    assert "choose mermaid" in capsys.readouterr().err


def test_scenes_come_from_stored_graphs_too() -> None:
    again = json.loads(json.dumps(compiled()))
    assert pictures.draw(again, "dot") == drawn("dot")


def jumping(count: int, step: int) -> str:
    """Return a workflow every line of which may lead to another one far away."""
    lines = "".join(
        f"  @l{at} if contact.data.k{at} == 1 {{ goto @l{step * at % count} }}\n"
        for at in range(count)
    )
    return f'workflow "Jumps" {{\n  on manual\n{lines}}}\n'


def straight(count: int) -> str:
    lines = "".join(f'  if contact.data.k == {at} {{ track "x{at}" }}\n' for at in range(count))
    return f'workflow "Long" {{\n  on manual\n{lines}  exit\n}}\n'


@pytest.mark.parametrize(
    "text",
    [jumping(160, 7), jumping(990, 7), jumping(990, 0), straight(490)],
    ids=["160 jumps", "990 jumps", "all back", "straight"],
)
def test_large_and_tangled_workflows_are_drawn_in_seconds(text: str) -> None:
    workflows = compiled(text)
    began = time.process_time()
    root = ET.fromstring(pictures.draw(workflows, "svg"))  # noqa: S314 - our own text
    assert time.process_time() - began < 10
    ways = [one for one in root.iter(f"{SVG}path") if one.get("class") == "way"]
    ends = {(way["from"], way["to"]) for way in workflows[0]["transitions"]}
    assert len(ways) == len(ends)
    places = {(box.get("x"), box.get("y")) for box in root.iter(f"{SVG}rect") if box.get("stroke")}
    assert len(places) == len(workflows[0]["steps"])


def test_pieces_that_are_not_connected_stand_side_by_side() -> None:
    piece = "if contact.data.a == 1 {\n wait 1 day\n wait 2 days\n}\nexit"
    text = f'workflow "w" {{\n  on manual\n  {piece}\n  @p {piece} "p"\n  @q exit "alone"\n}}\n'
    (flow,) = compiled(text)
    root = ET.fromstring(pictures.draw([flow], "svg"))  # noqa: S314 - as above
    places = {
        (float(box.get("x", 0)), float(box.get("y", 0)))
        for box in root.iter(f"{SVG}rect")
        if box.get("stroke")
    }
    assert len(places) == len(flow["steps"])
    ways = [one.get("d", "") for one in root.iter(f"{SVG}path") if one.get("class") == "way"]
    assert len(ways) == len({(way["from"], way["to"]) for way in flow["transitions"]})
    assert all("M" in way and "C" in way for way in ways)
