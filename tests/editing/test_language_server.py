"""`plunk lsp` as an editor uses it: a process that answers on standard output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

FLOW = """template "welcome" {
  type: marketing
  subject: "Hi"
  from: "ada@example.com"
  body: "<p>Hi</p>"
}

segment "VIP" {
  static
}

workflow "Onboarding" {
  on event "signed_up"

  @start wait 1 day
  send email "welcome"
  # an emoji 🙂 counts as two UTF-16 units
  if event.note == "🙂" { goto @start }
  add to segment "VIP"
  update contact { plan: "pro" }
  if contact.data.plan == "pro" {
    exit "done"
  }
}

test "t" {
  workflow "Onboarding"
  contact { email: "ada@example.com" }
  track "signed_up"
  expect waiting at @start
}
"""


@dataclass
class Editor:
    """One editor with one file open."""

    client: LanguageClient
    folder: Path
    published: dict[str, list[types.Diagnostic]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    unsaved: types.TextDocumentIdentifier | None = None

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return self.unsaved or types.TextDocumentIdentifier((self.folder / "a.flow").as_uri())

    def open(self, text: str) -> None:
        item = types.TextDocumentItem(self.document.uri, "flow", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, text: str) -> None:
        change = types.TextDocumentContentChangeWholeDocument(text)
        place = types.VersionedTextDocumentIdentifier(2, self.document.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(place, [change]))

    async def diagnostics(self) -> list[types.Diagnostic]:
        """Wait for the next diagnostics of the file."""
        await asyncio.wait_for(self.news.wait(), 30)
        self.news.clear()
        return self.published[self.document.uri]


def at(text: str, piece: str, *, nth: int = 0, within: int = 1) -> types.Position:
    """Return the place of a piece of the text, as an editor counts."""
    offset = -1
    for _ in range(nth + 1):
        offset = text.index(piece, offset + 1)
    before = text[: offset + within]
    line = before.count("\n")
    column = len(before.rpartition("\n")[2].encode("utf-16-le")) // 2
    return types.Position(line, column)


def with_editor(folder: Path, use: Callable[[Editor], Awaitable[None]]) -> None:
    """Start the server, let the test use it, and see that it ends as it is told."""

    async def run() -> None:
        client = LanguageClient("test", "1")
        editor = Editor(client, folder)

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            editor.published[params.uri] = list(params.diagnostics)
            if params.uri == editor.document.uri:
                editor.news.set()

        await client.start_io(sys.executable, "-m", "plunk.cli", "lsp")
        root = types.WorkspaceFolder(folder.as_uri(), "flows")
        await client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(), workspace_folders=[root]
            )
        )
        client.initialized(types.InitializedParams())
        await use(editor)
        await client.shutdown_async(None)
        client.exit(None)
        await asyncio.wait_for(client.stop(), 30)

    asyncio.run(run())


def test_squiggles_come_and_go(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open(FLOW.replace('exit "done"', 'exitt "done"'))
        (found,) = await editor.diagnostics()
        assert found.code == "FLOW-E110"
        assert found.range.start.line == FLOW[: FLOW.index("exit")].count("\n")
        params = types.CodeActionParams(editor.document, found.range, types.CodeActionContext([]))
        (action,) = await editor.client.text_document_code_action_async(params) or []
        assert isinstance(action, types.CodeAction)
        assert action.title.startswith("write exit")
        editor.change(FLOW)
        assert await editor.diagnostics() == []

    with_editor(tmp_path, use)


def test_other_files_of_the_folder_count(tmp_path: Path) -> None:
    head, _, rest = FLOW.partition("segment")
    (tmp_path / "templates.flow").write_text(head)

    async def use(editor: Editor) -> None:
        editor.open("segment" + rest)
        assert await editor.diagnostics() == []
        place = at("segment" + rest, '"welcome"')
        params = types.DefinitionParams(editor.document, place)
        found: Any = await editor.client.text_document_definition_async(params)
        assert [one.uri for one in found] == [(tmp_path / "templates.flow").as_uri()]

    with_editor(tmp_path, use)


def test_places_are_found_renamed_and_explained(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        client, document = editor.client, editor.document
        editor.open(FLOW)
        await editor.diagnostics()
        goto = at(FLOW, "goto @start", within=7)
        (label,) = await client.text_document_definition_async(
            types.DefinitionParams(document, goto)
        )  # type: ignore[misc] # a list
        assert label.range.start == at(FLOW, "@start", within=0)
        edit = await client.text_document_rename_async(types.RenameParams(document, goto, "begin"))
        assert edit
        assert edit.changes
        (edits,) = edit.changes.values()
        assert [one.new_text for one in edits] == ["@begin"] * 3
        assert edits[1].range.start == at(FLOW, "goto @start", within=5)
        hover = await client.text_document_hover_async(
            types.HoverParams(document, at(FLOW, '"welcome"', nth=1))
        )
        assert hover
        assert "subject: Hi" in hover.contents.value  # type: ignore[union-attr] # Markdown
        places = await client.text_document_references_async(
            types.ReferenceParams(
                types.ReferenceContext(include_declaration=True), document, at(FLOW, '"VIP"')
            )
        )
        assert places
        assert len(places) == 2

    with_editor(tmp_path, use)


def test_a_mistake_is_explained_where_it_is(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        text = FLOW.replace("wait 1 day", "wait 0 days")
        editor.open(text)
        await editor.diagnostics()
        for place, is_explained in [(at(text, "0 days"), True), (at(text, "update"), False)]:
            hover: Any = await editor.client.text_document_hover_async(
                types.HoverParams(editor.document, place)
            )
            assert ("FLOW-E307" in hover.contents.value) == is_explained

    with_editor(tmp_path, use)


def test_a_rename_that_cannot_be_is_refused(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open(FLOW)
        await editor.diagnostics()
        for place, name, reason in [
            (at(FLOW, '"VIP"'), "x", "Only labels"),
            (at(FLOW, "@start"), "a b", "letters"),
        ]:
            params = types.RenameParams(editor.document, place, name)
            with pytest.raises(Exception, match=reason):
                await editor.client.text_document_rename_async(params)

    with_editor(tmp_path, use)


FORMAT = types.FormattingOptions(2, insert_spaces=True)


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "file:///nowhere/a.flow", "file:///nowhere/a.html", "odd", ""]
)
def test_nothing_is_known_of_what_is_not_open(tmp_path: Path, uri: str) -> None:
    async def use(editor: Editor) -> None:
        client, document = editor.client, types.TextDocumentIdentifier(uri)
        here = types.Position(0, 0)
        around = types.Range(here, here)
        context = types.CodeActionContext([])
        for found in (
            await client.text_document_hover_async(types.HoverParams(document, here)),
            await client.text_document_definition_async(types.DefinitionParams(document, here)),
            await client.text_document_rename_async(types.RenameParams(document, here, "x")),
            await client.text_document_references_async(
                types.ReferenceParams(
                    types.ReferenceContext(include_declaration=True), document, here
                )
            ),
            await client.text_document_code_action_async(
                types.CodeActionParams(document, around, context)
            ),
            await client.text_document_formatting_async(
                types.DocumentFormattingParams(document, FORMAT)
            ),
            await client.text_document_document_symbol_async(types.DocumentSymbolParams(document)),
        ):
            assert not found
        completed: Any = await client.text_document_completion_async(
            types.CompletionParams(document, here)
        )
        assert not completed.items

    with_editor(tmp_path, use)


def test_a_document_without_a_file_is_a_bundle_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "other.flow").write_text(FLOW)

    async def use(editor: Editor) -> None:
        client = editor.client
        document = editor.unsaved = types.TextDocumentIdentifier("untitled:Untitled-1")
        text = FLOW.replace("  static", "static").replace("wait 1 day", "wait 0 days")
        editor.open(text)
        (found,) = await editor.diagnostics()
        assert found.code == "FLOW-E307"
        hover: Any = await client.text_document_hover_async(
            types.HoverParams(document, at(text, '"welcome"', nth=1))
        )
        assert "subject: Hi" in hover.contents.value
        (place,) = await client.text_document_definition_async(
            types.DefinitionParams(document, at(text, "goto @start", within=7))
        )  # type: ignore[misc] # a list
        assert place.uri == document.uri
        params = types.DocumentFormattingParams(document, FORMAT)
        (edit,) = await client.text_document_formatting_async(params) or []
        assert "\n  static\n" in edit.new_text

    with_editor(tmp_path, use)


def test_the_outline_has_declarations_and_labelled_steps(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        text = FLOW.replace('exit "done"', '@end exit "done"')
        editor.open(text)
        await editor.diagnostics()
        found: Any = await editor.client.text_document_document_symbol_async(
            types.DocumentSymbolParams(editor.document)
        )
        assert [(one.name, one.detail) for one in found] == [
            ("welcome", "template"),
            ("VIP", "segment"),
            ("Onboarding", "workflow"),
            ("t", "test"),
        ]
        steps = found[2].children
        assert [one.name for one in steps] == ["@start", "@end"]
        for one in [*found, *steps]:
            assert one.range.start <= one.selection_range.start
            assert one.selection_range.end <= one.range.end
        assert steps[1].range.start == at(text, "@end", within=0)
        assert steps[1].range.end == at(text, '"done"', within=len('"done"'))

    with_editor(tmp_path, use)


COMPLETED = [
    ('send email "', "welcome"),
    ('add to segment "', "VIP"),
    ('track "', "email.click"),
    ('triggered "', "signed_up"),
    ("goto @", "start"),
    ("if contact.data.", "plan"),
    ("if contact.", "subscribed"),
    ("if event.", "note"),
    ("if run.", "startedAt"),
    ("sp", "split"),
]


def test_words_are_completed_and_texts_formatted(tmp_path: Path) -> None:
    async def use(editor: Editor) -> None:
        client, document = editor.client, editor.document
        editor.open(FLOW)
        await editor.diagnostics()
        for written, expected in COMPLETED:
            text = FLOW.replace('add to segment "VIP"\n', f"{written}\n", 1)
            editor.change(text)
            await editor.diagnostics()
            place = at(text, f"  {written}\n", within=2 + len(written))
            found: Any = await client.text_document_completion_async(
                types.CompletionParams(document, place)
            )
            assert expected in [one.label for one in found.items], written
        editor.change(FLOW.replace("  static", "static"))
        await editor.diagnostics()
        (edit,) = (
            await client.text_document_formatting_async(
                types.DocumentFormattingParams(document, FORMAT)
            )
            or []
        )
        assert "\n  static\n" in edit.new_text
        editor.change("workflow {")
        assert await editor.diagnostics()
        damaged = types.DocumentFormattingParams(document, FORMAT)
        assert await client.text_document_formatting_async(damaged) in ((), None)

    with_editor(tmp_path, use)
