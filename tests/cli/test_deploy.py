"""`plunk deploy` and the client behind it, against a real server."""

from __future__ import annotations

import pytest

from plunk.cli import main
from plunk.client import ApiError, Client, Unreachable

TEMPLATE = (
    'template "hello" {\n  type: transactional\n  subject: "Hello"\n'
    '  from: "a@example.com"\n  body: "Hi"\n}\n'
)
FLOW = 'workflow "Greeting" {\n  on event "e"\n  send email "hello"\n}\n'


@pytest.fixture
def deploy(url, project, tmp_path, monkeypatch, capsys):
    """Return a function that deploys texts and says what came of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLUNK_API_URL", url)

    def run(text: str, key: str = project.secret):
        monkeypatch.setenv("PLUNK_API_KEY", key)
        (tmp_path / "main.flow").write_text(text)
        return main(["deploy"]), *capsys.readouterr()

    return run


def test_deploying_says_what_it_did(deploy, client):
    assert deploy(TEMPLATE + FLOW) == (
        0,
        "template hello: created\nworkflow Greeting: created\n",
        "",
    )
    assert deploy(TEMPLATE + FLOW)[1].count("unchanged") == 2
    assert deploy(TEMPLATE + FLOW.replace("  send", "  wait 1 day\n  send"))[1] == (
        "template hello: unchanged\nworkflow Greeting: changed\n"
    )
    found = client.find_workflow("Greeting")
    assert found
    assert client.find_workflow("Other") is None


def test_what_only_the_server_knows_is_shown_in_its_place(deploy, client):
    status, out, err = deploy(FLOW)
    assert status == 1
    assert "error FLOW-E204" in out
    assert 'main.flow:3:14\n  |\n3 |   send email "hello"\n  |              ^^^^^^^' in out
    assert err.startswith("Nothing was deployed: ")
    assert client.page_workflows()["total"] == 0


@pytest.mark.parametrize("key", ["sk_unknown", "public"])
def test_a_wrong_key_is_refused_in_one_line(deploy, project, key):
    chosen = project.public if key == "public" else key
    assert deploy(TEMPLATE + FLOW, chosen) == (
        1,
        "",
        "plunk: The API key is unknown or not allowed here.\n",
    )


def test_the_client_tracks_and_finds_contacts(client):
    tracked = client.track("e", "kim@example.com", data={"plan": "pro"})
    saved = client.save_contact("ada@example.com", data={"plan": "free"}, subscribed=False)
    assert client.get_contact(tracked.contact)["data"] == {"plan": "pro"}
    assert {one["id"] for one in client.contacts()} == {tracked.contact, saved["id"]}


def test_the_client_sends(client):
    (email,) = client.send("kim@example.com", subject="Hi", body="Hello", sender="a@example.com")
    assert email["contact"]["email"] == "kim@example.com"


def test_the_client_checks(client):
    assert client.check({"a.flow": TEMPLATE + FLOW}) == []
    (found,) = client.check({"a.flow": FLOW})
    assert found["code"] == "FLOW-E204"


def test_a_refusal_carries_the_envelope(client):
    with pytest.raises(ApiError) as refused:
        client.track("email.sent", "kim@example.com")
    assert (refused.value.status, refused.value.code) == (422, "VALIDATION_ERROR")
    assert [item["code"] for item in refused.value.fields] == ["reserved_event"]


def test_a_spent_idempotency_key_is_refused(client):
    client.track("e", "kim@example.com", idempotency_key="once")
    with pytest.raises(ApiError) as refused:
        client.track("e", "kim@example.com", idempotency_key="once")
    assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize(
    ("address", "message"),
    [("http://127.0.0.1:1", "the connection failed"), ("{url}/docs?", "it is no Plunk API")],
)
def test_what_is_no_api_is_named(url, address, message):
    with Client(address.format(url=url), "sk_x") as client, pytest.raises(Unreachable) as failed:
        client.page_contacts()
    assert message in failed.value.message
