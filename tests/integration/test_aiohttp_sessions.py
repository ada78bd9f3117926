"""The asynchronous transport and its event loops: a session for each, closed with it; cancelling; others' sessions."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from client_fakes import KEY_ID, KEY_SECRET
from razorpay_hardened.client._aiohttp import AiohttpTransport
from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._values import Answer, Fault, Limits
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing.keys import Secret
from support.wire import ENVIRONMENT, answers, reply, serving

AMPLE = Limits(30, 30, 60)
CREDENTIALS = Credentials(KEY_ID, Secret(KEY_SECRET))
OPENSSL = shutil.which("openssl")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


def send(
    transport: AiohttpTransport,
    url: str,
    method: str = "GET",
    *,
    limits: Limits = AMPLE,
    auth: Credentials = CREDENTIALS,
) -> Coroutine[Any, Any, Answer | Fault]:
    return transport.send(method, url, params=None, body=None, headers={}, auth=auth, limits=limits)


def ok(found: Answer | Fault) -> bool:
    assert isinstance(found, Answer), found
    return found.status == 200


def counting(connections: set[Any]) -> Any:
    def behave(connection: socket.socket, request: bytes) -> None:
        connections.add(connection.getpeername())
        connection.sendall(reply(b"{}"))

    return behave


def test_each_loop_has_a_session_of_its_own_and_all_are_closed() -> None:
    """Three ``asyncio.run`` in a row, nobody calls close: three connections, and nothing is left open."""
    connections: set[Any] = set()
    with serving(counting(connections)) as (url, _), warnings.catch_warnings():
        warnings.simplefilter("error")
        transport = AiohttpTransport(url)

        async def twice() -> None:
            assert ok(await send(transport, url))
            assert ok(await send(transport, url))

        for _ in range(3):
            asyncio.run(twice())
            gc.collect()  # an open session or socket warns when it is collected
            assert all(session.closed for _, session in transport._keepers.values())
        assert len(transport._keepers) == 1

    assert len(connections) == 3


def test_close_closes_and_the_next_call_opens_again() -> None:
    """Twice is once; and a closed transport is not a dead one."""
    connections: set[Any] = set()

    async def main() -> None:
        transport = AiohttpTransport(url)
        await transport.close()
        assert ok(await send(transport, url))
        await transport.close()
        await transport.close()
        assert not transport._keepers
        assert ok(await send(transport, url))
        await transport.close()

    with serving(counting(connections)) as (url, _):
        asyncio.run(main())

    assert len(connections) == 2


def test_threads_with_loops_of_their_own_share_a_transport() -> None:
    """Each in its own loop, at the same time."""
    found: list[bool] = []
    with serving(answers(reply(b"{}"))) as (url, _):
        transport = AiohttpTransport(url)

        async def some() -> None:
            found.extend([ok(await send(transport, url)) for _ in range(5)])

        threads = [threading.Thread(target=lambda: asyncio.run(some())) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert found == [True] * 30


def test_many_at_once_share_connections() -> None:
    """Each gets its own answer; beyond the limit of connections they wait for one."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connections.add(connection.getpeername())
        connection.sendall(reply(request.split(b" ")[1]))

    async def main() -> list[Answer | Fault]:
        transport = AiohttpTransport(url)
        found = await asyncio.gather(*(send(transport, f"{url}/v1/{n}") for n in range(250)))
        await transport.close()
        return found

    connections: set[Any] = set()
    with serving(behave) as (url, _):
        found = asyncio.run(main())

    assert [one.body for one in found if isinstance(one, Answer)] == [b"/v1/%d" % n for n in range(250)]
    assert len(connections) <= 100


