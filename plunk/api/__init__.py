"""Plunk's own API: one blueprint for each noun."""

from flask import Blueprint

from plunk.api.contacts import contacts
from plunk.api.docs import docs
from plunk.api.executions import executions
from plunk.api.flows import flows
from plunk.api.metrics import metrics
from plunk.api.public import public
from plunk.api.secrets import secrets
from plunk.api.segments import segments
from plunk.api.system import system
from plunk.api.templates import templates
from plunk.api.workflows import workflows

BLUEPRINTS: tuple[Blueprint, ...] = (
    system,
    public,
    contacts,
    templates,
    workflows,
    executions,
    flows,
    segments,
    secrets,
    metrics,
    docs,
)
