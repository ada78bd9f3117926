"""The default session, against servers that do not behave: real sockets on this machine, no waiting."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from urllib3.exceptions import NewConnectionError

from client_fakes import KEY_ID, KEY_SECRET, ORDER_ID
from razorpay_hardened.client import Client
from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._requests import SessionTransport, _fault
from razorpay_hardened.client._transport import ANSWER_MAX, UrllibTransport, _exchange, _TimedReader
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.errors import (
    ApiConnectionError,
    ApiError,
    ApiResponseError,
    ApiServerError,
    ApiTimeout,
    ConfigError,
    OutcomeUnknown,
)
from razorpay_hardened.signing.keys import Secret
from support.wire import CA_NAMES, ENVIRONMENT, answers, drips, in_time, reply, serving


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@contextmanager
def client(url: str, **options: Any) -> Iterator[Client]:
    with Client(KEY_ID, KEY_SECRET, base_url=url, **{"max_attempts": 1, **options}) as made:
        yield made


def get(url: str, **options: Any) -> Any:
    with client(url, **options) as made:
        return made.request("GET", "/v1/plans")


def test_a_plain_answer_over_a_kept_connection() -> None:
    """The connection is used again, the query and the key are sent, and no coding is asked for."""
    connections = set()

    def behave(connection: socket.socket, request: bytes) -> None:
        connections.add(connection.getpeername())
        connection.sendall(reply(b'{"ok": 1}'))

    with serving(behave) as (url, seen), client(url) as made:
        assert made.request("GET", "/v1/plans", params={"count": 1, "expand[]": ["a", "b"]}) == {"ok": 1}
        assert made.request("POST", "/v1/items", body={"é": "ü"}) == {"ok": 1}

    assert len(connections) == 1
    head = seen[0].decode()
    assert head.startswith("GET /v1/plans?count=1&expand%5B%5D=a&expand%5B%5D=b HTTP/1.1\r\n")
    assert "accept-encoding: identity" in head.lower()
    assert "authorization: basic " in head.lower()
    assert seen[1].endswith(b'{"\\u00e9": "\\u00fc"}')
    assert b"content-type: application/json" in seen[1].lower()


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate"])
def test_a_coded_answer_is_read(coding: str) -> None:
    """Nobody asked for it, but a proxy may."""
    import zlib

    packed = zlib.compress(b'{"ok": 1}') if coding == "deflate" else gzip.compress(b'{"ok": 1}')
    with serving(answers(reply(packed, f"Content-Encoding: {coding}"))) as (url, _):
        assert get(url) == {"ok": 1}


@pytest.mark.slow
def test_a_gzip_bomb_is_stopped() -> None:
    """A few kilobytes that grow beyond the limit are given up, not unpacked."""
    bomb = gzip.compress(b" " * (ANSWER_MAX * 2))
    assert len(bomb) < 50_000
    with (
        serving(answers(reply(bomb, "Content-Encoding: gzip"))) as (url, _),
        pytest.raises(ApiResponseError, match="larger than the limit"),
    ):
        get(url)


def test_a_broken_coding_is_a_broken_answer() -> None:
    """Bytes that are not gzip end in one of our errors."""
    with serving(answers(reply(b"not gzip", "Content-Encoding: gzip"))) as (url, _), pytest.raises(ApiConnectionError):
        get(url)


def test_an_answer_beyond_the_limit_is_given_up() -> None:
    """At the limit it is read; one byte more and reading stops, whether the length is told or not."""
    exact = b'"' + b"x" * (ANSWER_MAX - 2) + b'"'
    with serving(answers(reply(exact))) as (url, _):
        assert len(get(url)) == ANSWER_MAX - 2
    with serving(answers(reply(exact + b" "))) as (url, _), pytest.raises(ApiResponseError, match="larger"):
        get(url)


def unreached(error: ApiError | None) -> bool:
    """Whether the time was up before anything was sent."""
    return isinstance(error, ApiConnectionError) and "did not reach" in str(error)


def failure(url: str, **options: Any) -> ApiError | None:
    try:
        get(url, **options)
    except ApiError as error:
        return error
    return None


@pytest.mark.parametrize(
    "raw", [reply(b'{"ok": 1}'), b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000], ids=["body", "head"]
)
def test_the_total_deadline_holds_against_a_drip(raw: bytes) -> None:
    """One byte at a time, in the head or in the body, each well inside the read timeout: the total still ends it."""

    def ask(limit: float) -> ApiError | None:
        with serving(drips(raw, limit / 10)) as (url, _):
            return failure(url, total_timeout_s=limit, read_timeout_s=30)

    started = time.monotonic()
    found, limit = in_time(ask, unreached)
    assert isinstance(found, ApiTimeout)
    assert time.monotonic() - started < limit * len(raw) / 10 + 30, "all of it was waited for"


def test_silence_is_a_timeout() -> None:
    """No byte at all, in less time than the total."""
    over = threading.Event()
    with (
        serving(lambda connection, request: over.wait(60), until=over) as (url, _),
        pytest.raises(ApiTimeout),
    ):
        get(url, read_timeout_s=0.05)


def test_a_kept_connection_forgets_the_last_deadline() -> None:
    """A request with little time leaves no short timeout behind for the next one."""

    def ask(limit: float) -> bool:
        turns = iter([0, limit * 1.5])

        def behave(connection: socket.socket, request: bytes) -> None:
            time.sleep(next(turns))
            connection.sendall(reply(b"{}"))

        with serving(behave) as (url, _), client(url, read_timeout_s=30, total_timeout_s=30) as made:
            try:
                made.with_options(timeout_s=limit).request("GET", "/v1/plans")
            except ApiError:
                return False
            return made.request("POST", "/v1/items") == {}

    assert in_time(ask, lambda answered: not answered)[0]


@pytest.mark.parametrize("location", ["https://evil.example/", "/v1/elsewhere"])
def test_a_redirect_is_not_followed(location: str) -> None:
    """Our credentials go nowhere else."""
    moved = reply(b"", f"Location: {location}", status="302 Found")
    with serving(answers(moved)) as (url, seen), pytest.raises(ApiResponseError) as caught:
        get(url)

    assert caught.value.status == 302
    assert len(seen) == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\r\n\r\n", reply(b'{"ok"', length=100),
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000],
    ids=["nothing", "no http", "cut", "bad chunk", "many headers", "long header"],
)  # fmt: skip
def test_a_broken_answer_is_a_doubt_about_a_write(raw: bytes) -> None:
    """The request had left; for a read the connection failed, for a write the outcome is unknown."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    with serving(behave) as (url, _), client(url) as made:
        with pytest.raises(ApiConnectionError, match="broke before"):
            made.request("GET", "/v1/plans")
        with pytest.raises(OutcomeUnknown):
            made.request("POST", "/v1/items")


