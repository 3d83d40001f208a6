"""The files that belong together: one namespace for all their declarations."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dsl import nodes
from dsl.parser import Parsed, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Declared = TypeVar("_Declared", nodes.Workflow, nodes.Template, nodes.Segment, nodes.TestBlock)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The .flow files, parsed, and the other files they may refer to."""

    files: tuple[Parsed, ...]
    assets: Mapping[str, str | bytes]

    def declared(self, kind: type[_Declared]) -> Iterator[tuple[Parsed, _Declared]]:
        """All declarations of one kind, each with the file it stands in."""
        for file in self.files:
            for found in file.file.declarations:
                if isinstance(found, kind):
                    yield file, found

    def workflows(self) -> Iterator[tuple[Parsed, nodes.Workflow]]:
        """All workflows, each with the file it stands in."""
        return self.declared(nodes.Workflow)

    def templates(self) -> Iterator[tuple[Parsed, nodes.Template]]:
        """All templates, each with the file it stands in."""
        return self.declared(nodes.Template)

    def segments(self) -> Iterator[tuple[Parsed, nodes.Segment]]:
        """All segments, each with the file it stands in."""
        return self.declared(nodes.Segment)

    def tests(self) -> Iterator[tuple[Parsed, nodes.TestBlock]]:
        """All tests, each with the file it stands in."""
        return self.declared(nodes.TestBlock)


def read_bundle(files: Mapping[str, str | bytes]) -> Bundle:
    """Parse every file ending in .flow; the others may be referred to by file("…")."""
    flows = tuple(parse(files[path], path) for path in sorted(files) if is_flow(path))
    return Bundle(flows, {path: text for path, text in files.items() if not is_flow(path)})


def is_flow(path: str) -> bool:
    """Whether the path names a .flow file."""
    return path.endswith(".flow")


def resolve(path: str, reference: str) -> str | None:
    """Path in the bundle of a file referred to from another; None when it is outside."""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))
    outside = joined.startswith(("/", "../")) or joined == ".." or "\0" in joined
    return None if outside or posixpath.isabs(reference) else joined


def file_references(file: nodes.File) -> Iterator[nodes.Literal]:
    """Yield the paths in all file("…") of a file's templates."""
    for found in file.declarations:
        for pair in found.fields.pairs if isinstance(found, nodes.Template) else ():
            reference = file_reference(pair.value)
            if reference:
                yield reference


def file_reference(value: nodes.Operand) -> nodes.Literal | None:
    """Return the path in file("path"), if the value is one."""
    match value:
        case nodes.Call(nodes.Text("file"), (nodes.Literal(str()) as path,)):
            return path
    return None
