"""Outgoing HTTP: what it reaches, what it refuses, and where it stops."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plunk.outbound import (
    AddressBlocked,
    Answer,
    InvalidRequest,
    InvalidUrl,
    NetworkFailed,
    OutgoingRequest,
    TooManyRedirects,
    call,
)
from plunk.outbound.addresses import is_public
from plunk.outbound.targets import parse_target

BLOCKED = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe
    64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    2001:db8::1 2001:10::1 2001:20::1 2002:7f00:1:: 2002:a00:1:: 2002:c0a8:1:1::1 3fff::1 4000::1
    5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.1.1.1 128.0.0.1
    169.253.1.1 172.15.0.1 172.32.0.1 192.0.1.1 192.167.1.1 192.169.1.1 198.17.1.1 198.20.0.1
    223.255.255.255 2606:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 ::ffff:8.8.8.8
    64:ff9b::808:808 2002:808:808::1
"""


@pytest.mark.parametrize("address", BLOCKED.split())
def test_an_inside_address_is_blocked(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_outside_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.test",
        "ftp://example.test",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://:80",
        "http://a b.test",
        "http://a.test/x y",
        "http://a.test\\@b.test",
        "http://a.test/\r\nX: y",
        "http://a.test:0",
        "http://a.test:99999",
        "http://a.test:port",
        "http://[::1",
        "http://[fe80::1%25eth0]",
        "http://[nonsense]",
        "http://a%00.test",
        "http://a_b.test%2f",
        "http://ex\u2028ample.test",
        "http://" + "a" * 300 + ".test",
    ],
)
def test_a_useless_url_is_invalid(url: str) -> None:
    with pytest.raises(InvalidUrl):
        parse_target(url)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://Example.TEST", "http://example.test/"),
        ("https://a.test:443/x?y=1#z", "https://a.test/x?y=1"),
        ("http://a.test:8080?q", "http://a.test:8080/?q"),
        ("http://größe.test/é", "http://xn--gre-6ka8i.test/é"),
        ("http://u:p@a.test/", "http://a.test/"),
        ("http://[2606:4700::1111]:81/", "http://[2606:4700::1111]:81/"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),
    ],
)
def test_a_url_is_normalised(url: str, normal: str) -> None:
    assert parse_target(url).url == normal


@dataclass
class Site:
    """A small web site: path → (status, headers, body); remembers what it was sent."""

    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return the class that the server wants."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.seen.append((self.command, self.path, headers, self.rfile.read(length)))
                status, extra, body = site.pages.get(self.path, (404, {}, b"lost"))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | extra).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - named by http.server

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


