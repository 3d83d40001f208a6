"""Checking says what deploying would say, as far as no project is needed for it."""

from __future__ import annotations

from typing import Any

import pytest

HEAD = 'workflow "W" {\n  on event "e"\n\n'
TEMPLATE = """template "t" {
  type: marketing
  subject: "SUBJECT"
  from: "FROM"
  body: "BODY"
}
"""


def template(subject: str = "Hi", sender: str = "a@example.com", body: str = "Hi") -> str:
    return TEMPLATE.replace("SUBJECT", subject).replace("FROM", sender).replace("BODY", body)


CASES = [
    (template(subject="Hi {{ firstName "), 3, "{{ is not closed"),
    (template(body="{% if x %}"), 5, "if is not closed"),
    (template(body="{{ y | nofilter }}"), 1, "unknown filter 'nofilter'"),
    (template(sender="nobody"), 4, "must be an address"),
    (f'{HEAD}  send email "t" {{ subject: "Hi {{{{ x" }}\n}}\n', 4, "write }}"),
    (f'{HEAD}  wait 1 day\n  webhook GET "https://a.example/{{{{ y"\n}}\n', 5, "this {{ is"),
    (
        f'{HEAD}  webhook POST "https://a.example" {{ headers: {{ A: "{{% nope %}}" }} }}\n}}\n',
        4,
        "headers.A",
    ),
    (
        f'{HEAD}  webhook POST "https://a.example" {{ body: {{ a: ["{{{{ y"] }} }}\n}}\n',
        4,
        "not closed; write",
    ),
    (HEAD + '  track "x"\n' * 1_001 + "}\n", 1, "more than 1000 steps"),
    (f'{HEAD}  webhook POST "https://a.example" {{ body: "{"x" * 70_000}" }}\n}}\n', 4, "65536"),
]


@pytest.mark.parametrize(("text", "line", "told"), CASES, ids=[case[2] for case in CASES])
def test_checking_and_deploying_agree(api: Any, text: str, line: int, told: str) -> None:
    whole = text if 'template "t"' in text else text + template()
    checked = api.post("/flows/check", {"files": {"a.flow": whole}}).json
    assert not checked["valid"]
    (found,) = [one for one in checked["diagnostics"] if one["severity"] == "error"]
    assert found["range"]["start"]["line"] == line
    assert told in found["message"]
    refused = api.post("/flows/deploy", {"files": {"a.flow": whole}})
    assert refused.status_code == 422
    told_then = refused.json["error"]["details"]["diagnostics"]
    assert found in told_then


def test_good_liquid_is_no_mistake(api: Any) -> None:
    text = f"""{HEAD}  send email "t" {{ subject: "{{{{ a | upcase }}}}{{% if b %}}{{% endif %}}" }}
  webhook POST "https://a.example/{{{{ id }}}}" {{ body: {{ a: upper(event.x) }} }}
}}
{template(body="{{ firstName ?? 'friend' }}")}"""
    checked = api.post("/flows/check", {"files": {"a.flow": text}}).json
    assert [one for one in checked["diagnostics"] if one["severity"] == "error"] == []
    assert api.post("/flows/deploy", {"files": {"a.flow": text}}).status_code == 200
