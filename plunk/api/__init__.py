"""Plunk's own API: one blueprint for each noun."""

from flask import Blueprint

from plunk.api.contacts import contacts
from plunk.api.public import public
from plunk.api.system import system

BLUEPRINTS: tuple[Blueprint, ...] = (system, public, contacts)