class QuietServer(ThreadingHTTPServer):
    """A server that does not mind when a client has heard enough."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(site: Site, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve the site on this machine."""
    with QuietServer(("127.0.0.1", 0), site.handler()) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve an empty site."""
    with serving(Site()) as running:
        yield running


def to_loopback(host: str, port: int) -> Sequence[str]:
    """Resolve every name to this machine."""
    _ = host, port
    return ["127.0.0.1"]


def ask(url: str, *, method: str = "GET", **options: Any) -> Answer:
    """Call a URL on this machine."""
    given: dict[str, Any] = {"resolver": to_loopback, "allow_private": True}
    given |= {name: options.pop(name) for name in list(options) if name in {*given, "tls"}}
    return call(OutgoingRequest(method, url, **options), **given)


def test_an_answer_comes_back_whatever_its_status(site: Site) -> None:
    site.pages["/x?y=1"] = (500, {"Content-Type": "text/plain"}, "Größe".encode())
    url = f"http://hook.test:{site.port}/x?y=1"
    assert ask(url) == Answer(500, "Größe", "text/plain", url)


def test_method_headers_and_body_go_out(site: Site) -> None:
    site.pages["/"] = (200, {}, b"")
    headers = {"X-Sign": "ä", "content-type": "application/json", "User-Agent": "me"}
    ask(f"http://Hook.test:{site.port}", method="post", headers=headers, body=b'{"a":1}')
    method, path, seen, body = site.seen[0]
    assert (method, path, body) == ("POST", "/", b'{"a":1}')
    assert seen["x-sign"].encode("latin-1").decode() == "ä"
    assert seen["content-type"] == "application/json"
    assert seen["user-agent"] == "me"
    assert seen["host"] == f"hook.test:{site.port}"
    assert seen["accept-encoding"] == "identity"
    assert "cookie" not in seen


def test_get_sends_no_body_and_delete_does(site: Site) -> None:
    ask(f"http://a.test:{site.port}/", body=b"x")
    ask(f"http://a.test:{site.port}/", method="DELETE", body=b"x")
    assert [body for *_, body in site.seen] == [b"", b"x"]


def test_credentials_in_the_url_become_a_header_and_stay_out_of_the_answer(site: Site) -> None:
    answer = ask(f"http://user:p%40ss@a.test:{site.port}/")
    assert site.seen[0][2]["authorization"] == "Basic dXNlcjpwQHNz"
    assert "p%40ss" not in answer.url
    ask(f"http://user:x@a.test:{site.port}/", headers={"authorization": "Bearer t"})
    assert site.seen[1][2]["authorization"] == "Bearer t"


def test_the_environment_is_not_trusted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert ask(f"http://a.test:{site.port}/").status == 404


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:7f00:1"]])
def test_a_name_with_one_inside_address_is_blocked(site: Site, found: list[str]) -> None:
    with pytest.raises(AddressBlocked) as caught:
        ask(f"http://a.test:{site.port}/", allow_private=False, resolver=lambda *_: found)
    assert site.seen == []
    assert not caught.value.retriable


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost"])
def test_no_spelling_of_this_machine_gets_through(site: Site, host: str) -> None:
    request = OutgoingRequest("GET", f"http://{host}:{site.port}/")
    with pytest.raises(AddressBlocked):
        call(request, allow_private=False)
    assert site.seen == []


@dataclass
class Internet:
    """Names and addresses of a made-up world; every connection really goes to the site."""

    site: Site
    names: dict[str, list[list[str]]]
    connected: list[str] = field(default_factory=list)

    def resolve(self, host: str, _: int) -> Sequence[str]:
        """Give the next answer for this name."""
        return self.names[host].pop(0)

    def connect(self, address: tuple[str, int], seconds: float) -> socket.socket:
        """Write down where the connection would go."""
        self.connected.append(address[0])
        return socket.create_connection(("127.0.0.1", self.site.port), seconds)

    def ask(self, url: str) -> Answer:
        """Call without leave to reach private addresses."""
        request = OutgoingRequest("POST", url, body=b"x")
        return call(request, allow_private=False, resolver=self.resolve, connect=self.connect)


def test_a_name_is_resolved_once_so_rebinding_gains_nothing(site: Site) -> None:
    world = Internet(site, {"rebind.test": [["8.8.8.8"], ["127.0.0.1"]]})
    assert world.ask("http://rebind.test/").status == 404
    assert world.connected == ["8.8.8.8"]
    assert world.names["rebind.test"] == [["127.0.0.1"]]


@pytest.mark.parametrize("inside", ["10.0.0.1", "169.254.169.254", "::1"])
def test_a_redirect_inside_is_blocked(site: Site, inside: str) -> None:
    site.pages["/"] = (302, {"Location": "http://inner.test/secret"}, b"")
    world = Internet(site, {"outer.test": [["8.8.8.8"]], "inner.test": [[inside]]})
    with pytest.raises(AddressBlocked):
        world.ask("http://outer.test/")
    assert world.connected == ["8.8.8.8"]


def test_a_name_that_changes_between_redirects_is_checked_again(site: Site) -> None:
    site.pages["/"] = (307, {"Location": "/next"}, b"")
    world = Internet(site, {"a.test": [["8.8.8.8"], ["10.0.0.1"]]})
    with pytest.raises(AddressBlocked):
        world.ask("http://a.test/")
    assert [path for _, path, *_ in site.seen] == ["/"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_keeps_method_body_and_headers_on_the_same_site(site: Site, status: int) -> None:
    site.pages["/"] = (status, {"Location": "/new"}, b"")
    site.pages["/new"] = (200, {}, b"ok")
    url = f"http://u:p@a.test:{site.port}/"
    answer = ask(url, method="POST", body=b"x", headers={"X-Key": "secret"})
    assert (answer.body, answer.url) == ("ok", f"http://a.test:{site.port}/new")
    method, _, headers, body = site.seen[1]
    assert (method, body, headers["x-key"]) == ("POST", b"x", "secret")
    assert headers["authorization"] == "Basic dTpw"


def test_secrets_stay_behind_when_the_site_changes(site: Site) -> None:
    site.pages["/"] = (307, {"Location": f"http://other.test:{site.port}/new"}, b"")
    site.pages["/new"] = (200, {}, b"ok")
    headers = {
        "Authorization": "Bearer t",
        "Cookie": "a=b",
        "X-Key": "secret",
        "Content-Type": "application/json",
        "Idempotency-Key": "k1",
    }
    ask(f"http://u:p@a.test:{site.port}/", method="POST", body=b"{}", headers=headers)
    assert site.seen[0][2].keys() >= {"authorization", "cookie", "x-key"}
    after = site.seen[1][2]
    assert not after.keys() & {"authorization", "cookie", "x-key"}
    assert (after["content-type"], after["idempotency-key"]) == ("application/json", "k1")


def test_redirects_end(site: Site) -> None:
    site.pages["/"] = (302, {"Location": "/"}, b"")
    with pytest.raises(TooManyRedirects):
        ask(f"http://a.test:{site.port}/")
    assert len(site.seen) == 6


@pytest.mark.parametrize("location", ["ftp://a.test/", "http://[x", "http://a b/"])
def test_a_redirect_to_nonsense_is_invalid(site: Site, location: str) -> None:
    site.pages["/"] = (302, {"Location": location}, b"")
    with pytest.raises(InvalidUrl):
        ask(f"http://a.test:{site.port}/")


def test_a_redirect_without_a_place_is_an_answer(site: Site) -> None:
    site.pages["/"] = (302, {}, b"here")
    assert ask(f"http://a.test:{site.port}/").body == "here"


BIG = 64 * 1024


@pytest.mark.parametrize(("size", "truncated"), [(BIG, False), (BIG + 1, True), (BIG * 50, True)])
def test_an_answer_is_kept_up_to_64_kib(site: Site, size: int, truncated: bool) -> None:  # noqa: FBT001 - a column
    site.pages["/"] = (200, {}, b"x" * size)
    answer = ask(f"http://a.test:{site.port}/")
    assert (len(answer.body), answer.truncated) == (min(size, BIG), truncated)


@pytest.mark.parametrize(
    ("headers", "content", "body"),
    [
        ({"Content-Encoding": "gzip"}, gzip.compress(b"packed", mtime=0), "packed"),
        ({"Content-Encoding": "gzip"}, b"not packed", "not packed"),
        ({"Content-Type": "text/plain; charset=ISO-8859-1"}, b"\xe9", "é"),
        ({"Content-Type": "text/plain; charset=zip"}, b"x", "x"),
        ({}, b"a\x00b\xff", "a\ufffdb\ufffd"),
    ],
)
def test_a_body_becomes_text(
    site: Site, headers: Mapping[str, str], content: bytes, body: str
) -> None:
    site.pages["/"] = (200, dict(headers), content)
    assert ask(f"http://a.test:{site.port}/").body == body


def test_a_compressed_bomb_is_unpacked_no_further_than_needed(site: Site) -> None:
    site.pages["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 50_000_000, mtime=0))
    answer = ask(f"http://a.test:{site.port}/")
    assert (len(answer.body), answer.truncated) == (BIG, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\x00"},
        {"X\nA": "a"},
        {"X A": "a"},
        {"": "a"},
        {"Host": "b.test"},
        {"Content-Length": "0"},
        {"transfer-encoding": "chunked"},
    ],
)
def test_a_header_that_could_smuggle_is_refused(site: Site, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        ask(f"http://a.test:{site.port}/", headers=headers)
    assert site.seen == []


@pytest.mark.parametrize("method", ["CONNECT", "GET / HTTP/1.1\r\nX: y", ""])
def test_an_odd_method_is_refused(site: Site, method: str) -> None:
    with pytest.raises(InvalidRequest):
        ask(f"http://a.test:{site.port}/", method=method)


@contextmanager
def raw_server(*pieces: bytes) -> Iterator[int]:
    """Answer one request with these bytes, then hold the line until the client leaves."""

    def play() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",),
        (b"HTTP/1.1 200 OK\r\n\r\nabc",),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
    ],
    ids=["silence", "half a header", "half a body", "a body without end", "continue"],
)
def test_a_server_that_dawdles_is_cut_off(pieces: tuple[bytes, ...]) -> None:
    with raw_server(*pieces) as port, pytest.raises(NetworkFailed) as caught:
        ask(f"http://a.test:{port}/", timeout_seconds=0.2)
    assert caught.value.retriable
    assert caught.value.message == "no complete answer in time"


def test_a_server_that_dawdles_over_tls_is_cut_off() -> None:
    with raw_server() as port, pytest.raises(NetworkFailed):
        ask(f"https://a.test:{port}/", timeout_seconds=0.2)


def test_what_cannot_be_reached_fails_with_one_line() -> None:
    def nowhere(*_: object) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(NetworkFailed, match=r"^a\.test cannot be found$"):
        ask("http://a.test/", resolver=nowhere)
    with pytest.raises(NetworkFailed, match="has no address"):
        ask("http://a.test/", resolver=lambda *_: [])


def test_a_refused_connection_is_tried_at_the_next_address(site: Site) -> None:
    site.pages["/"] = (200, {}, b"ok")
    found = ["::1", "127.0.0.1"]
    assert ask(f"http://a.test:{site.port}/", resolver=lambda *_: found).body == "ok"
    with raw_port() as closed, pytest.raises(NetworkFailed, match="refused"):
        ask(f"http://a.test:{closed}/")


@contextmanager
def raw_port() -> Iterator[int]:
    """Hand out a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a certificate for secure.test, with its key, to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "secure.test")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("secure.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "secure.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def test_the_certificate_is_checked_on_the_name_not_the_address(certificate: Path) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    names: list[str | None] = []
    server_side.sni_callback = lambda _, name, __: names.append(name)
    trust = ssl.create_default_context(cafile=certificate)
    with serving(Site({"/": (200, {}, b"safe")}), server_side) as site:
        assert ask(f"https://secure.test:{site.port}/", tls=trust).body == "safe"
        assert site.seen[0][2]["host"] == f"secure.test:{site.port}"
        with pytest.raises(NetworkFailed, match="TLS failed: Hostname mismatch"):
            ask(f"https://other.test:{site.port}/", tls=trust)
        with pytest.raises(NetworkFailed, match="TLS failed: self-signed certificate"):
            ask(f"https://secure.test:{site.port}/")
    assert names == ["secure.test", "other.test", "secure.test"]
