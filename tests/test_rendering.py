"""Templates: what Plunk's users write, and what comes out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plunk.rendering import (
    TemplateSyntaxError,
    check_template,
    compile_html,
    merge_scope,
    render,
    text_part,
)

VARIABLES: dict[str, object] = {
    "name": "Ada",
    "first name": "Ada L",
    "profile": {"tier": "gold", "first name": "Augusta", "0": "zeroth"},
    "items": ["a", None, {"x": 1}],
    "letters": ["c", "a", "b", "a"],
    "numbers": [1, [2, 3], 4.5],
    "zero": 0,
    "no": False,
    "yes": True,
    "hollow": "",
    "none": [],
    "nothing": None,
    "object": {},
    "age": "20",
    "price": 3.0,
    "code": "{{name}} {% if %}",
    "html": "<b>&amp;</b>",
    "limit": "a keyword",
}

PLACEHOLDERS = [
    ("Hi {{name}}", "Hi Ada"),
    ("{{ name }}{{\n name \n}}", "AdaAda"),
    ("{{missing}}{{nothing}}{{profile.missing.deep}}", ""),
    ("{{}}{{ }}.", "."),
    ("{{profile.tier}}", "gold"),
    ("{{first name}}, {{profile.first name}}", "Ada L, Augusta"),
    ("{{ first   name | upcase }}", "ADA L"),
    ("{{limit}}", "a keyword"),
    ("{{items.0}} {{items[0]}} {{profile.0}}", "a a zeroth"),
    ("{{items.2.x}} {{items.size}} {{letters.first}} {{letters.last}}", "1 3 c a"),
    ("{{zero}} {{no}} {{yes}} {{price}}", "0 false true 3"),
    ("{{profile}}", "[object Object]"),
    ("{{html}}", "<b>&amp;</b>"),
    ("{{code}}", "{{name}} {% if %}"),
    ("{{ 'x' }}{{ 3 }}{{ true }}{{ nil }}", "x3true"),
    ("{{name.__class__}}{{name.upper}}{{profile.keys}}{{items.append}}", ""),
    ("{{now}}{{today}}", ""),
]

FALLBACKS = [
    ("{{x ?? Guest}}", "Guest"),
    ("{{x ?? \"Guest\"}}{{x ?? 's'}}", "Guests"),
    ("{{x ?? name}}", "name"),
    ("{{name ?? Guest}}", "Ada"),
    ("{{x ?? a ?? b}}", "a"),
    ("{{x ?? }}.", "."),
    ("{{zero ?? z}}{{no ?? n}}{{hollow ?? e}}{{none ?? l}}{{nothing ?? o}}", "znelo"),
    ("{{object ?? o}}", "[object Object]"),
    ("{{profile.missing ?? there}}", "there"),
    ("{{x ?? Home | upcase}}", "HOME"),
    ("{{x ?? Home | Shop}}", "Home | Shop"),
    ("{{x ?? 'a | b ?? c'}}", "a | b ?? c"),
    ("{{x ?? Don't know}}", "Don't know"),
    ("{{x | upcase ?? Guest}}", "Guest"),
    ("{{name | upcase ?? Guest}}", "ADA"),
    ("{{'a ?? b'}}", "a ?? b"),
]

ARRAYS = [
    ("{{items}}", "<li>a</li>\n<li></li>\n<li>[object Object]</li>"),
    ("{{numbers}}", "<li>1</li>\n<li>2,3</li>\n<li>4.5</li>"),
    ("{{items | raw}}", "a[object Object]"),
    ("{{letters | join: ', '}}", "c, a, b, a"),
    ("{{letters | sort | uniq}}", "<li>a</li>\n<li>b</li>\n<li>c</li>"),
    ("{% for i in (1..2) %}{{letters}} {% endfor %}", "caba caba "),
    ("{{none}}", ""),
]

CONDITIONS = [
    ("{% if zero %}y{% else %}n{% endif %}", "n"),
    ("{% if hollow %}y{% else %}n{% endif %}", "n"),
    ("{% if missing %}y{% else %}n{% endif %}", "n"),
    ("{% if none %}y{% endif %}{% if object %}y{% endif %}", "yy"),
    ("{% unless zero %}y{% else %}n{% endunless %}", "y"),
    ("{% if no %}1{% elsif zero %}2{% elsif name %}3{% endif %}", "3"),
    ("{% if age > 18 and name == 'Ada' %}y{% endif %}", "y"),
    ("{% if zero or hollow or name %}y{% endif %}", "y"),
    ("{% if missing > 18 %}y{% endif %}{% if name < 3 %}y{% endif %}", ""),
    ("{% if letters contains 'b' %}y{% endif %}{% if name contains 'd' %}y{% endif %}", "yy"),
    ("{% if price contains 3 %}y{% endif %}", ""),
    ("{% if hollow == blank %}y{% endif %}{% if none == empty %}y{% endif %}", "yy"),
    ("{% case name %}{% when 'Bob' %}1{% when 'Ada' %}2{% endcase %}", "2"),
]

TAGS = [
    ("{% for i in items limit: 1 %}{{forloop.index}}{{i}}{% endfor %}", "1a"),
    ("{% for i in letters reversed %}{{i}}{% endfor %}", "abac"),
    ("{% for i in none %}x{% else %}nobody{% endfor %}", "nobody"),
    ("{% for pair in profile %}{{pair[0]}};{% endfor %}", "tier;first name;0;"),
    ("{% assign a = name | upcase %}{{a}}", "ADA"),
    ("{% capture a %}{{name}}!{% endcapture %}{{a}}{{a}}", "Ada!Ada!"),
    ("{% comment %}{{ {% if %}{% endcomment %}ok{% # note %}", "ok"),
    ("{% comment %}{% comment %}{% endcomment %}x{% endcomment %}ok", "ok"),
    ("{% raw %}{{ name }} &gt; {% if %}{% endraw %}", "{{ name }} &gt; {% if %}"),
    ("{% increment n %}{% increment n %}", "01"),
    (
        "{% echo name | upcase %}{% echo letters %}",
        "ADA<li>c</li>\n<li>a</li>\n<li>b</li>\n<li>a</li>",
    ),
    ("{% break %}x", "x"),
    ("a {{- name -}} b {%- if yes -%} c {%- endif -%} d", "aAdabcd"),
    ("a &gt; {{ name &nbsp;| append: &quot;!&quot; }}", "a &gt; Ada!"),
    ("{% if age &gt; 3 &amp;lt; %}", "{% if age &gt; 3 &amp;lt; %}"),
]

FILTERS = [
    ("{{name | nosuch | upcase}}", "ADA"),
    ("{{name | upcase: }}", "ADA"),
    ("{{name | divided_by: 0}}", "Ada"),
    ("{{10 | divided_by: 4}} {{10 | divided_by: 5}}", "2.5 2"),
    ("{{price | times: 2}} {{age | plus: 1}}", "6 21"),
    ("{{no | upcase}} {{price | append: '!'}}", "FALSE 3!"),
    (
        "{{hollow | default: 'd'}}{{zero | default: 'z'}}{{no | default: 1, allow_false: true}}",
        "dzfalse",
    ),
    ("{{html | escape}}", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
    ("{{'<p>a<script>x</script> <!-- > -->b</p><' | strip_html}}", "a b"),
    ("{{'2026-01-05T23:30:00-02:00' | date: '%d.%m.%Y %H:%M'}}", "06.01.2026 01:30"),
    ("{{'January 5, 2026' | date: '%Y-%m-%d'}} {{0 | date: '%Y'}}", "2026-01-05 1970"),
    ("{{'not a date' | date: '%Y'}}{{missing | date: '%Y'}}", "not a date"),
    ("{{items | json}}", '["a",null,{"x":1}]'),
    ("{{'Hello, World' | slugify}} {{'3 apples' | to_integer}}", "hello-world 3 apples"),
    ("{{'a,b,c' | split: ',' | array_to_sentence_string}}", "a, b, and c"),
    ("{{letters | push: 'z' | shift | join}}", "a b a z"),
    ("{{'a-b' | replace: '-', '+'}}", "a+b"),
]

BROKEN = [
    ("{% if name %}{{name}} {{x ?? 'q'}}", "{% if name %}Ada q"),
    ("{% include 'x' %}{{name}}", "{% include 'x' %}Ada"),
    ("{% render 'x' %}{% layout 'y' %}", "{% render 'x' %}{% layout 'y' %}"),
    ("{{name}} {{ open", "Ada {{ open"),
    ("{% nope %}{{items}}", "{% nope %}<li>a</li>\n<li></li>\n<li>[object Object]</li>"),
    ("{% nope %}{{first name}}{{- name | upcase -}}{{ a + b }}", "{% nope %}Ada LAda"),
    ("{% nope %}{{zero ?? z}}{{&nbsp;name}}", "{% nope %}zAda"),
    ("{% nope %}{{ {{name}} }}", "{% nope %}{{ Ada }}"),
]

CASES = [*PLACEHOLDERS, *FALLBACKS, *ARRAYS, *CONDITIONS, *TAGS, *FILTERS, *BROKEN]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_a_template_is_filled(source: str, expected: str) -> None:
    assert render(source, VARIABLES) == expected


SOURCES = [source for source, _ in PLACEHOLDERS + FALLBACKS]
SIZES = ["{{size}}", "{{ size ?? M }}", "{{items.size}}"]
PIECES = st.sampled_from(["Dear ", " } ", "\n", "{{}}", *SIZES, *SOURCES])


@given(st.lists(PIECES, max_size=6))
def test_a_simple_template_is_filled_as_any_other(pieces: list[str]) -> None:
    source = "".join(pieces)
    assert render(source, VARIABLES) == render("{% if true %}{% endif %}" + source, VARIABLES)


DOUBLE = "{% assign s = s | append: s %}"
LOOPS = "{% for i in (1..100000) %}{% for j in (1..9) %}x{% endfor %}{% endfor %}"
TOO_EXPENSIVE = {
    "loops": LOOPS,
    "time": "{% for i in (1..300) %}{% for j in (1..300) %}"
    "{{ name | upcase | downcase | capitalize }}{% endfor %}{% endfor %}",
    "huge range": "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "range in a condition": "{% if (1..1000000000) contains 1.5 %}x{% endif %}",
    "range joined": "{{ (1..1000000000) | join: '' }}{% nope %}",
    "text doubling": "{% assign s = 'aaaaaaaa' %}" + DOUBLE * 40,
    "replace": "{% assign s = 'aaaaaaaa' %}" + DOUBLE * 12 + "{{ s | replace: '', s }}",
    "number": "{% assign x = 9 %}{% for i in (1..99) %}{% assign x = x | times: x %}{% endfor %}",
    "output": "{% assign s = 'aaaaaaaa' %}" + DOUBLE * 15 + "{{ s }}" * 100,
    "nesting": "{% if 1 %}" * 100 + "{% endif %}" * 100,
    "long expression": "{% if " + "a and " * 3000 + "a %}{% endif %}",
    "deep expression": "{% if 1 %}{{ a" + "[a" * 3000 + "]" * 3000 + " }}{% endif %}",
    "placeholders": "{% if 1 %}{% endif %}" + "{{a}}" * 50_000,
    "source": "{% if 1 %}{% endif %}" + "x" * 2_000_000,
    "open braces": "{% comment %}" + "{{" * 500_000,
    "open raw": "{% raw %}" * 100_000,
    "spaces": "{% if 1 %}{{ " + " " * 1_000_000,
}


@pytest.mark.parametrize("source", TOO_EXPENSIVE.values(), ids=TOO_EXPENSIVE.keys())
def test_a_template_beyond_its_limits_is_filled_plainly(source: str) -> None:
    text = render(source + "{{name}}", VARIABLES)
    assert "{%" in text
    assert len(text) <= len(source) + 10


def test_a_template_that_once_cost_too_much_is_not_tried_again() -> None:
    source = "{% for i in list %}{% for j in list %}x{% endfor %}{% endfor %}{{name}}"
    assert render(source, {"list": [1, 2], "name": "Ada"}) == "xxxxAda"
    assert render(source, {"list": [1] * 1000, "name": "Ada"}).endswith("{% endfor %}Ada")
    assert render(source, {"list": [1, 2], "name": "Ada"}).endswith("{% endfor %}Ada")


@pytest.mark.parametrize(
    "source", ["{% for i in (1..50) %}{{ big }}{% endfor %}", "{% nope %}" + "{{ big }}" * 50]
)
def test_output_never_grows_beyond_its_limit(source: str) -> None:
    assert len(render(source, {"big": "x" * 900_000})) <= len(source) + 10_000_000


def test_an_array_of_itself_is_no_trap() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert render("{{loop}}|{{loop | json}}", {"loop": loop}) == "|"


WORDS = """
    {{ }} {% %} name ?? | ' " if endif for i in items endfor upcase . [ ] (1..9) raw endraw comment
    - -}} &gt; : , assign a = capture x case when 1 é == contains sort else blank {{a {{name}}
"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\x00"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), JSON)
def test_rendering_never_raises(source: str, value: object) -> None:
    assert isinstance(render(source, {"name": value, "items": [value, value], "a": value}), str)


