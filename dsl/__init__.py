"""The .flow language: parse, check, compile, decompile, format. Knows nothing of plunk."""

from __future__ import annotations

from dsl.bundle import Bundle, read_bundle
from dsl.canonical import config_form, same_graph, segment_form
from dsl.check import check
from dsl.codes import CODES, Code
from dsl.compile import compile, step_places, trigger_step  # noqa: A004 - the name its users expect
from dsl.condition_text import read_condition, write_condition
from dsl.decompile import NotExpressible, decompile, header_lines
from dsl.diagnostics import Diagnostic, Fix, Note
from dsl.explaining import Page, explain, nearest_codes
from dsl.format import NotFormattable, format  # noqa: A004 - the name its users expect
from dsl.graph import Compiled, Headers, SegmentText, Step, TemplateText, WorkflowGraph
from dsl.loading import load_folder, load_paths
from dsl.nodes import File
from dsl.parser import Parsed, parse
from dsl.printer import print_file
from dsl.references import references
from dsl.refusals import refused
from dsl.render import render
from dsl.spans import Position, Range
from dsl.statement_text import statement_lines

__all__ = [
    "CODES",
    "Bundle",
    "Code",
    "Compiled",
    "Diagnostic",
    "File",
    "Fix",
    "Headers",
    "NotExpressible",
    "NotFormattable",
    "Note",
    "Page",
    "Parsed",
    "Position",
    "Range",
    "SegmentText",
    "Step",
    "TemplateText",
    "WorkflowGraph",
    "check",
    "compile",
    "config_form",
    "decompile",
    "explain",
    "format",
    "header_lines",
    "load_folder",
    "load_paths",
    "nearest_codes",
    "parse",
    "print_file",
    "read_bundle",
    "read_condition",
    "references",
    "refused",
    "render",
    "same_graph",
    "segment_form",
    "statement_lines",
    "step_places",
    "trigger_step",
    "write_condition",
]
