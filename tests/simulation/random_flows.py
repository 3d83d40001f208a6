"""Random small bundles as text, and random things that happen to a contact."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import strategies as st

TEMPLATES = """
template "m" { type: marketing  subject: "M {{ plan ?? 'none' }}"  from: "a@acme.test"
               body: "<p>{{ n }}</p>" }
template "r" { type: transactional  subject: "R"  from: "a@acme.test"  body: "<p>R</p>" }
template "h" { type: headless  subject: "H {{ event.n }}"  from: "a@acme.test"  body: "<p>H</p>" }
"""
SEGMENTS = {
    "Vip": "static  track membership",
    "Plain": "static",
    "Pros": 'where data.plan == "pro"  track membership',
    "Fresh": 'where triggered "a" within 3 hours  track membership',
    "Busy": 'where count "a" within 2 hours >= 2',
}
EVENTS = ["go", "a", "b", "c"]
FACTS = {"at": "2026-03-02T17:00:00Z", "day": "1990-03-02", "tz": "Asia/Tokyo"}

comparison = st.sampled_from(
    [
        'contact.data.plan == "pro"',
        "contact.data.n > 2",
        "contact.data.n is set",
        "contact.subscribed",
        "not contact.subscribed",
        "event.n == 1",
        "event.n > 1",
        'triggered "a"',
        'triggered "b" within 2 hours',
        'triggered "a" older than 1 hours',
        'not triggered "c"',
        'count "a" within 3 hours >= 2',
        'count "a" where (event.n > 1) >= 1',
        'sent "m"',
        'sent "r" within 1 hours',
        'contact in segment "Vip"',
        'contact in segment "Plain"',
        'contact in segment "Pros"',
        'contact not in segment "Busy"',
        "contact.data.at within 2 hours",
        "contact.data.at older than 1 hours",
        "contact.data.at < now",
        'contact.data.plan in ["pro", "team"]',
        "run.startedAt older than 2 hours",
    ]
)
condition = st.builds(
    lambda left, word, right: left if word is None else f"{left} {word} {right}",
    comparison,
    st.sampled_from([None, None, None, "and", "or"]),
    comparison,
)
# Behind `wait until` a field alone would be a time.
awaited = condition.map(
    lambda drawn: f"{drawn} == true" if drawn == "contact.subscribed" else drawn
)
event = st.sampled_from(EVENTS[1:])
number = st.integers(0, 3)
length = st.sampled_from(["20 minutes", "1 hour", "90 minutes", "3 hours", "7 seconds"])
segment = st.sampled_from(['"Vip"', '"Plain"'])

plain = st.one_of(
    st.builds('send email "{}"'.format, st.sampled_from("mrh")),
    st.just('send email "m" to "boss@example.org"'),
    st.builds("wait {}".format, length),
    st.builds(
        "wait until contact.data.at {}".format,
        st.sampled_from(["", "minus 2 hours", "plus 1 hour", "when past exit"]),
    ),
    st.builds(
        "wait until {} {}".format,
        st.sampled_from(["14:00", "21:30", "00:15"]),
        st.sampled_from(["", "on monday, tuesday"]),
    ),
    st.builds(
        'wait for event "{}" {} up to {}'.format,
        event,
        st.sampled_from(["", "where event.n > 1"]),
        length,
    ),
    st.builds("wait until {} up to {}".format, awaited, length),
    st.builds(
        'webhook POST "https://hooks.example.com/{}" {{ body: {{ n: contact.data.n, '
        'who: "{{{{ email }}}}" }} }}'.format,
        st.sampled_from(["ok", "bad", "down"]),
    ),
    st.builds("update contact {{ n: {} }}".format, number),
    st.just("update contact { n: (contact.data.n ?? 0) + 1 }"),
    st.builds('update contact {{ plan: "{}" }}'.format, st.sampled_from(["pro", "team"])),
    st.just("update contact { plan: null }"),
    st.sampled_from(["subscribe", "unsubscribe"]),
    st.builds("add to segment {}".format, segment),
    st.builds("remove from segment {}".format, segment),
    st.builds('track "{}" {{ n: {} }}'.format, event, number),
)


def block(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, min_size=1, max_size=3).map("\n".join)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = block(inner)
    return st.one_of(
        st.builds("if {} {{\n{}\n}}".format, condition, body),
        st.builds("if {} {{\n{}\n}} else {{\n{}\n}}".format, condition, body, body),
        st.builds(
            'switch contact.data.plan {{ case "pro" {{\n{}\n}} else {{\n{}\n}} }}'.format,
            body,
            body,
        ),
        st.builds("split {{ 50% {{\n{}\n}} 30% {{\n{}\n}} }}".format, body, body),
        st.builds(
            'wait for event "{}" up to {} {{\n{}\n}} timeout {{\n{}\n}}'.format,
            event,
            length,
            body,
            body,
        ),
        st.builds(
            "wait until {} up to {} {{\n{}\n}} timeout {{\n{}\n}}".format,
            awaited,
            length,
            body,
            body,
        ),
        st.builds('if {} {{\nexit "{}"\n}}'.format, condition, st.sampled_from("xy")),
    )


statements = block(st.recursive(plain, compound, max_leaves=8))
start = st.one_of(
    st.builds('on event "{}"'.format, st.sampled_from(EVENTS)),
    st.builds('on event "{}" where {}'.format, st.sampled_from(EVENTS), condition),
    st.builds(
        'on segment "{}" {}'.format,
        st.sampled_from(["Vip", "Pros", "Fresh"]),
        st.sampled_from(["entry", "exit"]),
    ),
    st.sampled_from(
        [
            'on event "email.sent"',
            'on event "contact.unsubscribed"',
            'on schedule "30 * * * *" for segment "Pros"',
            "on date contact.data.at minus 1 hours",
            "on date contact.data.day every year at 15:00",
        ]
    ),
)
reentry = st.sampled_from(["", "reentry always", "reentry after 2 hours"])
header = st.one_of(
    st.builds("stop when {}".format, condition),
    st.builds('stop when event "{}"'.format, event),
    st.builds("quiet hours {} to {}".format, st.just("13:00"), st.sampled_from(["15:00", "19:30"])),
    st.just('timezone contact.data.tz default "Europe/Brussels"'),
)
goal = st.builds(
    'goal "{}" when {}{}'.format,
    st.sampled_from(["g1", "g2"]),
    st.one_of(condition, st.builds('event "{}"'.format, event)),
    st.sampled_from(["", " then exit"]),
)
LABELLED = (
    "send", "wait", "webhook", "update", "subscribe", "unsubscribe", "add", "remove", "track",
    "if", "switch", "split", "exit",
)  # fmt: skip


@st.composite
def workflow(draw: Callable[..., Any], name: str) -> str:
    """Draw one workflow in which every step has a label."""
    starts = draw(st.lists(start, min_size=1, max_size=2, unique=True))
    headers = draw(st.lists(header, max_size=2, unique_by=lambda text: text.split()[0])) + draw(
        st.lists(goal, max_size=2, unique_by=lambda text: text.split()[1])
    )
    number = count(1)
    lines = [
        f"@s{next(number)} {line}" if line.split()[0] in LABELLED else line
        for line in draw(statements).split("\n")
    ]
    body = "\n".join([*starts, draw(reentry), *headers, *lines])
    return f'workflow "{name}" {{\n{body}\n}}\n'


@st.composite
def bundle(draw: Callable[..., Any]) -> str:
    """Draw a bundle of one to three workflows."""
    names = "ABC"[: draw(st.integers(1, 3))]
    first = draw(workflow("A")).replace("\n", '\non event "go"\n', 1)
    others = [draw(workflow(name)) for name in names[1:]]
    text = "\n".join([first, *others])
    used = [
        f'segment "{name}" {{ {what} }}' for name, what in SEGMENTS.items() if f'"{name}"' in text
    ]
    return TEMPLATES + "\n".join([*used, text])


happening = st.one_of(
    st.tuples(st.just("track"), st.sampled_from(EVENTS), st.dictionaries(st.just("n"), number)),
    st.tuples(st.just("once"), st.sampled_from(EVENTS), st.dictionaries(st.just("n"), number)),
    st.tuples(
        st.just("set"),
        st.sampled_from(
            [
                {"plan": "pro"},
                {"plan": "team"},
                {"plan": None},
                {"n": 3},
                {"n": 0},
                {"at": "2026-03-02T14:10:00Z"},
                {"at": "2026-03-01T14:10:00Z"},
            ]
        ),
    ),
    st.tuples(st.just("subscribed"), st.booleans()),
    st.tuples(st.just("sleep"), st.sampled_from([1, 7, 47, 61, 3_601, 5_407, 7_207])),
)
happenings = st.lists(happening, min_size=2, max_size=8).map(
    lambda drawn: [("track", "go", {"n": 1}), *drawn, ("sleep", 10_801)]
)
