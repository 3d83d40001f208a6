"""Keys and sealed values: a copied database discloses nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from plunk.db import transaction
from plunk.errors import Misconfigured
from plunk.models import Project
from plunk.security import Seal, key_hash
from plunk.services import projects
from plunk.services.projects import NewProject
from tests.conftest import SECRET, Api

SEAL = Seal(SECRET)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_sealed_text_can_be_opened_again(text: str) -> None:
    assert SEAL.open(SEAL.close(text)) == text


def test_sealing_twice_looks_different() -> None:
    assert SEAL.close("sk_1") != SEAL.close("sk_1")


def test_another_secret_key_opens_nothing() -> None:
    with pytest.raises(Misconfigured, match="SECRET_KEY"):
        Seal("another secret, just as long").open(SEAL.close("sk_1"))


@pytest.mark.parametrize("broken", ["", "no token", "gAAAAABrAPkQ", "\0", "ä"])
def test_what_was_not_sealed_cannot_be_opened(broken: str) -> None:
    with pytest.raises(Misconfigured):
        SEAL.open(broken)


def test_a_damaged_seal_stays_shut() -> None:
    with pytest.raises(Misconfigured):
        SEAL.open(SEAL.close("sk_1")[:-4])


def test_hashes_are_stable_and_take_any_text() -> None:
    assert key_hash("sk_1") == key_hash("sk_1") != key_hash("sk_2")
    assert len(key_hash("\ud800")) == 64


def test_keys_are_stored_hashed_and_sealed(
    project: NewProject, sessions: sessionmaker[Session]
) -> None:
    with transaction(sessions) as session:
        row = session.execute(select(Project.__table__)).one()
    stored = " ".join(str(value) for value in row)
    for key in (project.public, project.secret):
        assert key not in stored
        assert key.partition("_")[2] not in stored
    assert row.secret_hash == key_hash(project.secret)
    assert SEAL.open(row.secret_sealed) == project.secret
    assert SEAL.open(row.public_sealed) == project.public


def test_projects_are_found_by_either_key_and_by_nothing_else(
    project: NewProject, stranger: NewProject, sessions: sessionmaker[Session]
) -> None:
    with transaction(sessions) as session:
        secret = projects.find_by_key(session, project.secret)
        public = projects.find_by_key(session, project.public)
        assert secret is not None
        assert public is not None
        assert (secret.id, secret.key_kind) == (project.id, "secret")
        assert (public.id, public.key_kind) == (project.id, "public")
        assert stranger.id != project.id
        for wrong in ("", "sk_", project.secret[:-1], project.secret.upper(), "\ud800"):
            assert projects.find_by_key(session, wrong) is None


def test_answers_never_show_a_key(api: Api, project: NewProject) -> None:
    for path in ("/contacts", "/health", "/config", "/openapi.json", "/nowhere"):
        shown = api.get(path).text
        assert project.secret not in shown
        assert project.public not in shown