def test_a_refused_connection_is_no_doubt() -> None:
    """Nobody listened, so nothing was done: the error says that the request did not leave."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with client(url) as made:
        for method in ("GET", "POST"):
            with pytest.raises(ApiConnectionError, match="did not reach"):
                made.request(method, "/v1/plans")


def test_a_name_that_does_not_resolve_is_no_doubt() -> None:
    """DNS failure (FAULTS A11)."""
    with pytest.raises(ApiConnectionError, match=r"did not reach .*NameResolution"):
        get("http://api.invalid", connect_timeout_s=1)


def test_tls_against_a_server_that_speaks_none_is_no_doubt() -> None:
    """TLS failure (FAULTS A11)."""
    with (
        serving(answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False) as (url, _),
        client(url.replace("http:", "https:")) as made,
        pytest.raises(ApiConnectionError, match="did not reach"),
    ):
        made.request("POST", "/v1/items")


def test_a_proxy_that_refuses_is_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """407 from the proxy that the environment names (FAULTS A11); its password is sent to the proxy alone."""
    with serving(answers(reply(b"", status="407 Proxy Authentication Required"))) as (url, seen):
        monkeypatch.setenv("https_proxy", url.replace("http://", "http://me:pw@"))
        with client("https://api.razorpay.com") as made, pytest.raises(ApiConnectionError, match="did not reach"):
            made.request("POST", "/v1/items")

    assert seen[0].startswith(b"CONNECT api.razorpay.com:443 ")
    assert b"proxy-authorization: basic bWU6cHc=".lower() in seen[0].lower()
    assert b"\r\nauthorization:" not in seen[0].lower()


def test_a_plain_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy without a scheme is an HTTP proxy; ``no_proxy`` is obeyed."""
    with serving(answers(reply(b'{"by": "proxy"}'))) as (url, seen):
        monkeypatch.setenv("http_proxy", url.removeprefix("http://"))
        assert get("http://emulator.invalid") == {"by": "proxy"}
        assert seen[0].startswith(b"GET http://emulator.invalid/v1/plans ")
        monkeypatch.setenv("no_proxy", "emulator.invalid")
        with pytest.raises(ApiConnectionError):
            get("http://emulator.invalid")


def test_a_kind_of_proxy_that_we_do_not_speak_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOCKS needs a session of the caller's own."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")

    with pytest.raises(ConfigError, match=r"requests\.Session"):
        get("https://api.razorpay.com")


