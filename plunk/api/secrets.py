"""Secrets of a project: set, listed by name, and deleted; their values are never shown."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.http.runtime import runtime
from plunk.schemas.secrets import SecretListOut, SecretOut, SecretValueIn
from plunk.services import secrets as service
from plunk.services.secrets import SecretValue

secrets = Blueprint("secrets", __name__)


@endpoint(secrets, "/secrets", method="GET", spec=Spec(answers={200: SecretListOut()}))
def list_secrets(call: Call) -> Answer:
    """List the names of the project's secrets."""
    return {"secrets": service.listed(call.session, call.project.id)}, 200


@endpoint(
    secrets,
    "/secrets/<secret_name>",
    method="PUT",
    spec=Spec(body=SecretValueIn(), answers={201: SecretOut(), 200: SecretOut()}),
)
def set_secret(call: Call, secret_name: str, *, body: SecretValue) -> Answer:
    """Store a secret, or replace its value; workflows use it as `secret("NAME")`."""
    saved, is_new = service.save(
        call.session, call.project.id, secret_name, body, seal=runtime().seal, now=call.now
    )
    return saved, 201 if is_new else 200


@endpoint(secrets, "/secrets/<secret_name>", method="DELETE", spec=Spec(answers={204: None}))
def delete_secret(call: Call, secret_name: str) -> Answer:
    """Delete a secret; web hooks that need it fail from then on."""
    service.remove(call.session, call.project.id, secret_name)
    return None, 204
