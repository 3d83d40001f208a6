"""Plumbing that every HTTP surface shares: authentication, bodies, errors, limits."""
