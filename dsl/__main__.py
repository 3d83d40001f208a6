"""Command line: python -m dsl check|fmt|compile PATHS."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dsl.bundle import Bundle, read_bundle
from dsl.check import check
from dsl.compile import compile  # noqa: A004 - the name the language's users expect
from dsl.format import NotFormattable, format_parsed
from dsl.loading import load_paths
from dsl.render import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsl.diagnostics import Diagnostic


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 when there are errors."""
    parser = argparse.ArgumentParser(prog="dsl", description="The .flow language.")
    parser.add_argument("command", choices=("check", "fmt", "compile"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="diagnostics as JSON")
    options = parser.parse_args(arguments)
    bundle = read_bundle(load_paths(options.paths))
    if options.command == "fmt":
        return _format(bundle)
    diagnostics = check(bundle)
    failed = any(diagnostic.is_error for diagnostic in diagnostics)
    if options.command == "compile" and not failed:
        print(json.dumps(compile(bundle).to_json(), indent=2, ensure_ascii=False))  # noqa: T201
        return 0
    _show(bundle, diagnostics, as_json=options.json)
    return int(failed)


def _show(bundle: Bundle, diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    if as_json:
        found = [diagnostic.to_json() for diagnostic in diagnostics]
        print(json.dumps({"diagnostics": found}, indent=2))  # noqa: T201 - its output
        return
    texts = {file.source.path: file.source.text for file in bundle.files}
    for diagnostic in diagnostics:
        print(render(diagnostic, texts[diagnostic.file]))  # noqa: T201 - its output


def _format(bundle: Bundle) -> int:
    """Rewrite the files that can be read; report the others."""
    failed = False
    for parsed in bundle.files:
        try:
            Path(parsed.source.path).write_text(format_parsed(parsed), encoding="utf-8")
        except NotFormattable as error:
            failed = True
            _show(bundle, error.diagnostics, as_json=False)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