@given(st.text())
def test_text_without_delimiters_is_left_alone(text: str) -> None:
    safe = text.replace("{", "(").replace("}", ")")
    assert render(safe, {}) == safe


@given(st.text(max_size=40))
def test_values_are_never_rendered_again(value: str) -> None:
    assert render("{{v}}|{% if v %}{{v}}{% endif %}", {"v": value, "name": "x"}) == (
        f"{value}|{value}"
    )


FAULTS = [
    ("{% if x %}", 1, 11, "endif"),
    ("line\n  {% include 'a' %}", 2, 3, "include"),
    ("{% layout 'x' %}", 1, 1, "layout"),
    ("a\n{{ b", 2, 1, "never closed"),
    ("x {{ a | nosuch }}", 1, 3, "unknown filter 'nosuch'"),
    ("{% if a %}\n{{ b ?? c | upcase | nope }}{% endif %}", 2, None, "nope"),
    ("{% assign a = b | nope %}", 1, 19, "nope"),
    ("{% %}", 1, 1, "no name"),
    ("{{ a b + c }}", 1, None, "unexpected '+'"),
    ("{% if " + "a and " * 1600 + "a %}{% endif %}", 1, 1, "nested too deeply"),
    ("x" * 2_000_001, 1, 1, "longer than"),
    ("{% raw %}{{", 1, 1, "endraw"),
]


