"""The language server: the protocol on one side, the questions about a bundle on the other."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

import dsl
from plunk.editing import features
from plunk.editing.completion import Suggestion, complete
from plunk.editing.outline import Entry, outline
from plunk.editing.workspace import Workspace

SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}


KINDS = {
    "workflow": types.SymbolKind.Function,
    "template": types.SymbolKind.String,
    "segment": types.SymbolKind.Array,
    "test": types.SymbolKind.Event,
    "step": types.SymbolKind.Key,
}


def create_server() -> LanguageServer:
    """Return a server that is ready to be started on standard input or a socket."""
    server = LanguageServer("plunk", version("plunk-py"))
    _serve_diagnostics(server)
    _serve_places(server)
    _serve_text(server)
    return server


def _serve_diagnostics(server: LanguageServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        _publish(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        _publish(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        _publish(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        here = Workspace(server, params.text_document.uri)
        return _fixes(here, params) if here.is_known else []


def _serve_places(server: LanguageServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> list[types.Location]:
        here = Workspace(server, params.text_document.uri)
        if not here.is_known:
            return []
        found = features.definitions(here.bundle, here.file, here.offset(params.position))
        return [here.location(site) for site in found]

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        here = Workspace(server, params.text_document.uri)
        if not here.is_known:
            return []
        found = features.references(here.bundle, here.file, here.offset(params.position))
        return [here.location(site) for site in found]

    @server.feature(types.TEXT_DOCUMENT_RENAME)
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        here = Workspace(server, params.text_document.uri)
        if not here.is_known:
            return None
        at = here.offset(params.position)
        try:
            edits = features.rename(here.bundle, here.file, at, params.new_name)
        except ValueError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        return types.WorkspaceEdit(changes=_changes(here, edits))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        here = Workspace(server, params.text_document.uri)
        return [_symbol(here, one) for one in outline(here.bundle, here.file)]


def _serve_text(server: LanguageServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        here = Workspace(server, params.text_document.uri)
        if not here.is_known:
            return None
        found = features.hover(here.bundle, here.file, here.offset(params.position))
        markdown = types.MarkupKind.Markdown
        return types.Hover(types.MarkupContent(markdown, found)) if found else None

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=['"', ".", "@"]),
    )
    def completion(params: types.CompletionParams) -> types.CompletionList:
        here = Workspace(server, params.text_document.uri)
        offset = here.offset(params.position) if here.is_known else None
        found = [] if offset is None else complete(here.bundle, here.file, offset)
        return types.CompletionList(is_incomplete=False, items=_items(found))

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        here = Workspace(server, params.text_document.uri)
        if not here.is_known:
            return []
        places = here.own_places
        try:
            text = dsl.format(places.source.text, here.file)
        except dsl.NotFormattable:
            return []  # the mistakes are shown already; a damaged text is left alone
        is_same = text == places.source.text
        return [] if is_same else [types.TextEdit(places.whole(), text)]


def _publish(server: LanguageServer, uri: str) -> None:
    """Send the diagnostics of every file of the bundle: a change here may mend one there."""
    here = Workspace(server, uri)
    found = dsl.check(here.bundle)
    for file in here.bundle.files:
        listed = [_diagnostic(here, one) for one in found if one.file == file.source.path]
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(here.uri(file.source.path), listed)
        )


def _diagnostic(here: Workspace, one: dsl.Diagnostic) -> types.Diagnostic:
    hint = f"\n{one.hint}" if one.hint else ""
    notes = [
        types.DiagnosticRelatedInformation(
            types.Location(here.uri(note.file), here.places(note.file).of_range(note.range)),
            note.message,
        )
        for note in one.notes
    ]
    return types.Diagnostic(
        here.places(one.file).of_range(one.range),
        one.message + hint,
        severity=SEVERITIES[one.severity],
        code=one.code,
        source="plunk",
        related_information=notes,
    )


def _fixes(here: Workspace, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the certain fixes of the diagnostics in a range."""
    places, found = here.own_places, []
    for one in dsl.check(here.bundle):
        place = places.of_range(one.range) if one.file == here.file else None
        if place is None or place.end < params.range.start or params.range.end < place.start:
            continue
        for fix in one.fixes:
            edit = types.TextEdit(places.of_range(fix.range), fix.text)
            found.append(
                types.CodeAction(
                    f"{fix.title} ({one.code})",
                    kind=types.CodeActionKind.QuickFix,
                    edit=types.WorkspaceEdit(changes={params.text_document.uri: [edit]}),
                )
            )
    return found


def _symbol(here: Workspace, entry: Entry) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        entry.name,
        KINDS[entry.kind],
        here.own_places.of_span(entry.span),
        here.own_places.of_span(entry.name_span),
        detail=entry.kind,
        children=[_symbol(here, one) for one in entry.steps],
    )


def _changes(here: Workspace, edits: Iterable[features.Edit]) -> dict[str, list[types.TextEdit]]:
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        place = here.places(edit.file).of_span(edit.span)
        changes.setdefault(here.uri(edit.file), []).append(types.TextEdit(place, edit.text))
    return changes


def _items(suggestions: Iterable[Suggestion]) -> list[types.CompletionItem]:
    return [types.CompletionItem(one.word, detail=one.about or None) for one in suggestions]
