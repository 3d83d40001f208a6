"""Keys: which are accepted where, and what is said when they are not."""

from __future__ import annotations

import pytest

from plunk.application import create_app
from plunk.clock import ManualClock
from plunk.config import Settings
from plunk.db import db, transaction
from plunk.http.endpoint import Access
from plunk.models import Project
from tests.api.routes import ROUTES
from tests.conftest import NOON, SECRET, Api

SECRET_ONLY = [route for route in ROUTES if route.spec.access is Access.SECRET]
KEYED = [route for route in ROUTES if route.spec.access is not Access.NONE]
WRITING = [
    route for route in ROUTES if route.method != "GET" and route.spec.access is not Access.NONE
]


def code(answer):
    assert answer.json["error"]["suggestion"]
    return answer.status_code, answer.json["error"]["code"]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "bearer {key}",
        "Basic {key}",
        "{key}",
        "Bearer  {key}",
        "Bearer {key} more",
        "Token {key}",
    ],
)
def test_a_header_of_another_form_is_missing_auth(api, header):
    headers = {} if header is None else {"Authorization": header.format(key=api.key)}
    assert code(api.client.get("/contacts", headers=headers)) == (401, "MISSING_AUTH")


@pytest.mark.parametrize(
    "key", ["sk_unknown", "pk_unknown", "x", "{key}0", "{upper}", "ключ", "%00"]
)
def test_an_unknown_key_is_refused(api, key):
    text = key.format(key=api.key, upper=api.key.upper())
    answer = api.client.get("/contacts", headers={"Authorization": f"Bearer {text}"})
    assert code(answer) == (401, "INVALID_API_KEY")


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (0, 403)])
def test_a_key_that_was_just_seen_is_trusted_for_as_long_as_it_is_set(
    stage, sessions, project, seconds, status
):
    settings = Settings(
        database_url=stage.url,
        secret_key=SECRET,
        ratelimit_enabled=False,
        key_cache_seconds=seconds,
    )
    app = create_app(settings, clock=ManualClock(NOON))
    api = Api(app.test_client(), project.secret)
    event = {"event": "go", "email": "kim@example.org"}
    assert api.post("/v1/track", event).status_code == 200
    with transaction(sessions) as session:
        session.get_one(Project, project.id).disabled = True
    assert api.post("/v1/track", event).status_code == status
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("route", KEYED, ids=str)
def test_every_route_asks_for_a_key(api, route):
    answer = api.client.open(route.path(), method=route.method)
    assert code(answer) == (401, "MISSING_AUTH")


@pytest.mark.parametrize("route", SECRET_ONLY, ids=str)
def test_the_public_key_opens_nothing_but_track(public_api, route):
    answer = public_api.call(route.method, route.path(), {})
    assert code(answer) == (401, "INVALID_API_KEY")


def test_track_takes_both_keys(api, public_api):
    open_to_both = [str(route) for route in KEYED if route not in SECRET_ONLY]
    assert open_to_both == ["POST /v1/track", "POST /v1/track/batch"]
    body = {"event": "go", "email": "ada@example.com"}
    assert api.post("/v1/track", body).status_code == 200
    assert public_api.post("/v1/track", body).status_code == 200


@pytest.fixture
def disabled(sessions, project):
    """Disable the project."""
    with transaction(sessions) as session:
        session.get_one(Project, project.id).disabled = True


@pytest.mark.usefixtures("disabled")
@pytest.mark.parametrize("route", WRITING, ids=str)
def test_a_disabled_project_is_read_only(api, route):
    assert code(api.call(route.method, route.path(), {})) == (403, "PROJECT_DISABLED")


@pytest.mark.usefixtures("disabled")
def test_a_disabled_project_can_still_be_read(api):
    assert api.get("/contacts").status_code == 200
    assert api.get("/templates").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/config", "/openapi.json"])
def test_some_things_need_no_key(app, path):
    assert app.test_client().get(path).status_code == 200
