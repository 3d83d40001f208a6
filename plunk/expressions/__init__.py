"""Values computed from facts. Total, bounded, and without any input or output.

expression   scalar                         itself
             ["get", part, ...]             what stands at a path; null when nothing does
             ["list", e, ...]               an array
             ["object", [[key, e], ...]]    an object
             ["+", e, e]                    numbers add, texts concatenate, a time gets later
             ["-", e, e]                    numbers, or a time gets earlier
             ["*" | "/", e, e]              numbers
             ["neg", e]                     a number
             ["??", e, e]                   the second when the first is missing or null
             ["duration", number, unit]     only to be added to or taken from a time
             ["call", name, e, ...]         lower upper trim round length now date render secret
             ["date" | "render" | "secret", e]    the same as such a call

A time is ISO text. A date moved by whole days stays a date; everything else becomes an instant in
UTC. `secret` gives a mark that only a web hook's address, headers and body may hold.
Whatever goes wrong is an InvalidExpression that names the operation and the values.
"""

from __future__ import annotations

from plunk.expressions.evaluation import MAX_DEPTH, MAX_WORK, Facts, compute, evaluate
from plunk.expressions.secrets import Concealed, SecretName

__all__ = [
    "MAX_DEPTH",
    "MAX_WORK",
    "Concealed",
    "Facts",
    "SecretName",
    "compute",
    "evaluate",
]