def test_a_goodbye_that_the_loop_has_not_read_yet_is_heard_before_sending() -> None:
    """The loop was busy while the server closed an idle connection: the next POST does not go into the dead one."""
    closed = threading.Event()

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(reply(b"{}"))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    async def main() -> None:
        transport = AiohttpTransport(url)
        for _ in range(5):
            closed.clear()
            assert ok(await send(transport, url, "POST"))
            assert closed.wait(30)  # blocks the loop, on purpose
        await transport.close()

    with serving(behave) as (url, seen):
        asyncio.run(main())

    assert len(seen) == 5


def test_a_cancelled_request_leaves_no_connection_behind() -> None:
    """Its answer must not be taken for the next one's; the cancellation goes on to the caller."""
    arrived, over = threading.Event(), threading.Event()

    def behave(connection: socket.socket, request: bytes) -> None:
        if b" /slow " in request:
            arrived.set()
            over.wait(60)
        connection.sendall(reply(request.split(b" ")[1]))

    async def main() -> None:
        transport = AiohttpTransport(url)
        slow = asyncio.create_task(send(transport, f"{url}/slow", "POST"))
        assert await asyncio.to_thread(arrived.wait, 30)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        over.set()
        found = await send(transport, f"{url}/fast")
        assert isinstance(found, Answer)
        assert found.body == b"/fast"
        await transport.close()

    with serving(behave, until=over) as (url, seen):
        asyncio.run(main())

    assert len(seen) == 2


def test_a_wait_for_a_free_connection_counts_as_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """All connections are taken until the deadline: the request never left."""
    monkeypatch.setattr("razorpay_hardened.client._aiohttp._CONNECTIONS_MAX", 1)
    over = threading.Event()

    async def main() -> None:
        transport = AiohttpTransport(url)
        first = asyncio.create_task(send(transport, url, "POST"))
        while not seen:
            await asyncio.sleep(0)
        found = await send(transport, url, "POST", limits=Limits(5, 5, 0.05))
        assert isinstance(found, Fault)
        assert (found.what, found.sent) == ("connection", False)
        over.set()
        assert ok(await first)
        await transport.close()

    def behave(connection: socket.socket, request: bytes) -> None:
        over.wait(60)
        connection.sendall(reply(b"{}"))

    with serving(behave, until=over) as (url, seen):
        asyncio.run(main())

    assert len(seen) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_opens_connections_of_its_own() -> None:
    """A forked worker shares no socket with its parent, and leaves the parent's open."""
    connections: set[Any] = set()
    with serving(counting(connections)) as (url, seen), asyncio.Runner() as runner:
        transport = AiohttpTransport(url)
        assert ok(runner.run(send(transport, url)))
        child = os.fork()
        if child == 0:
            found: Any = None
            with asyncio.Runner() as own:
                found = own.run(send(transport, url))
            os._exit(0 if isinstance(found, Answer) else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert ok(runner.run(send(transport, url)))

    assert len(seen) == 3
    assert len(connections) == 2


# --- certificates ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(OPENSSL is None, reason="no openssl to make a certificate with")
def test_https_with_a_custom_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is refused before anything is sent; the variable makes it known."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}".split()
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([str(OPENSSL), *make, *name], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def ask(url: str) -> Answer | Fault:
        transport = AiohttpTransport(url)
        first = await send(transport, f"{url}/v1/orders", "POST", auth=mine)
        again = await send(transport, f"{url}/v1/orders", auth=mine)
        await transport.close()
        return again if isinstance(first, Answer) else first

    with Emulator(tls=context) as rz:
        mine = Credentials(rz.key_id, Secret(rz.key_secret))
        refused = asyncio.run(ask(rz.url))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        accepted = asyncio.run(ask(rz.url))
        gc.collect()

    assert isinstance(refused, Fault)
    assert (refused.what, refused.sent) == ("connection", False)
    assert ok(accepted)


@pytest.mark.parametrize("folder", [False, True])
def test_certificates_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    """A file without a certificate is ConfigError; a folder is taken as it is."""
    path = tmp_path / "ca.pem"
    path.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path if folder else path))
    if folder:
        assert AiohttpTransport("https://api.razorpay.com")._tls is not None
        return
    with pytest.raises(ConfigError, match="certificates"):
        AiohttpTransport("https://api.razorpay.com")


