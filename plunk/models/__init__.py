"""The tables, one module for each noun."""

from plunk.models.contact import Contact
from plunk.models.email import AttachmentSet, Email
from plunk.models.event import Event
from plunk.models.execution import Execution, StepExecution
from plunk.models.idempotency import IdempotencyKey
from plunk.models.project import Project
from plunk.models.record import Record
from plunk.models.template import Template
from plunk.models.webhook import WebhookCall
from plunk.models.workflow import Revision, Step, Transition, Trigger, Workflow

__all__ = [
    "AttachmentSet",
    "Contact",
    "Email",
    "Event",
    "Execution",
    "IdempotencyKey",
    "Project",
    "Record",
    "Revision",
    "Step",
    "StepExecution",
    "Template",
    "Transition",
    "Trigger",
    "WebhookCall",
    "Workflow",
]
