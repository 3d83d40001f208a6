"""The bundle around one document: the files of its folder, as they stand in the editor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

import dsl
from plunk.editing.positions import Positions
from plunk.editing.sites import Site

UNSAVED = "untitled.flow"  # what a document without a file is called among its own


class Workspace:
    """The bundle around one document; one that has no file yet is a bundle of its own."""

    def __init__(self, server: LanguageServer, uri: str) -> None:
        self.codec = server.workspace.position_codec
        self.own_uri = uri
        path = _path(uri)
        self.root = _root(server, path) if path else None
        self.file = path.relative_to(self.root).as_posix() if path and self.root else UNSAVED
        self.bundle = dsl.read_bundle(dict(self._files(server)))

    @property
    def is_known(self) -> bool:
        """Whether there is such a document, and it is a .flow file."""
        return any(one.source.path == self.file for one in self.bundle.files)

    @property
    def own_places(self) -> Positions:
        """The places of the document itself."""
        return self.places(self.file)

    def places(self, file: str) -> Positions:
        """Return the places of one of the .flow files."""
        found = next(one.source for one in self.bundle.files if one.source.path == file)
        return Positions(found, self.codec)

    def offset(self, place: types.Position) -> int:
        """Return where a position is in the document."""
        return self.own_places.offset(place)

    def uri(self, file: str) -> str:
        """Return the address of a file."""
        if self.root is None:
            return self.own_uri
        return uris.from_fs_path(str(self.root / file)) or file

    def location(self, site: Site) -> types.Location:
        """Return where something is named."""
        return types.Location(self.uri(site.file), self.places(site.file).of_span(site.span))

    def _files(self, server: LanguageServer) -> Iterator[tuple[str, str | bytes]]:
        """Yield what is stored, then what stands in the editor, which counts."""
        documents = server.workspace.text_documents
        if self.root is None:
            if self.own_uri in documents:
                yield self.file, documents[self.own_uri].source
            return
        yield from _stored(self.root)
        for document in documents.values():
            opened = _path(document.uri)
            if opened and opened.is_relative_to(self.root):
                yield opened.relative_to(self.root).as_posix(), document.source


def _path(uri: str) -> Path | None:
    """Return the file that an address names, if it names one."""
    found = uris.to_fs_path(uri)
    return Path(found) if found else None


def _root(server: LanguageServer, path: Path) -> Path:
    folders = [_path(one.uri) for one in server.workspace.folders.values()]
    around = [folder for folder in folders if folder and path.is_relative_to(folder)]
    return max(around, key=lambda folder: len(folder.parts), default=path.parent)


def _stored(root: Path) -> Iterator[tuple[str, bytes]]:
    try:
        yield from dsl.load_folder(root).items()
    except (OSError, ValueError):
        return
