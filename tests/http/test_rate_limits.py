"""Rate limits: so many requests for each project, then 429 until the window moves on."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from plunk.application import create_app
from plunk.config import Settings
from plunk.db import db, transaction
from plunk.errors import Misconfigured, RateLimitExceeded
from plunk.http.limits import Limiter
from plunk.models import IdempotencyKey

TRACK = {"event": "order", "email": "ada@example.com"}


@pytest.fixture
def limited(empty, clock):
    """Return a client of an application that allows three requests an hour."""
    settings = Settings(
        database_url=empty.url,
        secret_key="a secret for tests only",
        ratelimit_api="3 per hour",
    )
    app = create_app(settings, clock=clock)
    yield app.test_client()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def track(client, key, body=TRACK, **headers: str):
    headers["Authorization"] = f"Bearer {key}"
    return client.post("/v1/track", json=body, headers=headers)


def test_the_fourth_request_has_to_wait(limited, project):
    left = []
    for _ in range(3):
        answer = track(limited, project.secret)
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Limit"] == "3"
        left.append(answer.headers["RateLimit-Remaining"])
    assert left == ["2", "1", "0"]
    answer = track(limited, project.secret)
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    wait = int(answer.headers["Retry-After"])
    assert 1 <= wait <= 2 * 3600
    assert error["details"] == {"retryAfter": wait}
    assert error["suggestion"]
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert int(answer.headers["RateLimit-Reset"]) == wait


def test_both_keys_draw_on_one_window_and_projects_on_their_own(limited, project, stranger):
    for key in (project.secret, project.public, project.secret):
        assert track(limited, key).status_code == 200
    assert track(limited, project.public).status_code == 429
    assert track(limited, stranger.secret).status_code == 200


def test_refused_requests_count_and_tell_the_window(limited, project):
    for left in "210":
        answer = track(limited, project.secret, {})
        assert (answer.status_code, answer.headers["RateLimit-Remaining"]) == (422, left)
    assert track(limited, project.secret).status_code == 429


def test_strangers_are_not_counted(limited, project):
    for _ in range(5):
        answer = track(limited, "sk_unknown")
        assert (answer.status_code, "RateLimit-Limit" in answer.headers) == (401, False)
    assert track(limited, project.secret).headers["RateLimit-Remaining"] == "2"


def test_a_refusal_spends_no_idempotency_key(limited, project, sessions):
    for _ in range(3):
        track(limited, project.secret)
    answer = track(limited, project.secret, **{"Idempotency-Key": "k"})
    assert answer.status_code == 429
    with transaction(sessions) as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0


def test_health_is_never_limited(limited):
    assert {limited.get("/health").status_code for _ in range(5)} == {200}


def test_settings_switch_it_off(api):
    for _ in range(5):
        answer = api.post("/v1/track", TRACK)
        assert (answer.status_code, "RateLimit-Limit" in answer.headers) == (200, False)


def test_the_default_is_a_thousand_a_minute():
    assert (Settings().ratelimit_enabled, Settings().ratelimit_api) == (True, "1000 per minute")


@pytest.mark.parametrize(
    ("limit", "storage"), [("nonsense", "memory://"), ("3 per hour", "nowhere://")]
)
def test_settings_that_cannot_work_are_named(limit, storage):
    with pytest.raises(Misconfigured, match="RATELIMIT"):
        Limiter(limit, storage)


def test_a_full_window_says_how_long(app):
    limiter = Limiter("1 per hour", "memory://")
    with app.app_context():
        limiter.check("project")
        with pytest.raises(RateLimitExceeded, match="1 per 1 hour") as refused:
            limiter.check("project")
    assert refused.value.details
