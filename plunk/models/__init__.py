"""The tables, one module for each noun."""

from plunk.models.contact import Contact
from plunk.models.conversion import Conversion
from plunk.models.email import AttachmentSet, Email
from plunk.models.event import Event
from plunk.models.execution import Execution, StepExecution
from plunk.models.idempotency import IdempotencyKey
from plunk.models.project import Project
from plunk.models.record import Record
from plunk.models.retention import RetentionWalk
from plunk.models.secret import Secret
from plunk.models.segment import Segment, SegmentMember
from plunk.models.template import Template
from plunk.models.webhook import WebhookCall
from plunk.models.workflow import Revision, Step, Transition, Trigger, Workflow

__all__ = [
    "AttachmentSet",
    "Contact",
    "Conversion",
    "Email",
    "Event",
    "Execution",
    "IdempotencyKey",
    "Project",
    "Record",
    "RetentionWalk",
    "Revision",
    "Secret",
    "Segment",
    "SegmentMember",
    "Step",
    "StepExecution",
    "Template",
    "Transition",
    "Trigger",
    "WebhookCall",
    "Workflow",
]
