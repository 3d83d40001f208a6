"""SMTP against real sinks on this machine."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plunk.clock import ManualClock
from plunk.delivery import Accepted, Deferred, Message, Refused, Unknown
from plunk.delivery.session import SmtpSettings, Tls
from plunk.delivery.smtp import SmtpProvider

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def letter(to: str = "ada@x.test", number: int = 1, **changes: str) -> Message:
    """Return a message to somebody."""
    return Message(
        message_id=f"m{number}@plunk.test",
        from_address="news@plunk.test",
        to_address=to,
        subject="Hello",
        html=changes.get("html", "<p>Hi</p>"),
        envelope_from="bounce@plunk.test",
    )


@dataclass
class Sink:
    """Takes mail and counts sessions; `refuse` maps recipients to SMTP answers."""

    refuse: dict[str, str] = field(default_factory=dict)
    after_data: dict[str, str] = field(default_factory=dict)
    drop_after_data: bool = False
    envelopes: list[Envelope] = field(default_factory=list)
    greetings: int = 0

    async def handle_EHLO(  # noqa: N802 - named by aiosmtpd
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Count."""
        _ = server, envelope
        session.host_name = hostname
        self.greetings += 1
        return responses

    async def handle_RCPT(  # noqa: N802 - as above
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse, or take."""
        _ = server, session, options
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Drop the line, refuse, or take."""
        _ = session
        if self.drop_after_data and server.transport:
            server.transport.abort()
        if answer := self.after_data.get(envelope.rcpt_tos[0]):
            return answer
        self.envelopes.append(envelope)
        return "250 2.0.0 queued"


class LocalController(Controller):
    """A controller that finds a free port, and does not resolve its own name."""

    def factory(self) -> SMTP:
        """Build a server."""
        return SMTP(self.handler, hostname="sink.test", **self.SMTP_kwargs)


@contextmanager
def running(sink: Sink, **options: object) -> Iterator[int]:
    """Run the sink and hand out its port."""
    controller = LocalController(sink, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def provider(port: int, *, tls: Tls = Tls.NONE, **options: object) -> SmtpProvider:
    """Return a provider that speaks to this machine."""
    context = options.pop("context", None)
    settings = SmtpSettings("localhost", port, tls, timeout_seconds=10, **options)  # type: ignore[arg-type] # test options
    return SmtpProvider(settings, clock=ManualClock(NOON), tls=context)  # type: ignore[arg-type] # as above


def test_a_message_arrives_as_it_was_sent() -> None:
    sink = Sink()
    with running(sink) as port, closing(provider(port)) as mail:
        assert mail.deliver([letter(html="<p>\n.\n..\n.x Größe</p>")]) == [
            Accepted("m1@plunk.test")
        ]
    (envelope,) = sink.envelopes
    assert envelope.mail_from == "bounce@plunk.test"
    assert envelope.rcpt_tos == ["ada@x.test"]
    content = envelope.content
    assert isinstance(content, bytes)
    assert b"Message-ID: <m1@plunk.test>\r\n" in content
    assert b"\r\n.x Gr=C3=B6=C3=9Fe</p>" in content
    body = message_from_bytes(content, _class=EmailMessage, policy=SMTP_POLICY).get_content()
    assert body.splitlines() == ["<p>", ".", "..", ".x Größe</p>"]


def test_a_session_is_used_again_and_one_refusal_spoils_nothing() -> None:
    sink = Sink(
        refuse={"no@x.test": "550 5.1.1 nobody here", "later@x.test": "451 4.3.0 try later"},
        after_data={"spam@x.test": "554 5.7.1 spam", "full@x.test": "452 4.2.2 full"},
    )
    names = ["a", "no", "b", "later", "spam", "c", "full", "d"]
    with running(sink) as port, closing(provider(port)) as mail:
        outcomes = mail.deliver([letter(f"{name}@x.test", n) for n, name in enumerate(names)])
        assert mail.deliver([letter("again@x.test", 9)]) == [Accepted("m9@plunk.test")]
    assert outcomes == [
        Accepted("m0@plunk.test"),
        Refused("550 5.1.1 nobody here", 550),
        Accepted("m2@plunk.test"),
        Deferred("451 4.3.0 try later", 451),
        Refused("554 5.7.1 spam", 554),
        Accepted("m5@plunk.test"),
        Deferred("452 4.2.2 full", 452),
        Accepted("m7@plunk.test"),
    ]
    assert sink.greetings == 1


def test_a_message_that_cannot_be_written_is_refused_here() -> None:
    with running(Sink()) as port, closing(provider(port)) as mail:
        refused, accepted = mail.deliver([letter("jörg@x.test"), letter(number=2)])
    assert isinstance(refused, Refused)
    assert "SMTPUTF8" in refused.reason
    assert accepted == Accepted("m2@plunk.test")


def test_a_line_dropped_after_the_data_is_unknown() -> None:
    with running(Sink(drop_after_data=True)) as port, closing(provider(port)) as mail:
        (outcome,) = mail.deliver([letter()])
    assert isinstance(outcome, Unknown)


def test_an_unreachable_server_defers_the_whole_batch() -> None:
    with closing(provider(free_port())) as mail:
        outcomes = mail.deliver([letter(number=n) for n in range(3)])
    assert len(outcomes) == 3
    assert all(isinstance(outcome, Deferred) for outcome in outcomes)


Script = Callable[[socket.socket], None]


@contextmanager
def scripted(*scripts: Script) -> Iterator[int]:
    """Serve one connection per script, then none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=play, args=(server, scripts), daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(timeout=10)
        assert not thread.is_alive()


def play(server: socket.socket, scripts: tuple[Script, ...]) -> None:
    """Run the scripts one after another."""
    for script in scripts:
        connection, _ = server.accept()
        with connection:
            script(connection)


def talk(*answers: str) -> Script:
    """Greet, answer each line, then hang up; `…` swallows lines until the lone dot."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 hi\r\n")
        with connection.makefile("rb") as lines:
            for answer in answers:
                line = lines.readline()
                while answer.startswith("…") and line not in (b".\r\n", b""):
                    line = lines.readline()
                connection.sendall(answer.removeprefix("…").encode() + b"\r\n")

    return script


TAKEN = talk("250 ok", "250 ok", "250 ok", "354 go", "…250 taken", "221 bye")


@pytest.mark.parametrize(
    "first",
    [
        talk("250 ok"),
        talk("250 ok", "250 ok"),
        talk("250 ok", "250 ok", "250 ok"),
    ],
    ids=["before MAIL", "before RCPT", "before DATA"],
)
def test_a_line_dropped_before_the_data_gets_one_fresh_try(first: Script) -> None:
    with scripted(first, TAKEN) as port, closing(provider(port)) as mail:
        assert mail.deliver([letter()]) == [Accepted("m1@plunk.test")]


def test_a_line_that_keeps_dropping_defers() -> None:
    with scripted(talk("250 ok"), talk("250 ok")) as port, closing(provider(port)) as mail:
        (outcome,) = mail.deliver([letter()])
    assert isinstance(outcome, Deferred)


def test_a_server_that_closes_defers_and_the_next_message_gets_a_new_line() -> None:
    closing_down = talk("250 ok", "250 ok", "421 4.3.2 restarting")
    with scripted(closing_down, TAKEN) as port, closing(provider(port)) as mail:
        outcomes = mail.deliver([letter(number=1), letter(number=2)])
    assert outcomes == [Deferred("421 4.3.2 restarting", 421), Accepted("m2@plunk.test")]


@pytest.mark.parametrize("greeting", ["554 go away", "421 busy"])
def test_a_hostile_greeting_defers(greeting: str) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(greeting.encode() + b"\r\n")

    with scripted(script) as port, closing(provider(port)) as mail:
        (outcome,) = mail.deliver([letter()])
    assert isinstance(outcome, Deferred)
    assert greeting in outcome.reason


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a certificate for localhost, with its key, to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    """Return what the sink shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def authenticate(*arguments: object) -> AuthResult:
    """Take one user only."""
    given = arguments[-1]
    known = LoginPassword(b"user", b"secret")
    return AuthResult(success=given == known, handled=given == known)


@pytest.mark.parametrize(("password", "accepted"), [("secret", True), ("wrong", False)])
def test_starttls_is_verified_and_the_login_is_sent_inside(
    certificate: Path,
    password: str,
    accepted: bool,  # noqa: FBT001 - a column of the table
) -> None:
    sink = Sink()
    options = {
        "tls_context": server_side(certificate),
        "authenticator": authenticate,
        "auth_required": True,
    }
    trust = ssl.create_default_context(cafile=certificate)
    with running(sink, **options) as port:
        login = {"username": "user", "password": password, "context": trust}
        with closing(provider(port, tls=Tls.STARTTLS, **login)) as mail:
            (outcome,) = mail.deliver([letter()])
    assert isinstance(outcome, Accepted if accepted else Deferred)
    assert len(sink.envelopes) == accepted
    assert password not in repr(outcome)


def test_an_unknown_certificate_is_not_trusted(certificate: Path) -> None:
    sink = Sink()
    with (
        running(sink, tls_context=server_side(certificate)) as port,
        closing(provider(port, tls=Tls.STARTTLS)) as mail,
    ):
        (outcome,) = mail.deliver([letter()])
    assert isinstance(outcome, Deferred)
    assert "certificate" in outcome.reason.lower()
    assert sink.envelopes == []


def test_required_starttls_never_falls_back() -> None:
    sink = Sink()
    with running(sink) as port, closing(provider(port, tls=Tls.STARTTLS)) as mail:
        (outcome,) = mail.deliver([letter()])
    assert isinstance(outcome, Deferred)
    assert "starttls=0" in outcome.reason
    assert sink.envelopes == []


def test_threads_do_not_disturb_each_other() -> None:
    sink = Sink()
    results: list[object] = []

    def work(mail: SmtpProvider, first: int) -> None:
        results.extend(mail.deliver([letter(number=first + n) for n in range(5)]))

    with running(sink) as port, closing(provider(port)) as mail:
        threads = [threading.Thread(target=work, args=(mail, n * 10)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == len(sink.envelopes) == 20
    assert all(isinstance(outcome, Accepted) for outcome in results)
    assert sink.greetings <= 4
