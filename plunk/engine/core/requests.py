"""Steps that ask the outside world for something: messages and web hooks."""

from __future__ import annotations

from collections.abc import Mapping

from plunk.conditions.instants import iso
from plunk.engine.core.addresses import is_address
from plunk.engine.core.effects import CallWebhook, Final, QueueEmail, Scope
from plunk.engine.core.facts import Facts, Template
from plunk.engine.core.outcomes import Done
from plunk.engine.core.steps import SendEmail, Webhook
from plunk.errors import InvalidExpression, NotFound
from plunk.expressions import Concealed, compute

CONSENT_TYPES = frozenset({"MARKETING", "HEADLESS"})
UNSUBSCRIBED = "The contact is unsubscribed; only transactional templates may be sent"


def queue_email(action: SendEmail, facts: Facts) -> Done:
    """Ask for one message; an unsubscribed contact's is refused and the run goes on."""
    template = facts.templates.get(action.template_id)
    if template is None:
        raise NotFound(action.template_id, resource=f"Template {action.template_id}")
    address = _address(action, facts)
    effect = QueueEmail(
        template_id=action.template_id,
        recipient_type=action.recipient_type,
        address=address,
        overrides=_texts(action.overrides, facts),
        refusal=_refusal(action, template, facts),
        scope=_scope(facts),
    )
    output = {"recipientType": action.recipient_type, "recipientEmail": address}
    return Done(output, effects=(effect,))


def _address(action: SendEmail, facts: Facts) -> str:
    if action.recipient_type == "CONTACT":
        return facts.contact.email
    address = compute(action.address, facts)
    if not isinstance(address, str) or not is_address(address):
        raise InvalidExpression(f"the recipient {address!r} is not an e-mail address")
    return address


def _refusal(action: SendEmail, template: Template, facts: Facts) -> str | None:
    needs_consent = action.recipient_type == "CONTACT" and template.type in CONSENT_TYPES
    return UNSUBSCRIBED if needs_consent and not facts.contact.subscribed else None


def call_webhook(action: Webhook, facts: Facts) -> CallWebhook:
    """Ask for one call."""
    body = Final(_description(facts)) if action.body is None else action.body
    return CallWebhook(
        url=_text("url", action.url, facts, may_conceal=True),
        method=action.method,
        headers=_texts(action.headers, facts, may_conceal=True),
        body=compute(body, facts, Final, may_conceal=True),
        retry=action.retry,
        scope=_scope(facts),
    )


def _description(facts: Facts) -> dict[str, object]:
    """Return the body of a call that configures none."""
    contact, run = facts.contact, facts.run
    return {
        "contact": {
            "email": contact.email,
            "subscribed": contact.subscribed,
            "data": contact.data,
        },
        "workflow": {"id": run and run.workflow_id, "name": facts.workflow_name},
        "execution": {"id": run and run.id, "startedAt": run and iso(run.started_at)},
        "event": facts.event,
    }


def _texts(
    configured: Mapping[str, object], facts: Facts, *, may_conceal: bool = False
) -> dict[str, object]:
    return {
        name: _text(name, value, facts, may_conceal=may_conceal)
        for name, value in configured.items()
    }


def _text(name: str, configured: object, facts: Facts, *, may_conceal: bool = False) -> object:
    if isinstance(configured, str):
        return configured
    value = compute(configured, facts, may_conceal=may_conceal)
    if not isinstance(value, str | Concealed):
        raise InvalidExpression(f"{name} must be text, not {value!r}")
    return Final(value)


def _scope(facts: Facts) -> Scope:
    return Scope(facts.contact, facts.event, facts.variables)
