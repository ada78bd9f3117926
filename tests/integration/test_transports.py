"""Both transports, one behaviour: the same misbehaving servers give the same answers and the same faults.

Everything that decides about money is in a fault's ``sent``: False only where the request certainly never left.
"""

from __future__ import annotations

import asyncio
import gzip
import select
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from client_fakes import KEY_ID, KEY_SECRET
from razorpay_hardened.client._aiohttp import AiohttpTransport
from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._transport import ANSWER_MAX, UrllibTransport
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing.keys import Secret
from support.wire import CA_NAMES, ENVIRONMENT, answers, drips, in_time, reply, serving

AMPLE = Limits(30, 30, 60)
NOT_SENT = ("connection", False)
JSON = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CREDENTIALS = Credentials(KEY_ID, Secret(KEY_SECRET))


class Line:
    """A transport to one server, called from synchronous code."""

    def __init__(self, kind: str, url: str, runner: asyncio.Runner) -> None:
        self.url = url
        self._runner = runner
        self._made: Any = (UrllibTransport if kind == "urllib3" else AiohttpTransport)(url)

    def send(
        self,
        method: str = "GET",
        path: str = "/v1/plans",
        *,
        params: Mapping[str, Any] | None = None,
        body: str | None = None,
        headers: dict[str, str] = JSON,
        limits: Limits = AMPLE,
    ) -> Answer | Fault:
        found = self._made.send(
            method,
            self.url + path,
            params=params,
            body=body,
            headers=dict(headers),
            auth=CREDENTIALS,
            limits=limits,
        )
        return self._runner.run(found) if asyncio.iscoroutine(found) else found

    def fault(self, method: str = "GET", **options: Any) -> tuple[str, bool]:
        """What went wrong and whether it was sent; the cause is the library's own."""
        found = self.send(method, **options)
        assert isinstance(found, Fault), found
        assert found.cause.isidentifier()
        return found.what, found.sent

    def body(self, method: str = "GET", **options: Any) -> bytes:
        found = self.send(method, **options)
        assert isinstance(found, Answer), found
        return found.body

    def close(self) -> None:
        closing = self._made.close()
        if asyncio.iscoroutine(closing):
            self._runner.run(closing)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["urllib3", "aiohttp"])
def line(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Line]]:
    """``line(url)``: a transport to it, which is closed afterwards."""
    made: list[Line] = []
    with asyncio.Runner() as runner:

        def make(url: str) -> Line:
            made.append(Line(request.param, url, runner))
            return made[-1]

        yield make
        for one in made:
            one.close()


Make = Callable[[str], Line]


# --- what is sent, and how often ------------------------------------------------------------------------------------


def test_the_request_is_exactly_what_was_asked(line: Make) -> None:
    """One connection, the query as given, our headers and the key, no header of the library's own invention."""
    connections = set()

    def behave(connection: socket.socket, request: bytes) -> None:
        connections.add(connection.getpeername())
        connection.sendall(reply(b'{"ok": 1}', "Set-Cookie: a=b", "X-Twice: 1", "X-Twice: 2"))

    with serving(behave) as (url, seen):
        to = line(url)
        found = to.send(params={"count": 1, "expand[]": ["a", "b c"], "q": "é+/"}, headers={**JSON, "User-Agent": "us"})
        assert to.body("POST", path="/v1/items", body='{"é": "ü"}') == b'{"ok": 1}'
        assert to.body("DELETE") == b'{"ok": 1}'

    assert isinstance(found, Answer)
    assert (found.status, found.body) == (200, b'{"ok": 1}')
    assert (found.headers["content-length"], found.headers["x-twice"]) == ("9", "1, 2")
    assert len(connections) == 1
    first, second, third = (one.decode() for one in seen)
    assert first.startswith("GET /v1/plans?count=1&expand%5B%5D=a&expand%5B%5D=b+c&q=%C3%A9%2B%2F HTTP/1.1\r\n")
    names = {one.split(":")[0].lower() for one in first.split("\r\n")[1:] if one}
    assert names == {"host", "accept", "accept-encoding", "content-type", "user-agent", "authorization"}
    assert "accept-encoding: identity" in first.lower()
    assert f"\r\nAuthorization: {CREDENTIALS.header()}\r\n" in first
    assert second.endswith('\r\n\r\n{"é": "ü"}')
    assert "content-length: 12" in second.lower()
    assert "cookie" not in (second + third).lower()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("warm", [True, False], ids=["kept connection", "new connection"])
