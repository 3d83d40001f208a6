"""The .flow language: parse, check, compile, decompile, format. Knows nothing of plunk."""

from __future__ import annotations

from dsl.bundle import Bundle, read_bundle
from dsl.check import check
from dsl.codes import CODES, Code
from dsl.compile import compile  # noqa: A004 - the name the language's users expect
from dsl.decompile import NotExpressible, decompile
from dsl.diagnostics import Diagnostic, Fix, Note
from dsl.format import NotFormattable, format  # noqa: A004 - the name its users expect
from dsl.graph import Compiled, TemplateText, WorkflowGraph
from dsl.loading import load_folder, load_paths
from dsl.nodes import File
from dsl.parser import Parsed, parse
from dsl.printer import print_file
from dsl.render import render
from dsl.spans import Position, Range

__all__ = [
    "CODES",
    "Bundle",
    "Code",
    "Compiled",
    "Diagnostic",
    "File",
    "Fix",
    "NotExpressible",
    "NotFormattable",
    "Note",
    "Parsed",
    "Position",
    "Range",
    "TemplateText",
    "WorkflowGraph",
    "check",
    "compile",
    "decompile",
    "format",
    "load_folder",
    "load_paths",
    "parse",
    "print_file",
    "read_bundle",
    "render",
]
