"""Template declarations → texts."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.bundle import file_reference, resolve
from dsl.decoding import decode_text
from dsl.graph import TemplateText

if TYPE_CHECKING:
    from dsl.bundle import Bundle
    from dsl.parser import Parsed


def compile_template(bundle: Bundle, file: Parsed, template: nodes.Template) -> TemplateText:
    """Return the template with its texts; those that are missing are empty."""
    fields = {pair.key.value: pair.value for pair in template.fields.pairs}
    texts = {key: text_of(bundle, file.source.path, value) for key, value in fields.items()}
    name, address = split_address(texts.get("from", ""))
    return TemplateText(
        name=template.name.value,
        type=type_of(fields.get("type")),
        subject=texts.get("subject", ""),
        body=texts.get("body", ""),
        sender=address,
        sender_name=texts.get("fromName", name or None),
        reply_to=texts.get("replyTo"),
        description=texts.get("description"),
    )


def type_of(value: nodes.Operand | None) -> str:
    """Wire spelling of a template's type."""
    match value:
        case nodes.Name(word, ()):
            return word.upper()
    return "MARKETING"


def text_of(bundle: Bundle, path: str, value: nodes.Operand) -> str:
    """Return a text as written, or the file it stands in; empty when neither."""
    match value:
        case nodes.Literal(str() as written):
            return written
    reference = file_reference(value)
    target = resolve(path, str(reference.value)) if reference else None
    return decode_text(bundle.assets.get(target or "", "")) or ""


def split_address(written: str) -> tuple[str, str]:
    """Name and address of `Ada <ada@example.com>`."""
    name, address = parseaddr(written)
    return (name, address) if "@" in address else ("", written)
