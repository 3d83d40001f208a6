"""The laws of the language, on trees and texts that Hypothesis makes up."""

import json
import os
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dsl
from dsl import nodes

SOURCES = [path.read_text("utf-8") for path in (Path(__file__).parent / "cases").glob("*/*.flow")]
PIECES = sorted({p for s in SOURCES for p in re.findall(r'"(?:\\.|[^"\n])*"|#.*|\w+|\s+|\S', s)})
EXAMPLES = settings(
    max_examples=int(os.environ.get("DSL_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
block_texts = st.lists(texts, min_size=1, max_size=3).map("\n".join)
words = st.sampled_from(
    ["plan", "wait", "x1", "event", "first name", "größe", "in", "0", "test", "days", "end", "at"]
)
keys = st.builds(nodes.Text, words | texts)
quoted = st.builds(nodes.Text, texts)
labels = st.none() | st.from_regex(r"[A-Za-z0-9_][\w-]{0,5}", fullmatch=True)
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10**6) | st.floats(0, 1e9)
literals = st.builds(nodes.Literal, st.none() | st.booleans() | numbers | block_texts)
units = st.sampled_from(["second", "minutes", "hours", "day", "weeks"])
durations = st.builds(nodes.Duration, counts, units)
names = st.builds(
    nodes.Name,
    st.sampled_from(["contact", "event", "run", "now", "data", "crm"]),
    st.lists(words | texts | st.integers(0, 99), max_size=3).map(tuple),
)


def is_number(value: nodes.Operand) -> bool:
    """-5 is a literal, so no tree that was parsed negates a number."""
    is_literal = isinstance(value, nodes.Literal) and type(value.value) in (int, float)
    return is_literal or isinstance(value, nodes.Duration)


def chain(kind: type[nodes.AllOf | nodes.AnyOf], inner: st.SearchStrategy) -> st.SearchStrategy:
    parts = st.lists(inner.filter(lambda part: not isinstance(part, kind)), min_size=2, max_size=3)
    return parts.map(tuple).map(kind)


def values_around(inner: st.SearchStrategy) -> st.SearchStrategy:
    several = st.lists(inner, max_size=3).map(tuple)
    pairs = st.lists(st.builds(nodes.Pair, keys, inner), max_size=3).map(tuple)
    functions = st.sampled_from(["lower", "now", "round"]).map(nodes.Text)
    return (
        st.builds(nodes.ListOf, several)
        | st.builds(nodes.Object, pairs)
        | st.builds(nodes.Call, functions, several)
        | st.builds(nodes.Binary, st.sampled_from("+-*/") | st.just("??"), inner, inner)
        | st.builds(nodes.Negate, inner.filter(lambda value: not is_number(value)))
    )


values = st.recursive(literals | names | durations, values_around, max_leaves=6)
amounts = values.filter(lambda value: not isinstance(value, nodes.Duration))  # what counts are
comparisons = st.sampled_from(["equals", "notEquals", "lessThan", "contains", "endsWith", "notIn"])
presences = st.sampled_from(["exists", "notExists", "isEmpty", "isNotEmpty"])
references = st.builds(nodes.Reference, texts, st.booleans())
windows = st.none() | st.builds(nodes.Window, durations, st.booleans())
activities = st.sampled_from(["sent", "received", "opened", "clicked", "bounced", "complained"])
tests = (
    st.builds(nodes.Bare, values)
    | st.builds(nodes.Test, values, comparisons, values)
    | st.builds(nodes.Test, values, presences)
    | st.builds(nodes.Test, values, st.sampled_from(["within", "olderThan"]), durations)
    | st.builds(nodes.Member, values, references, st.booleans())
    | st.builds(nodes.Mailed, activities, st.none() | references, windows)
    | st.builds(nodes.RawCondition, quoted)
)


def conditions_around(inner: st.SearchStrategy) -> st.SearchStrategy:
    asked = st.none() | inner
    return (
        st.builds(nodes.Not, inner)
        | chain(nodes.AllOf, inner)
        | chain(nodes.AnyOf, inner)
        | st.builds(nodes.Triggered, quoted, asked, windows)
        | st.builds(nodes.Counted, quoted, asked, windows, comparisons, amounts)
    )


conditions = st.recursive(tests, conditions_around, max_leaves=5)
spans_of_time = st.builds(nodes.Duration, st.integers(1, 50), units)
places = st.none() | st.tuples(numbers, numbers)
prefixes = st.none() | st.builds(nodes.Prefix, labels, st.none() | texts, places)
objects = st.builds(
    nodes.Object, st.lists(st.builds(nodes.Pair, keys, values), max_size=3).map(tuple)
)
methods = st.sampled_from(["GET", "POST"]).map(nodes.Text)
bindings = st.none() | st.sampled_from(["crm", "other"]).map(nodes.Text)
maybe_values, maybe_objects = st.none() | values, st.none() | objects


options = st.none() | st.lists(
    st.builds(nodes.Pair, st.sampled_from(["headers", "body"]).map(nodes.Text), values), max_size=2
).map(tuple).map(nodes.Object)


clocks = st.times().map(lambda time: nodes.Text(f"{time.hour:02}:{time.minute:02}"))
weekdays = st.sampled_from(["monday", "sunday", "weekdays"]).map(nodes.Text)
days = st.just(()) | st.lists(weekdays, min_size=1, max_size=2).map(tuple)
offsets = st.none() | st.builds(nodes.Offset, st.sampled_from(["minus", "plus"]), durations)
targets = st.from_regex(r"[A-Za-z0-9_][\w-]{0,5}", fullmatch=True).map(nodes.Text)


json_texts = st.dictionaries(words, st.integers(0, 9), max_size=2).map(json.dumps).map(nodes.Text)


def plain_statements(prefix: st.SearchStrategy) -> st.SearchStrategy:
    return (
        st.builds(nodes.SendEmail, references, maybe_values, maybe_objects, prefix)
        | st.builds(nodes.Wait, spans_of_time, prefix)
        | st.builds(nodes.Webhook, methods, quoted, options, bindings, prefix)
        | st.builds(nodes.UpdateContact, objects, prefix)
        | st.builds(nodes.Subscribe, prefix)
        | st.builds(nodes.Exit, st.none() | quoted, prefix)
        | st.builds(nodes.WaitClock, clocks, days, prefix)
        | st.builds(nodes.WaitUntil, values, offsets, st.booleans(), prefix=prefix)
        | st.builds(nodes.ChangeMembership, st.booleans(), references, prefix)
        | st.builds(nodes.Track, quoted, maybe_objects, prefix)
        | st.builds(nodes.RawStep, methods, objects, prefix)
        | st.builds(nodes.RawStep, methods, st.none(), prefix, json_texts)
    )


loose = st.builds(nodes.Goto, st.none() | targets) | st.builds(
    nodes.Edge, targets, targets, maybe_objects
)


def compound(inner: st.SearchStrategy, prefix: st.SearchStrategy) -> st.SearchStrategy:
    blocks = st.lists(inner, max_size=3).map(tuple).map(nodes.Block)
    others = st.lists(st.builds(nodes.Branch, conditions, blocks, prefix), max_size=2)
    first = st.builds(nodes.Branch, conditions, blocks, st.none())
    branches = st.builds(lambda head, tail: (head, *tail), first, others)
    maybe = st.none() | conditions
    case_values = st.lists(values, min_size=1, max_size=2).map(tuple)
    cases = st.lists(st.builds(nodes.Case, case_values, blocks), max_size=2).map(tuple)
    names = st.none() | quoted
    shares = st.lists(st.builds(nodes.Share, counts, names, blocks), max_size=2).map(tuple)
    limited = st.none() | spans_of_time
    awaited = conditions.filter(lambda one: not isinstance(one, nodes.Bare))  # that is a time
    return (
        st.builds(nodes.If, branches, st.none() | blocks, prefix)
        | st.builds(nodes.Switch, values, cases, st.none() | blocks, prefix)
        | st.builds(nodes.Split, shares, st.none() | blocks, prefix)
        | st.builds(
            nodes.WaitUntil, awaited, st.none(), st.booleans(), limited, blocks, prefix=prefix
        )
        | st.builds(nodes.WaitForEvent, quoted, maybe, st.none() | spans_of_time, prefix=prefix)
        | st.builds(nodes.WaitForEvent, quoted, maybe, spans_of_time, blocks, prefix=prefix)
        | st.builds(nodes.WaitForEvent, quoted, maybe, spans_of_time, blocks, blocks, prefix)
    )


def statements(prefix: st.SearchStrategy) -> st.SearchStrategy:
    return st.recursive(
        plain_statements(prefix) | loose, lambda inner: compound(inner, prefix), max_leaves=10
    )


zones = st.builds(nodes.Timezone, st.none(), quoted)
happenings = st.builds(nodes.EventHappens, quoted, st.none() | conditions) | st.builds(
    nodes.ConditionHolds, conditions
)
headers = (
    st.builds(nodes.Description, st.builds(nodes.Text, block_texts))
    | st.builds(nodes.OnEvent, quoted, st.none() | conditions)
    | st.just(nodes.OnManual())
    | st.just(nodes.Reentry("always"))
    | st.builds(nodes.Reentry, st.just("after"), durations)
    | st.just(nodes.Disabled())
    | st.builds(nodes.OnSegment, references, st.booleans())
    | st.builds(nodes.OnSchedule, quoted, st.none() | quoted, references)
    | st.builds(nodes.OnDate, names, offsets, st.booleans(), st.none() | clocks)
    | st.builds(nodes.Stop, happenings)
    | st.builds(nodes.Goal, quoted, happenings, st.booleans())
    | st.builds(nodes.Timezone, names, st.none() | quoted)
    | zones
    | st.builds(nodes.QuietHours, clocks, clocks)
)
segment_lines = (
    st.builds(nodes.SegmentWhere, conditions)
    | st.builds(nodes.Description, quoted)
    | st.just(nodes.Keep())
    | st.just(nodes.Static())
)
segments = st.builds(nodes.Segment, quoted, st.lists(segment_lines, max_size=3).map(tuple))
test_lines = st.one_of(
    st.builds(nodes.UnderTest, quoted),
    st.builds(nodes.StartsAt, quoted),
    zones,
    st.builds(nodes.Person, objects),
    st.builds(nodes.Track, quoted, maybe_objects),
    st.builds(nodes.Started, maybe_objects),
    st.builds(nodes.Advance, durations),
    st.builds(nodes.AdvanceUntil, quoted),
    st.builds(nodes.MockWebhook, quoted, objects),
    st.builds(nodes.MockRandom, st.none() | targets, st.none() | quoted),
    st.builds(nodes.SetContact, objects),
    st.just(nodes.Unsubscribed()),
    st.just(nodes.Subscribed()),
    st.builds(nodes.ExpectEmail, quoted, st.none() | quoted),
    st.builds(nodes.ExpectNoEmail, st.none() | quoted),
    st.builds(nodes.ExpectWebhook, quoted, maybe_objects),
    st.builds(nodes.ExpectEvent, quoted),
    st.builds(nodes.ExpectWaiting, st.none() | targets),
    st.builds(nodes.ExpectEnded, st.sampled_from(["completed", "failed"]), st.none() | quoted),
    st.just(nodes.ExpectNotEntered()),
    st.builds(nodes.ExpectGoal, quoted),
    st.builds(nodes.ExpectCondition, conditions),
)
test_blocks = st.builds(nodes.TestBlock, quoted, st.lists(test_lines, max_size=5).map(tuple))
template_values = st.builds(nodes.Literal, block_texts) | values
template_pairs = st.lists(st.builds(nodes.Pair, keys, template_values), max_size=4).map(tuple)
templates = st.builds(nodes.Template, quoted, st.builds(nodes.Object, template_pairs))
bodies = st.lists(headers | statements(prefixes), max_size=5).map(tuple).map(nodes.Block)
files = st.lists(
    st.builds(nodes.Workflow, quoted, bodies) | templates | segments | test_blocks, max_size=2
)
trees = files.map(tuple).map(nodes.File)
placed = st.none() | st.builds(nodes.Prefix, st.none(), st.none() | texts, places)
tested = st.builds(
    nodes.If, st.builds(nodes.Branch, conditions, st.just(nodes.Block(()))).map(lambda b: (b,))
)
steps = st.lists(plain_statements(placed) | tested, max_size=4).map(
    lambda found: nodes.Block((nodes.OnManual(), *found))
)
simple_texts = st.sampled_from(["subscribe", "wait 1 day", "exit", 'exit "x"'])


def text_of_branches(blocks: list[str], last: bool) -> str:  # noqa: FBT001 - drawn
    arms = " else ".join(f"if event.a {{ {block} }}" for block in blocks)
    return f"{arms} else {{ wait 1 day }}" if last else arms


def text_of_wait(body: str, late: str | None) -> str:
    rest = "" if late is None else f" timeout {{ {late} }}"
    return f'wait for event "e" up to 2 days {{ {body} }}{rest}'


def nested_texts(inner: st.SearchStrategy) -> st.SearchStrategy:
    blocks = st.lists(inner, max_size=3).map(" ".join)
    arms = st.lists(blocks, min_size=1, max_size=3)
    return st.builds(text_of_branches, arms, st.booleans()) | st.builds(
        text_of_wait, blocks, st.none() | blocks
    )


shapes = st.lists(st.recursive(simple_texts, nested_texts, max_leaves=12), max_size=4).map(" ".join)
pieces = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join)


@EXAMPLES
@given(trees)
def test_printed_trees_are_read_back(tree: nodes.File) -> None:
    text = dsl.print_file(tree)
    parsed = dsl.parse(text)
    assert parsed.diagnostics == ()
    assert parsed.file == tree
    assert dsl.format(text) == text


def assert_survives(text: str) -> None:
    """Compile, decompile, compile: the same graph."""
    compiled = dsl.compile(dsl.read_bundle({"a.flow": text}))
    assert dsl.Compiled.from_json(compiled.to_json()) == compiled
    again = dsl.print_file(dsl.decompile(compiled))
    assert dsl.compile(dsl.read_bundle({"a.flow": again})) == compiled


@EXAMPLES
@given(shapes)
def test_every_shape_survives_decompiling(text: str) -> None:
    assert_survives(f'workflow "w" {{ on manual {text} }}')


@EXAMPLES
@given(steps)
def test_every_step_survives_decompiling(body: nodes.Block) -> None:
    assert_survives(dsl.print_file(nodes.File((nodes.Workflow(nodes.Text("w"), body),))))


@EXAMPLES
@given(st.sampled_from(SOURCES), st.data())
def test_formatting_keeps_comments_wherever_they_stand(source: str, data: st.DataObject) -> None:
    if dsl.parse(source).diagnostics:
        return
    gaps = [found.end() for found in re.finditer(r"[ \n](?=[^\"]*(?:\"[^\"]*\"[^\"]*)*$)", source)]
    at = data.draw(st.sampled_from(gaps))
    text = source[:at] + "# put in between\n" + source[at:]
    parsed = dsl.parse(text)
    if parsed.diagnostics:  # the place was inside a text
        return
    formatted = dsl.format(text)
    again = dsl.parse(formatted)
    assert again.file == parsed.file
    assert sorted(one.text for one in again.comments) == sorted(one.text for one in parsed.comments)
    assert dsl.format(formatted) == formatted


@settings(EXAMPLES, max_examples=150)
@given(st.text(max_size=80) | pieces | st.binary(max_size=40))
def test_any_text_is_answered(text: str | bytes) -> None:
    bundle = dsl.read_bundle({"a.flow": text})
    found = dsl.check(bundle, frozenset())
    for diagnostic in found:
        assert dsl.render(diagnostic, bundle.files[0].source.text)
        assert diagnostic.range.start <= diagnostic.range.end
    if not any(diagnostic.is_error for diagnostic in found):
        dsl.decompile(dsl.compile(bundle))
    if not bundle.files[0].diagnostics:
        formatted = dsl.format(text)
        assert dsl.parse(formatted).file == bundle.files[0].file
        assert dsl.format(formatted) == formatted
