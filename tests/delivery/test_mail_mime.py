"""Messages as mail programs see them: written, parsed back, compared."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.delivery import (
    Attachment,
    Disposition,
    HeaderInjection,
    Message,
    ReservedHeader,
    UnsendableMessage,
    bulk_headers,
    check_headers,
    merge_headers,
)
from plunk.delivery.addresses import UnsendableAddress
from plunk.delivery.mime import to_bytes

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PDF = Attachment("report.pdf", bytes(range(256)) * 3, "application/pdf")
LOGO = Attachment("logo.png", b"png", "image/png", "logo", Disposition.INLINE)


def build(**changes: Any) -> Message:
    """Return a message with some fields of interest."""
    fields: dict[str, Any] = {
        "message_id": "m1@plunk.test",
        "from_address": "news@plunk.test",
        "to_address": "ada@example.test",
        "subject": "Hello",
        "html": "<p>Hi</p>",
    }
    return Message(**fields | changes)


def parse(message: Message) -> EmailMessage:
    """Return what a mail program reads; every line must be one that a server takes."""
    wire = to_bytes(message, NOON)
    for line in wire.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 998
        assert line.isascii()
        assert b"\r" not in line
        assert b"\n" not in line
    return message_from_bytes(wire, _class=EmailMessage, policy=SMTP)


def shape(part: EmailMessage) -> object:
    """Return the tree of content types."""
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_subtype(), *map(shape, part.iter_parts())


def test_a_plain_message_has_all_headers_once() -> None:
    mail = parse(build(text="Hi", from_name="Plunk", to_name="Ada L"))
    assert [(name, str(value)) for name, value in mail.items()][:7] == [
        ("From", "Plunk <news@plunk.test>"),
        ("To", "Ada L <ada@example.test>"),
        ("Reply-To", "news@plunk.test"),
        ("Subject", "Hello"),
        ("Date", "Mon, 02 Mar 2026 12:00:00 +0000"),
        ("Message-ID", "<m1@plunk.test>"),
        ("MIME-Version", "1.0"),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "text/html"),
        ({"text": ""}, "text/html"),
        ({"text": "Hi"}, ("alternative", "text/plain", "text/html")),
        (
            {"text": "Hi", "attachments": (PDF,)},
            ("mixed", ("alternative", "text/plain", "text/html"), "application/pdf"),
        ),
        ({"attachments": (LOGO,)}, ("related", "text/html", "image/png")),
        (
            {"text": "Hi", "attachments": (PDF, LOGO)},
            (
                "mixed",
                ("related", ("alternative", "text/plain", "text/html"), "image/png"),
                "application/pdf",
            ),
        ),
    ],
)
def test_the_parts_are_nested_as_they_should(changes: dict[str, Any], expected: object) -> None:
    assert shape(parse(build(**changes))) == expected


def test_contents_survive() -> None:
    html = "<p>Größe 5 € 😀 " + "x" * 3000 + "</p>\n.\n..dot\nFrom here\n  trailing  \n"
    mail = parse(build(html=html, text="é\n" * 3, attachments=(PDF, LOGO)))
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert parts["text/html"].get_content().replace("\r\n", "\n") == html
    assert parts["text/plain"].get_content().split() == ["é"] * 3
    assert parts["text/html"]["Content-Transfer-Encoding"] == "quoted-printable"
    assert parts["application/pdf"].get_content() == PDF.content
    assert parts["application/pdf"].get_content_disposition() == "attachment"
    assert parts["image/png"]["Content-ID"] == "<logo>"
    assert parts["image/png"].get_content_disposition() == "inline"


def test_encoded_lines_are_short() -> None:
    body = to_bytes(build(html="é" * 5000, attachments=(PDF,)), NOON).partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("text/plain; charset=x", "text/plain"),
        ("image/svg+xml", "image/svg+xml"),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_an_attachment_keeps_a_usable_type(declared: str, sent: str) -> None:
    mail = parse(build(attachments=(Attachment("a", b"x\r\ny\xff", declared),)))
    part = next(mail.iter_attachments())
    assert part.get_content_type() == sent
    assert part.get_payload(decode=True) == b"x\r\ny\xff"


@pytest.mark.parametrize("name", ["Bericht März.pdf", 'a;b="c".txt', "名" * 80 + ".pdf", "a b.txt"])
def test_a_file_name_survives(name: str) -> None:
    mail = parse(build(attachments=(Attachment(name, b"x"),)))
    assert next(mail.iter_attachments()).get_filename() == name


def test_an_inline_part_without_id_is_an_ordinary_attachment() -> None:
    part = Attachment("a", b"x", disposition=Disposition.INLINE)
    assert shape(parse(build(attachments=(part,)))) == (
        "mixed",
        "text/html",
        "application/octet-stream",
    )


@pytest.mark.parametrize(
    "subject",
    [
        "Grüße",
        "😀" * 60,
        "a " * 300 + "b",
        "x" * 950,
        "=?utf-8?q?not_encoded?=",
        "two  spaces",
        "tab\there",
        "Ünïcödé " * 40 + "end",
        "",
    ],
)
def test_a_subject_survives(subject: str) -> None:
    assert parse(build(subject=subject))["Subject"] == subject


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Lovelace, Ada",
        'Ada "the Countess" Lovelace',
        "back\\slash",
        "Größe & Söhne, GmbH",
        "evil@other.test> <x@y.test",
        "a@b.test, c@d.test",
        "=?utf-8?q?x?=",
        "Ünï " * 30 + "end",
        "word " * 60 + "end",
        "(comment)",
        "O'Neil",
        "日本" * 40,
    ],
)
def test_a_display_name_survives_and_adds_no_address(name: str) -> None:
    # The new parser of Python 3.11 keeps spaces between encoded words; the old one knows better.
    mail = message_from_bytes(to_bytes(build(from_name=name, to_name=name), NOON))
    for header, address in (("From", "news@plunk.test"), ("To", "ada@example.test")):
        ((label, found),) = getaddresses([mail[header].replace("\r\n", "")])
        assert (str(make_header(decode_header(label))), found) == (name, address)


def test_an_international_domain_travels_in_ascii() -> None:
    mail = parse(build(to_address="ada@größe.example"))
    assert mail["To"] == "ada@xn--gre-6ka8i.example"


@pytest.mark.parametrize(
    "address",
    [
        "no-at.test",
        "@x.test",
        "a@",
        "jörg@x.test",
        "a b@x.test",
        "a@x.test>",
        "a@x.test\r\nBcc: b@x.test",
        "a,b@x.test",
        "<a@x.test>",
        "a..b@x.test",
        "a@x..test",
        "a@-x.test",
        "a@[1.2.3.4]",
        "a@b@x.test",
        '"a b"@x.test',
        "a" * 250 + "@x.test",
        "a@\u2028x.test",
    ],
)
def test_an_impossible_address_is_refused(address: str) -> None:
    for field in ("from_address", "to_address", "reply_to"):
        with pytest.raises(UnsendableAddress):
            to_bytes(build(**{field: address}), NOON)


@pytest.mark.parametrize("address", ["o'neil+tag@x.local", "a_b-c.d@x-y.test", "a@localhost"])
def test_a_usual_address_passes(address: str) -> None:
    assert parse(build(to_address=address))["To"] == address


def test_callers_headers_replace_ours_and_keep_their_spelling() -> None:
    headers = (("reply-TO", "Jörg <j@x.test>"), ("X-Camp", "ä"), ("subject", "Other"))
    mail = parse(build(headers=headers, reply_to="r@x.test"))
    assert mail.get_all("Reply-To") == ["Jörg <j@x.test>"]
    assert mail["Reply-To"].addresses[0].addr_spec == "j@x.test"
    assert mail.get_all("Subject") == ["Other"]
    assert [name for name in mail.keys() if name.islower() or name == "reply-TO"] == [  # noqa: SIM118 - names, with repeats
        "reply-TO",
        "subject",
    ]
    assert mail["X-Camp"] == "ä"


def test_bulk_mail_carries_an_unsubscribe_button_that_no_fold_breaks() -> None:
    url = "https://api.plunk.test/unsubscribe/" + "c" * 300 + "?e=1"
    wire = to_bytes(build(headers=bulk_headers(url)), NOON)
    assert f"<{url}>\r\n".encode() in wire
    mail = parse(build(headers=bulk_headers(url)))
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["Precedence"], mail["Auto-Submitted"]) == ("bulk", "auto-generated")
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_giving_one_unsubscribe_header_removes_both_of_ours() -> None:
    merged = dict(merge_headers(bulk_headers("u"), [("list-unsubscribe", "<mailto:x>")]))
    assert "List-Unsubscribe" not in merged
    assert "List-Unsubscribe-Post" not in merged
    assert merged["list-unsubscribe"] == "<mailto:x>"
    assert dict(bulk_headers()).keys() == {
        "Precedence",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
    }


def test_internal_headers_stay_inside() -> None:
    assert merge_headers((), [("X-Plunk-Recipient-Override", "a@b.co")]) == ()


@pytest.mark.parametrize("name", ["From", "TO", "bcc", "Message-Id", "Content-Type", "Received"])
def test_some_headers_are_ours_alone(name: str) -> None:
    with pytest.raises(ReservedHeader):
        check_headers([(name, "x")])


@pytest.mark.parametrize("text", ["a\nb", "a\r\nBcc: x@y.test", "a\rb", "a\x00b", "\x0b", "\x85"])
@pytest.mark.parametrize("field", ["subject", "from_name", "to_name", "header", "filename", "cid"])
def test_a_line_break_is_refused_not_stripped(field: str, text: str) -> None:
    changes: dict[str, Any] = {field: text}
    if field == "header":
        changes = {"headers": (("X-A", text),)}
    if field == "filename":
        changes = {"attachments": (Attachment(text, b""),)}
    if field == "cid":
        changes = {"attachments": (Attachment("a", b"", content_id=text),)}
    with pytest.raises(HeaderInjection):
        to_bytes(build(**changes), NOON)


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X\nA", "Ä"])
def test_a_bad_header_name_is_refused(name: str) -> None:
    with pytest.raises(HeaderInjection):
        check_headers([(name, "x")])


@pytest.mark.parametrize(
    "changes", [{"message_id": "a b@c"}, {"message_id": "a"}, {"html": "\ud800"}]
)
def test_what_cannot_be_written_is_unsendable(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsendableMessage):
        to_bytes(build(**changes), NOON)


OWN_HEADERS = "from to reply-to subject date message-id"
PART_HEADERS = "mime-version content-type content-transfer-encoding"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_value_can_add_a_header(subject: str, name: str, value: str) -> None:
    message = build(subject=subject, from_name=name, headers=(("X-Value", value),))
    try:
        mail = parse(message)
    except UnsendableMessage:
        return
    names = [header.lower() for header in mail.keys()]  # noqa: SIM118 - names, with repeats
    assert names == [*OWN_HEADERS.split(), "x-value", *PART_HEADERS.split()]
    assert mail["From"].addresses[0].addr_spec == "news@plunk.test"
    assert len(mail["From"].addresses) == 1
    assert mail["X-Value"] == value
    assert mail["Subject"] == subject