# --- a session of the caller's --------------------------------------------------------------------------------------


def test_a_session_of_one_s_own_lends_its_connector_and_nothing_else() -> None:
    """Its headers and cookies do not travel with our key, its ``raise_for_status`` does not apply, it stays open."""

    async def main() -> None:
        async with aiohttp.ClientSession(
            headers={"X-Theirs": "1"}, cookies={"theirs": "2"}, raise_for_status=True
        ) as theirs:
            transport = AiohttpTransport(url, theirs)
            for _ in range(2):
                found = await send(transport, url, "DELETE")
                assert isinstance(found, Answer)
                assert found.status == 400
            await transport.close()
            assert not theirs.closed
            async with theirs.get(url, raise_for_status=False) as response:
                assert response.status == 400

    with serving(answers(reply(b"{}", status="400 Bad Request"))) as (url, seen):
        asyncio.run(main())

    assert all(b"theirs" not in one.lower() for one in seen[:2])
    assert b"theirs" in seen[2].lower()
    assert b"authorization" not in seen[2].lower()


def test_nothing_is_repeated_over_a_session_of_one_s_own_either() -> None:
    """The connector is theirs, the rule that nothing is sent twice is ours."""

    async def main() -> None:
        async with aiohttp.ClientSession() as theirs:
            transport = AiohttpTransport(url, theirs)
            for method in ("GET", "PUT", "DELETE", "POST"):
                found = await send(transport, url, method)
                assert isinstance(found, Fault)
                assert (found.what, found.sent) == ("connection", True)
            await transport.close()

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    with serving(behave) as (url, seen):
        asyncio.run(main())

    assert len(seen) == 4


def test_a_session_that_cannot_be_used_is_told() -> None:
    """It is closed, or lives in another loop."""

    async def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    with asyncio.Runner() as runner:
        theirs = runner.run(make())
        transport = AiohttpTransport("http://127.0.0.1:1", theirs)
        with asyncio.Runner() as other, pytest.raises(ConfigError, match="another event loop"):
            other.run(send(transport, "http://127.0.0.1:1"))
        runner.run(theirs.close())
        with pytest.raises(ConfigError, match="closed"):
            runner.run(send(transport, "http://127.0.0.1:1"))


def test_proxy_variables_count_for_a_session_that_trusts_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for no other."""

    async def main(trust: bool) -> Answer | Fault:
        async with aiohttp.ClientSession(trust_env=trust) as theirs:
            transport = AiohttpTransport("http://emulator.invalid", theirs)
            found = await send(transport, "http://emulator.invalid/v1/orders")
            await transport.close()
            return found

    with serving(answers(reply(b"{}"))) as (url, seen):
        monkeypatch.setenv("http_proxy", url)
        assert ok(asyncio.run(main(True)))
        found = asyncio.run(main(False))

    assert isinstance(found, Fault)
    assert not found.sent
    assert len(seen) == 1


# --- the extra ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["client._aiohttp", "emulator.connector"])
def test_without_aiohttp_the_extra_is_named(module: str) -> None:
    """Importing the package needs no extra; the asynchronous parts say what to install."""
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "import razorpay_hardened, razorpay_hardened.client, razorpay_hardened.emulator\n"
        f"import razorpay_hardened.{module}"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert found.returncode == 1
    assert "ExtraMissing" in found.stderr
    assert "pip install 'razorpay-hardened[async]'" in found.stderr


def test_importing_the_package_does_not_import_aiohttp() -> None:
    """Nor does making a synchronous client."""
    code = (
        "import sys, razorpay_hardened, razorpay_hardened.client, razorpay_hardened.emulator\n"
        "razorpay_hardened.client.Client('rzp_test_1DP5mmOlF5G5ag', 's' * 24)\n"
        "assert 'aiohttp' not in sys.modules and 'asyncio' not in sys.modules, 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