@pytest.mark.parametrize(("source", "line", "column", "reason"), FAULTS)
def test_a_fault_is_named_with_its_place(
    source: str, line: int, column: int | None, reason: str
) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        check_template(source, "body")
    fault = caught.value
    assert reason in fault.reason
    assert (fault.field, fault.line) == ("body", line)
    assert column in (None, fault.column)
    assert fault.problems[0].field == "body"
    assert fault.status == 400


GOOD = [source for source, _ in CASES if source not in dict(BROKEN) and "nosuch" not in source]


@pytest.mark.parametrize("source", [s for s in GOOD if "&amp;lt;" not in s])
def test_a_good_template_passes(source: str) -> None:
    check_template(source, "subject")


def test_the_scope_holds_the_contact() -> None:
    scope = merge_scope("c1", "a@b.co", {"plan": "pro", "data": 1}, unsubscribeUrl="u")
    assert render("{{id}} {{email}} {{plan}} {{data.plan}} {{unsubscribeUrl}}", scope) == (
        "c1 a@b.co pro pro u"
    )


@pytest.mark.parametrize(
    "fragment",
    [
        "<p>Hi</p>",
        "just text",
        '<p class="prose-lg">x</p>',
        "<p class=prose>x</p>",
        '<p class="">x</p>',
        '<p style="color:red"><a href="https://x.test/?id=3">l</a></p>',
        "<p>say id=3 and data-x</p>",
        '<h1>T</h1><ul><li>é</li></ul><img src="https://x.test/a.png">',
    ],
)
def test_a_fragment_becomes_a_document(fragment: str) -> None:
    document = compile_html(fragment)
    assert document.startswith("<!DOCTYPE html>")
    assert "</body>" in document
    assert 'style="' in document
    assert "<style" not in document