def test_a_request_whose_connection_broke_is_sent_once(line: Make, method: str, warm: bool) -> None:
    """The server reads it and hangs up: it was sent, and nobody but the caller may send it again."""

    def behave(connection: socket.socket, request: bytes) -> None:
        if b" /warm " in request:
            connection.sendall(reply(b"{}"))
        else:
            connection.shutdown(socket.SHUT_RDWR)

    with serving(behave) as (url, seen):
        to = line(url)
        if warm:
            to.send(path="/warm")
        assert to.fault(method, body="{}" if method == "POST" else None) == ("connection", True)

    assert len([one for one in seen if b" /warm " not in one]) == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_request_whose_connection_was_reset_is_sent_once(line: Make, method: str) -> None:
    """A reset on a kept connection, after the request was read."""

    def behave(connection: socket.socket, request: bytes) -> None:
        if b" /warm " in request:
            connection.sendall(reply(b"{}"))
        else:
            _reset(connection)

    with serving(behave) as (url, seen):
        to = line(url)
        to.send(path="/warm")
        assert to.fault(method) == ("connection", True)

    assert len(seen) == 2


def test_a_connection_that_the_server_closed_meanwhile_is_not_used(line: Make) -> None:
    """An idle connection ends; the next POST takes a new one, and arrives once. Nothing was sent on the dead one."""
    closed = threading.Event()

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(reply(b"{}"))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with serving(behave) as (url, seen):
        to = line(url)
        for count in range(1, 4):
            closed.clear()
            assert to.body("POST", body=f'{{"n": {count}}}') == b"{}"
            assert closed.wait(30)

    assert [one[-1:] for one in seen] == [b"}"] * 3
    assert len(seen) == 3


