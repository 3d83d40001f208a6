"""No project can see or touch what belongs to another one, on any route there is."""

from __future__ import annotations

import json

import pytest

from tests import factories
from tests.api.routes import NOBODY, ROUTES, sample_body

STEP = {"type": "DELAY", "name": "Pause", "position": {}, "config": {"amount": 1, "unit": "days"}}
BODIES = {  # by endpoint, where the schema alone does not say what is needed; `own` are our ids
    "contacts.change_contact": lambda _: {"data": {"owner": "me"}},
    "segments.change_segment": lambda _: {"name": "Mine now"},
    "templates.change_template": lambda _: {"name": "Mine now"},
    "workflows.change_workflow": lambda _: {"name": "Mine now"},
    "workflows.add_step": lambda _: STEP,
    "workflows.change_step": lambda _: {"name": "Mine now"},
    "workflows.insert_step": lambda _: STEP,
    "workflows.add_transition": lambda own: {
        "fromStepId": own["step_id"],
        "toStepId": own["step_id"],
    },
    "flows.replace_flow": lambda _: {"source": 'workflow "A" {\n  on event "go"\n  exit\n}\n'},
    "executions.start_execution": lambda own: {"contactId": own["contact_id"]},
}
# What a PUT names need not be there before.
CREATING = {"secrets.set_secret"}
KNOWN = [route for route in ROUTES if route.arguments and route.endpoint not in CREATING]
LISTS = [route for route in ROUTES if route.method == "GET" and not route.arguments]


def estate(api):
    """Make one of everything and return the ids by the names that routes use for them."""
    template = factories.template(api)
    flow = factories.workflow(
        api,
        ("SEND_EMAIL", {"templateId": template}),
        ("DELAY", {"amount": 1, "unit": "days"}),
    )
    contact = factories.track(api)["contact"]
    segment = api.post("/segments", {"name": "VIPs", "type": "STATIC"}).json["id"]
    secret = f"KEY_{contact.replace('-', '_')}"
    api.put(f"/secrets/{secret}", {"value": "hidden"})
    return {
        "contact_id": contact,
        "template_id": template,
        "workflow_id": flow["id"],
        "step_id": flow["steps"][-1]["id"],
        "transition_id": flow["steps"][0]["outgoingTransitions"][0]["id"],
        "segment_id": segment,
        "secret_name": secret,
        "execution_id": factories.only_run(api, flow)["id"],
    }


@pytest.fixture
def own(api):
    """Return the ids of our own things."""
    return estate(api)


@pytest.fixture
def theirs(stranger_api):
    """Return the ids of another project's things."""
    return estate(stranger_api)


def everything(api, ids):
    """Return all that the owner can read about these things."""
    return [
        api.get(route.path(**ids)).json
        for route in ROUTES
        if route.method == "GET" and route.arguments
    ]


def body_for(route, own):
    if route.endpoint in BODIES:
        return BODIES[route.endpoint](own)
    return sample_body(route.spec.body) if route.spec.body else None


def essence(answer):
    """Return what an error says, without what has to differ between two requests."""
    error = dict(json.loads(answer.text)["error"])
    error.pop("requestId")
    error["details"] = {**error.get("details", {}), "id": ""}
    return answer.status_code, error


@pytest.mark.parametrize("route", KNOWN, ids=str)
def test_foreign_unknown_and_malformed_ids_are_the_same_404(api, stranger_api, own, theirs, route):
    before = everything(stranger_api, theirs)
    for name in route.arguments:
        first, *others = (
            essence(api.call(route.method, route.path(**ids), body_for(route, own)))
            for wrong in (theirs[name], NOBODY, "nonsense", "%00", "%F0%9F%8E%89")
            for ids in [{**own, name: wrong}]
        )
        assert first[0] == 404, first  # a 422 asks for a body in BODIES
        assert first[1]["code"].endswith("_NOT_FOUND")
        assert others == [first] * 4
    answer = api.call(route.method, route.path(**theirs), body_for(route, own))
    assert answer.status_code == 404
    assert everything(stranger_api, theirs) == before


@pytest.mark.parametrize("route", LISTS, ids=str)
def test_lists_show_nothing_of_others(api, theirs, route):
    answer = api.get(route.rule)
    assert answer.status_code == 200
    assert [name for name, value in theirs.items() if value in answer.text] == []


def test_two_projects_may_have_the_same_contact(api, stranger_api):
    first, second = (
        client.post("/contacts", {"email": "ada@example.com"}) for client in (api, stranger_api)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] != second.json["id"]


def test_a_lookup_finds_own_contacts_only(api, stranger_api):
    stranger_api.post("/contacts", {"email": "ada@example.com"})
    answer = api.post("/contacts/lookup", {"emails": ["ada@example.com"]})
    assert answer.json == {"found": [], "notFound": ["ada@example.com"]}


def test_a_cursor_of_another_project_leads_nowhere(api, stranger_api):
    api.post("/contacts", {"email": "ada@example.com"})
    cursor = stranger_api.post("/contacts", {"email": "ada@example.com"}).json["id"]
    assert api.get(f"/contacts?cursor={cursor}").json["data"] == []


def test_an_event_wakes_and_starts_nothing_in_another_project(api, stranger_api):
    flow = factories.workflow(stranger_api, event="signup")
    factories.track(api, "signup")
    assert factories.runs(stranger_api, flow) == []