@pytest.mark.parametrize(
    "body",
    [
        "<html><body><p>x</p></body></html>",
        "<div>x</div>",
        "<TABLE><tr><td>x</table>",
        '<p class="mine">x</p>',
        '<p class="prose mine">x</p>',
        "<p class=mine>x</p>",
        "<p id=a>x</p>",
        '<p data-x="1">x</p>',
        '<p aria-label="a">x</p>',
        '<p\nrole="img">x</p>',
        "<style>p{}</style><p>x</p>",
        "@media print",
        "<svg></svg>",
    ],
)
def test_custom_html_is_left_alone(body: str) -> None:
    assert compile_html(body) == body


def test_inlining_loads_nothing() -> None:
    assert "x.css" in compile_html('<p>a</p><p style="b">c</p>x.css')


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>Hi <a href='https://x.test/?a=1&amp;b'>there</a>.</p>",
            "Hi there [https://x.test/?a=1&b].",
        ),
        ("<p>a<img src=x alt=pic>b</p><style>p{}</style><script>x</script>", "ab"),
        ("<h1>Title</h1><p>one</p><p>two</p>", "Title\n\none\n\ntwo"),
        ("<p><a href='#top'>up</a> <a>none</a></p>", "up none"),
        ("<ul><li>a</li><li>b</li></ul>", "* a\n  * b"),
        ("", ""),
        ("<p>\ud800</p>", ""),
        ("<p>Größe &lt; 5&nbsp;€</p>", "Größe < 5 €"),
    ],
)
def test_the_text_part_reads_well(html: str, text: str) -> None:
    assert text_part(html) == text


@given(st.text())
def test_the_text_part_never_raises(html: str) -> None:
    assert isinstance(text_part(html), str)


@pytest.mark.parametrize("body", ["<b>" * 20_000, "<p><i>" * 10_000, "<B>x" * 60_000])
def test_deep_nesting_neither_crashes_nor_loses_the_body(body: str) -> None:
    document = compile_html(body)
    assert body in document
    text_part(document)
