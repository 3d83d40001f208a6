"""A segment's condition as SQL over contacts, for SQLite and PostgreSQL."""

from __future__ import annotations

from plunk.conditions.sql.builder import matches_sql
from plunk.conditions.sql.scope import Constants, Scope

__all__ = ["Constants", "Scope", "matches_sql"]
