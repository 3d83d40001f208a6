"""A typed client of Plunk's REST API.

    plunk = Client("https://plunk.example.com", "sk_…")
    plunk.track("signed_up", "ada@example.com", data={"plan": "pro"})

One client keeps its connection open; give every thread a client of its own. Answers that are
resources come back as the JSON objects that the API documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

import requests

from plunk.errors import PlunkError

Json = dict[str, Any]
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_SECONDS = 30.0
MAX_PAGE = 100
NO_CONTENT = 204


class ApiError(PlunkError):
    """The API refused the request; `status` and `code` are those of its error envelope."""

    def __init__(self, status: int, error: Json) -> None:
        message = str(error.get("message") or f"The server answered {status}.")
        details = error.get("details")
        super().__init__(message, details=details if isinstance(details, dict) else None)
        self.status = status
        self.code = str(error.get("code") or "")
        self.suggestion = error.get("suggestion")
        self.fields: list[Json] = error.get("errors") or []


class Unreachable(PlunkError):
    """No answer came, or one that is not from this API."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A stored event and the contact it belongs to."""

    contact: str
    event: str
    timestamp: str


class Client:
    """One project of one server, seen through one of its API keys."""

    def __init__(self, url: str, key: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.auth = _Bearer(key)
        if urlsplit(self._url).hostname in LOOPBACK:
            self._session.trust_env = False  # no proxy leads to this machine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def track(
        self,
        event: str,
        email: str,
        *,
        data: Mapping[str, Any] | None = None,
        subscribed: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Tracked:
        """Tell what a contact did; the contact is created when it is new."""
        body = _given(event=event, email=email, data=data, subscribed=subscribed)
        answer = self._call("POST", "/v1/track", body, idempotency_key=idempotency_key)["data"]
        return Tracked(answer["contact"], answer["event"], answer["timestamp"])

    def track_batch(
        self, events: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Json]:
        """Tell of up to 1,000 events, each an `event` and `email` with `data` and `subscribed`.

        There is one item for each: `contact` and `event`, or the `error` that kept it out.
        """
        body = {"events": [dict(event) for event in events]}
        answer = self._call("POST", "/v1/track/batch", body, idempotency_key=idempotency_key)
        results: list[Json] = answer["data"]["results"]
        return results

    def send(
        self,
        to: str | Json | Sequence[str | Json],
        *,
        subject: str | None = None,
        body: str | None = None,
        template: str | None = None,
        sender: str | Json | None = None,
        idempotency_key: str | None = None,
        **others: Any,  # noqa: ANN401 - the further fields of POST /v1/send
    ) -> list[Json]:
        """Queue a transactional message to one recipient or several; return one item for each."""
        fields = _given(to=to, subject=subject, body=body, template=template, **others)
        if sender is not None:
            fields["from"] = sender
        answer = self._call("POST", "/v1/send", fields, idempotency_key=idempotency_key)
        emails: list[Json] = answer["data"]["emails"]
        return emails

    def check(self, files: Mapping[str, str]) -> list[Json]:
        """Return the diagnostics of a bundle, checked against what the project holds."""
        diagnostics: list[Json] = self._call("POST", "/flows/check", {"files": dict(files)})[
            "diagnostics"
        ]
        return diagnostics

    def pull(self, workflows: Sequence[str] | None = None) -> Json:
        """Return the project's bundle as `files`, or that of some workflows, by id."""
        chosen = None if workflows is None else ",".join(workflows)
        return self._call("GET", "/flows/bundle", workflows=chosen)

    def plan(self, files: Mapping[str, str], in_flight: str | None = None) -> Json:
        """Return what deploying the bundle would do, and the digest that stands for it."""
        return self._call("POST", "/flows/plan", _given(files=dict(files), inFlight=in_flight))

    def deploy(
        self,
        files: Mapping[str, str],
        *,
        in_flight: str | None = None,
        plan_digest: str | None = None,
    ) -> Json:
        """Make the project what the bundle says, all or nothing; just as planned, with a digest."""
        body = _given(files=dict(files), inFlight=in_flight, planDigest=plan_digest)
        return self._call("POST", "/flows/deploy", body)

    def page_workflows(self, *, page: int = 1, size: int = MAX_PAGE, search: str = "") -> Json:
        """Return one page of the project's workflows."""
        return self._call("GET", "/workflows", page=page, pageSize=size, search=search or None)

    def find_workflow(self, name: str) -> Json | None:
        """Return the workflow of exactly this name, or None."""
        found = self.page_workflows(search=name)["data"]
        return next((workflow for workflow in found if workflow["name"] == name), None)

    def page_executions(
        self, workflow: str, *, page: int = 1, size: int = MAX_PAGE, status: str | None = None
    ) -> Json:
        """Return one page of a workflow's runs, newest first."""
        path = f"/workflows/{quote(workflow, safe='')}/executions"
        return self._call("GET", path, page=page, pageSize=size, status=status)

    def get_execution(self, workflow: str, execution: str) -> Json:
        """Return one run with its history."""
        path = f"/workflows/{quote(workflow, safe='')}/executions/{quote(execution, safe='')}"
        return self._call("GET", path)

    def repair_execution(self, workflow: str, execution: str, action: str, order: Json) -> Json:
        """Retry, skip or move one run; the order has a `reason`, and `stepId` for a move."""
        path = f"/workflows/{quote(workflow, safe='')}/executions/{quote(execution, safe='')}"
        return self._call("POST", f"{path}/{quote(action, safe='')}", order)

    def repair_executions(self, workflow: str, **order: Any) -> Json:  # noqa: ANN401 - of the body
        """Retry, skip or move one batch of a workflow's runs, or count them with `dryRun`."""
        path = f"/workflows/{quote(workflow, safe='')}/executions/repair"
        return self._call("POST", path, _given(**order))

    def get_workflow(self, workflow: str) -> Json:
        """Return one workflow with its steps."""
        return self._call("GET", f"/workflows/{quote(workflow, safe='')}")

    def page_contacts(self, *, cursor: str | None = None, limit: int = MAX_PAGE) -> Json:
        """Return one page of contacts; pass its `cursor` on for the next one."""
        return self._call("GET", "/contacts", cursor=cursor, limit=limit)

    def contacts(self) -> Iterator[Json]:
        """Yield every contact of the project."""
        page = self.page_contacts()
        yield from page["data"]
        while cursor := page.get("cursor"):
            page = self.page_contacts(cursor=cursor)
            yield from page["data"]

    def get_contact(self, contact: str) -> Json:
        """Return one contact."""
        return self._call("GET", f"/contacts/{quote(contact, safe='')}")

    def save_contact(
        self, email: str, *, data: Mapping[str, Any] | None = None, subscribed: bool | None = None
    ) -> Json:
        """Create the contact, or merge into the one that has this address."""
        return self._call(
            "POST", "/contacts", _given(email=email, data=data, subscribed=subscribed)
        )

    def set_secret(self, name: str, value: str) -> Json:
        """Store a secret, or replace its value."""
        return self._call("PUT", f"/secrets/{quote(name, safe='')}", {"value": value})

    def list_secrets(self) -> list[Json]:
        """Return the project's secrets, without their values."""
        secrets: list[Json] = self._call("GET", "/secrets")["secrets"]
        return secrets

    def delete_secret(self, name: str) -> None:
        """Delete a secret."""
        self._call("DELETE", f"/secrets/{quote(name, safe='')}")

    def is_up(self) -> bool:
        """Tell whether the server answers and reaches its database."""
        try:
            return self._call("GET", "/health").get("status") == "ok"
        except PlunkError:
            return False

    def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        idempotency_key: str | None = None,
        **query: str | int | None,
    ) -> Json:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        try:
            response = self._session.request(
                method,
                self._url + path,
                json=body,
                params=query,
                headers=headers,
                timeout=self._timeout,
            )
        except (requests.RequestException, UnicodeError) as error:
            raise Unreachable(f"{self._url} does not answer: {_reason(error)}") from error
        return self._read(response)

    def _read(self, response: requests.Response) -> Json:
        if response.status_code == NO_CONTENT:
            return {}
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(
                f"{self._url} answered {response.status_code} without JSON: it is no Plunk API."
            )
        if not response.ok:
            error = answer.get("error")
            raise ApiError(response.status_code, error if isinstance(error, dict) else {})
        return answer


class _Bearer(requests.auth.AuthBase):
    """Sends the key, and keeps requests from replacing it by what a .netrc file says."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _given(**fields: Any) -> Json:  # noqa: ANN401 - values of a JSON body
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def _reason(error: Exception) -> str:
    """Return the short reason out of the nested texts of requests and urllib3."""
    match error:
        case requests.ConnectTimeout() | requests.ReadTimeout():
            return "it took too long"
        case requests.exceptions.SSLError():
            return "its TLS certificate cannot be verified"
        case requests.ConnectionError():
            return "the connection failed"
    return " ".join(str(error).split())[:200]