@pytest.mark.parametrize("name", CA_NAMES)
def test_a_custom_ca_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, name: str) -> None:
    """The usual variables name a bundle or a folder; one that is not there is told at once."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    for path, key in ((bundle, "ca_certs"), (tmp_path, "ca_cert_dir")):
        monkeypatch.setenv(name, str(path))
        transport = UrllibTransport("https://api.razorpay.com")
        assert transport._pool.connection_pool_kw[key] == str(path)
        transport.close()

    monkeypatch.setenv(name, str(tmp_path / "absent"))
    with pytest.raises(ConfigError, match=name):
        UrllibTransport("https://api.razorpay.com")


def test_certificates_are_verified_by_default() -> None:
    """The bundle that comes with requests, and no way around it."""
    transport = UrllibTransport("https://api.razorpay.com")
    settings = transport._pool.connection_pool_kw
    transport.close()

    assert settings["cert_reqs"] == "CERT_REQUIRED"
    assert settings["ca_certs"].endswith(".pem")


# --- a caller's own session -----------------------------------------------------------------------------------------


def _requests_error(inner: BaseException) -> requests.ConnectionError:
    outer = requests.ConnectionError(inner)
    outer.args = (type("MaxRetryError", (Exception,), {"reason": inner})(),)
    return outer


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (requests.ConnectTimeout(), ("connection", False)),
        (requests.exceptions.ProxyError(), ("connection", False)),
        (requests.exceptions.InvalidURL(), ("connection", False)),
        (_requests_error(NewConnectionError(None, "refused")), ("connection", False)),  # type: ignore[arg-type]
        (_requests_error(ssl.SSLCertVerificationError()), ("connection", False)),
        (requests.exceptions.SSLError(), ("connection", True)),
        (requests.ConnectionError("planned"), ("connection", True)),
        (requests.ReadTimeout(), ("timeout", True)),
        (TimeoutError(), ("timeout", True)),
        (ConnectionResetError(), ("connection", True)),
    ],
)
def test_only_what_certainly_never_left_counts_as_not_sent(error: Exception, fault: tuple[str, bool]) -> None:
    """Every other failure of requests leaves a write in doubt."""
    found = _fault(error)

    assert (found.what, found.sent) == fault


def test_a_session_of_one_s_own_is_bounded_too() -> None:
    """Total deadline and size hold for a ``requests.Session`` as well."""

    def ask(limit: float) -> ApiError | None:
        slow = drips(reply(b"x" * 1000), limit / 100)
        with serving(slow) as (url, _), requests.Session() as session:
            return failure(url, session=session, total_timeout_s=limit, read_timeout_s=30)

    assert isinstance(in_time(ask, unreached)[0], ApiTimeout)
    large = answers(reply(b"x" * (ANSWER_MAX + 1)))
    with serving(large) as (url, _), requests.Session() as session, pytest.raises(ApiResponseError, match="larger"):
        get(url, session=session)


def test_a_session_of_one_s_own_stays_open() -> None:
    """Closing the client closes nothing of the caller's."""
    with serving(answers(reply(b"{}"))) as (url, _), requests.Session() as session:
        assert get(url, session=session) == {}
        assert get(url, session=session) == {}


def test_an_endless_chain_of_causes_is_not_followed_for_ever() -> None:
    """An error that wraps itself is a broken connection."""
    error = requests.ConnectionError()
    error.args = (error,)

    assert _fault(error) == Fault("connection", True, "ConnectionError")


def test_no_byte_is_read_after_the_deadline() -> None:
    """When the time is up between two reads, the socket is not asked again."""
    _exchange.deadline = 0.0

    with pytest.raises(TimeoutError):
        _TimedReader(None, None).readinto(bytearray(1))


def test_the_deadline_is_checked_between_chunks() -> None:
    """A body whose chunks come too late is given up."""

    class Late:
        status_code = 200
        headers: dict[str, str] = {}  # noqa: RUF012

        def iter_content(self, size: int) -> Iterator[bytes]:
            yield b"{"
            time.sleep(0.02)
            yield b"}"

        def close(self) -> None:
            pass

        def request(self, *args: Any, **options: Any) -> Late:
            return self

    limits = Limits(1, 1, 0.01)
    found = SessionTransport(Late()).send(
        "GET", "http://x.invalid", params=None, body=None, headers={}, auth=None, limits=limits  # type: ignore[arg-type]
    )  # fmt: skip

    assert found == Fault("timeout", True, "TimeoutError")


# --- threads and processes ------------------------------------------------------------------------------------------


def test_threads_share_a_client() -> None:
    """Each thread gets its own answer, within its own deadline."""

    def behave(connection: socket.socket, request: bytes) -> None:
        name = request.split(b" ")[1].rsplit(b"/", 1)[1]
        connection.sendall(reply(b'"' + name + b'"'))

    results: dict[str, Any] = {}
    with serving(behave) as (url, _), client(url) as made:

        def work(n: int) -> None:
            for m in range(5):
                name = f"t{n}x{m}"
                results[name] = made.request("GET", f"/v1/{name}")

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(results) == 40
    assert all(name == found for name, found in results.items())


def test_a_server_error_over_the_wire() -> None:
    """A gateway's page is typed by its status."""
    with serving(answers(reply(b"<html>", status="502 Bad Gateway"))) as (url, _), pytest.raises(ApiServerError):
        get(url)


def test_the_gateway_refuses_another_path_than_the_operation_s() -> None:
    """Were an id ever to change the path, nothing would be sent."""
    from razorpay_hardened.client._gateway import _Ask, _Door

    door = _Door(UrllibTransport("http://127.0.0.1:1"))
    ask = _Ask("http://127.0.0.1:1/v1/x", Limits(1, 1, 1), Credentials(KEY_ID, Secret(KEY_SECRET)), None)

    with pytest.raises(AssertionError, match="another path"):
        door.get(f"http://127.0.0.1:1/v1/orders/{ORDER_ID}", timeout=ask)


def test_an_answer_is_a_value() -> None:
    """Equal answers are equal."""
    assert Answer(200, {}, b"") == Answer(200, {}, b"")
