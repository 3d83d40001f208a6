"""Templates over HTTP."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.templates import (
    TemplateBulkIn,
    TemplateBulkOut,
    TemplateChangeIn,
    TemplateDraftIn,
    TemplateOut,
    TemplatePageOut,
    TemplateQueryIn,
    TemplateUsageOut,
)
from plunk.services import templates as service
from plunk.services.templates import BulkRequest, TemplateChange, TemplateDraft, TemplateQuery

templates = Blueprint("templates", __name__)


@endpoint(
    templates,
    "/templates",
    method="GET",
    spec=Spec(query=TemplateQueryIn(), answers={200: TemplatePageOut()}, errors=(400,)),
)
def list_templates(call: Call, *, query: TemplateQuery) -> Answer:
    """List templates, newest first unless told otherwise."""
    return service.page(call.session, call.project.id, query), 200


@endpoint(
    templates,
    "/templates",
    method="POST",
    spec=Spec(body=TemplateDraftIn(), answers={201: TemplateOut()}),
)
def create_template(call: Call, *, body: TemplateDraft) -> Answer:
    """Create a template; its subject and body must be correct Liquid."""
    return service.create(call.session, call.project.id, body, now=call.now), 201


@endpoint(
    templates,
    "/templates/bulk-update",
    method="POST",
    spec=Spec(body=TemplateBulkIn(), answers={200: TemplateBulkOut()}, errors=(404, 409)),
)
def update_templates(call: Call, *, body: BulkRequest) -> Answer:
    """Delete up to 1,000 templates, or none when one of them is unknown or in use."""
    return service.update_all(call.session, call.project.id, body), 200


@endpoint(
    templates, "/templates/<template_id>", method="GET", spec=Spec(answers={200: TemplateOut()})
)
def show_template(call: Call, template_id: str) -> Answer:
    """Return one template."""
    return service.get(call.session, call.project.id, template_id), 200


@endpoint(
    templates,
    "/templates/<template_id>",
    method="PATCH",
    spec=Spec(body=TemplateChangeIn(), answers={200: TemplateOut()}),
)
def change_template(call: Call, template_id: str, *, body: TemplateChange) -> Answer:
    """Change some of a template's fields."""
    return service.change(call.session, call.project.id, template_id, body, now=call.now), 200


@endpoint(
    templates,
    "/templates/<template_id>",
    method="DELETE",
    spec=Spec(answers={204: None}, errors=(409,)),
)
def delete_template(call: Call, template_id: str) -> Answer:
    """Delete a template that no workflow step uses; sent e-mails stay as they are."""
    service.remove(call.session, call.project.id, template_id)
    return None, 204


@endpoint(
    templates,
    "/templates/<template_id>/duplicate",
    method="POST",
    spec=Spec(answers={201: TemplateOut()}),
)
def duplicate_template(call: Call, template_id: str) -> Answer:
    """Create a copy of a template, named after it."""
    return service.duplicate(call.session, call.project.id, template_id, now=call.now), 201


@endpoint(
    templates,
    "/templates/<template_id>/usage",
    method="GET",
    spec=Spec(answers={200: TemplateUsageOut()}),
)
def show_template_usage(call: Call, template_id: str) -> Answer:
    """Count the workflow steps that use a template and the e-mails made from it."""
    return service.usage(call.session, call.project.id, template_id), 200