def test_a_reset_before_the_request_is_read(line: Make) -> None:
    """Bytes had left, so there is doubt: the server could have read them."""

    def reset_unread(connection: socket.socket, request: bytes) -> None:
        # Once bytes are there: a reset that is heard before any has left is no doubt, and rightly told so.
        select.select([connection], [], [], 30)
        _reset(connection)

    with serving(reset_unread, reads=False) as (url, _):
        assert line(url).fault("POST", body="{}") == ("connection", True)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200, b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"{}"), 200, b"{}"),
        (reply(b"<html>Bad Gateway</html>", "Content-Type: text/html", status="502 Bad Gateway"), 502,
         b"<html>Bad Gateway</html>"),
        (reply(b"\xff\xfe\x00"), 200, b"\xff\xfe\x00"),
        (reply(b"", status="302 Found"), 302, b""),
        (reply(b"x", "Location: /v1/elsewhere", status="302 Found"), 302, b"x"),
        (reply(b"", "Location: https://evil.example/", status="307 Temporary Redirect"), 307, b""),
        (reply(b"{}", "Retry-After: 7", status="429 Too Many Requests"), 429, b"{}"),
        (reply(b"{}", "X-Long: " + "y" * 30_000), 200, b"{}"),
        (reply(b"{}", *[f"X-{n}: y" for n in range(90)]), 200, b"{}"),
    ],
    ids=["204", "chunked", "100 first", "html 502", "not text", "302", "302 here", "307 there", "429", "a long header",
         "many headers"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_is_given_as_it_came(line: Make, method: str, raw: bytes, status: int, body: bytes) -> None:
    """Whatever its status; no redirect is followed."""
    with serving(answers(raw)) as (url, seen):
        found = line(url).send(method)

    assert isinstance(found, Answer)
    assert (found.status, found.body) == (status, body)
    assert len(seen) == 1


def test_a_body_that_ends_with_the_connection(line: Make) -> None:
    """Neither length nor chunks: all that comes until the end."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
        connection.shutdown(socket.SHUT_RDWR)

    with serving(behave) as (url, _):
        assert line(url).body() == b"{}"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "deflate"])
def test_a_coded_answer_is_read(line: Make, coding: str) -> None:
    """Nobody asked for it, but a proxy may."""
    packed = zlib.compress(b'{"ok": 1}') if coding == "deflate" else gzip.compress(b'{"ok": 1}')
    with serving(answers(reply(packed, f"Content-Encoding: {coding}"))) as (url, _):
        assert line(url).body() == b'{"ok": 1}'


def test_a_gzip_bomb_is_stopped(line: Make) -> None:
    """A few kilobytes that grow beyond the limit are given up, not unpacked."""
    bomb = gzip.compress(b" " * (ANSWER_MAX * 2))
    with serving(answers(reply(bomb, "Content-Encoding: gzip"))) as (url, _):
        assert line(url).fault() == ("too_large", True)


@pytest.mark.parametrize("told", [True, False], ids=["length told", "chunked"])
def test_an_answer_beyond_the_limit_is_given_up(line: Make, told: bool) -> None:
    """At the limit it is read; one byte more and reading stops, and the connection is not used again."""

    def sized(size: int) -> bytes:
        body = b"x" * size
        if told:
            return reply(body)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (size, body)

    turns = iter([sized(ANSWER_MAX), sized(ANSWER_MAX + 1), reply(b"{}")])
    with serving(lambda connection, _: connection.sendall(next(turns))) as (url, _):
        to = line(url)
        assert len(to.body()) == ANSWER_MAX
        assert to.fault() == ("too_large", True)
        assert to.body() == b"{}"


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00", b"HTTP/1.1 OK\r\n\r\n",
     reply(b"not gzip", "Content-Encoding: gzip", "Connection: close"),
     b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", reply(b"", length=1), reply(b'{"ok"', length=100),
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
     b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 110 + b"\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
     b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000],
    ids=["nothing", "no http", "tls", "no status", "bad coding", "cut in the head", "cut at 0", "cut in the body",
         "bad chunk", "no last chunk", "cut in a chunk", "110 headers", "200 headers", "a long header"],
)  # fmt: skip
def test_a_broken_answer_is_a_fault_after_sending(line: Make, raw: bytes) -> None:
    """The request had left, and what came back is no answer. It is not asked for again."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    with serving(behave) as (url, seen):
        to = line(url)
        assert to.fault("GET") == ("connection", True)
        assert to.fault("POST") == ("connection", True)

    assert len(seen) == 2


@pytest.mark.parametrize("keep", [1, 12, 17, 40, 98])
def test_an_answer_cut_anywhere_is_no_answer(line: Make, keep: int) -> None:
    """In its head, or at any byte of its body."""
    raw = reply(b"x" * 60)[:keep]

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    with serving(behave) as (url, _):
        assert line(url).fault("POST") == ("connection", True)


# --- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200", reply(b'{"a"', length=9)], ids=["silence", "head", "body"])
@pytest.mark.parametrize("limited", ["read", "total"])
def test_a_hanging_answer_ends_in_time(line: Make, begun: bytes, limited: str) -> None:
    """Before the answer, within its head, within its body."""
    over = threading.Event()

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(begun)
        over.wait(60)

    with serving(behave, until=over) as (url, seen):
        to = line(url)
        for method in ("POST", "GET"):

            def ask(limit: float, method: str = method) -> tuple[str, bool]:
                return to.fault(method, limits=replace(AMPLE, **{f"{limited}_s": limit}))

            started = time.monotonic()
            found, _ = in_time(ask, lambda found: found == NOT_SENT)
            assert found == ("timeout", True)
            assert time.monotonic() - started < AMPLE.read_s, "it was another limit that ended it"

    assert len(seen) == 2


@pytest.mark.parametrize(
    "raw", [reply(b'{"ok": 1}'), b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000], ids=["body", "head"]
)
def test_the_total_deadline_holds_against_a_drip(line: Make, raw: bytes) -> None:
    """One byte at a time, each well inside the read limit: the total still ends it."""

    def ask(limit: float) -> tuple[str, bool]:
        with serving(drips(raw, limit / 10)) as (url, _):
            return line(url).fault(limits=replace(AMPLE, total_s=limit))

    started = time.monotonic()
    found, limit = in_time(ask, lambda found: found == NOT_SENT)
    assert found == ("timeout", True)
    assert time.monotonic() - started < limit * len(raw) / 10 + AMPLE.read_s, "all of it was waited for"


def test_a_kept_connection_forgets_the_last_deadline(line: Make) -> None:
    """A request with little time leaves no short limit behind for the next one."""

    def ask(limit: float) -> Answer | Fault:
        turns = iter([0, limit * 1.5])

        def behave(connection: socket.socket, request: bytes) -> None:
            time.sleep(next(turns))
            connection.sendall(reply(b"{}"))

        with serving(behave) as (url, _):
            to = line(url)
            found = to.send(limits=replace(AMPLE, total_s=limit))
            if isinstance(found, Answer):
                assert to.body(limits=AMPLE) == b"{}"
            return found

    assert isinstance(in_time(ask, lambda found: isinstance(found, Fault))[0], Answer)


def test_no_time_at_all(line: Make) -> None:
    """A deadline that has passed is a fault, and never an endless wait."""
    with serving(lambda connection, request: None) as (url, _):
        found = line(url).send(limits=Limits(1e-9, 1e-9, 1e-9))

    assert isinstance(found, Fault)


# --- before it leaves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_connection_is_no_doubt(line: Make, method: str) -> None:
    """Nobody listened, so nothing was done."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

    assert line(url).fault(method) == ("connection", False)


def test_a_name_that_does_not_resolve_is_no_doubt(line: Make) -> None:
    """DNS failure (FAULTS A11)."""
    assert line("http://api.invalid").fault("POST") == ("connection", False)


def test_tls_against_a_server_that_speaks_none_is_no_doubt(line: Make) -> None:
    """TLS failure (FAULTS A11)."""
    with serving(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False) as (url, _):
        assert line(url.replace("http:", "https:")).fault("POST") == ("connection", False)


@pytest.mark.parametrize("limited", ["connect", "total"])
def test_a_handshake_that_hangs_is_no_doubt(line: Make, limited: str) -> None:
    """Connected, but the other side says nothing: the request is still here."""
    over = threading.Event()
    with serving(lambda connection, _: over.wait(60), reads=False, until=over) as (url, _):
        started = time.monotonic()
        limits = replace(AMPLE, **{f"{limited}_s": 0.05})
        assert line(url.replace("http:", "https:")).fault("POST", limits=limits) == NOT_SENT
        assert time.monotonic() - started < AMPLE.connect_s, "it was another limit that ended it"


# --- the environment ------------------------------------------------------------------------------------------------


def test_a_proxy_that_refuses_is_no_doubt(line: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """407 from the proxy that the environment names (FAULTS A11); its password is sent to the proxy alone."""
    with serving(answers(reply(b"", status="407 Proxy Authentication Required"))) as (url, seen):
        monkeypatch.setenv("https_proxy", url.replace("http://", "http://me:pw@"))
        assert line("https://api.razorpay.com").fault("POST", body="{}") == ("connection", False)

    assert len(seen) == 1
    assert seen[0].startswith(b"CONNECT api.razorpay.com:443 ")
    assert b"proxy-authorization: basic bwu6chc=" in seen[0].lower()
    assert b"\r\nauthorization:" not in seen[0].lower()


def test_a_proxy_that_hangs_is_no_doubt(line: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tunnel never opens, so the request never left."""

    def ask(limit: float) -> tuple[tuple[str, bool], list[bytes]]:
        over = threading.Event()
        with serving(lambda connection, _: over.wait(60), until=over) as (url, seen):
            monkeypatch.setenv("https_proxy", url)
            return line("https://api.razorpay.com").fault("POST", limits=replace(AMPLE, total_s=limit)), seen

    (found, seen), _ = in_time(ask, lambda asked: not asked[1])
    assert found == NOT_SENT
    assert len(seen) == 1
    assert seen[0].startswith(b"CONNECT ")


def test_a_plain_proxy_is_used(line: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy without a scheme is an HTTP proxy, and gets its password; ``no_proxy`` is obeyed."""
    with serving(answers(reply(b"{}"))) as (url, seen):
        monkeypatch.setenv("http_proxy", "me:pw@" + url.removeprefix("http://"))
        assert line("http://emulator.invalid").body() == b"{}"
        assert seen[0].startswith(b"GET http://emulator.invalid/v1/plans ")
        assert b"proxy-authorization: basic bwu6chc=" in seen[0].lower()
        monkeypatch.setenv("no_proxy", "emulator.invalid")
        assert line("http://emulator.invalid").fault() == ("connection", False)


def test_a_kind_of_proxy_that_we_do_not_speak_is_told(line: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """SOCKS needs a session of the caller's own."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")

    with pytest.raises(ConfigError, match=r"session=(requests|aiohttp)\."):
        line("https://api.razorpay.com")


@pytest.mark.parametrize("name", CA_NAMES)
def test_a_custom_ca_that_is_not_there_is_told(
    line: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, name: str
) -> None:
    """At once, and by the variable's name."""
    monkeypatch.setenv(name, str(tmp_path / "absent"))

    with pytest.raises(ConfigError, match=name):
        line("https://api.razorpay.com")
