"""The emulator over real sockets: the wire format, keep-alive, faults that break connections, webhooks."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from razorpay_hardened.emulator import Deliveries, Emulator, serve_forever
from razorpay_hardened.emulator._post import poster
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing import verify_webhook

ORDER = {"amount": 50000, "currency": "INR", "receipt": "r-1"}


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def http_session(rz: Emulator) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.auth = (rz.key_id, rz.key_secret)
        session.trust_env = False
        yield session


def create(session: requests.Session, rz: Emulator, **more: Any) -> requests.Response:
    return session.post(f"{rz.url}/v1/orders", json=ORDER, timeout=more.pop("timeout", 30), **more)


def test_one_connection_serves_many_calls(rz: Emulator) -> None:
    """Connections are kept alive, and each answer is complete and says its length."""
    host = urlsplit(rz.url)
    assert host.hostname is not None
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=60)
    try:
        sockets = set()
        for _ in range(3):
            connection.request("GET", "/v1/orders")
            answer = connection.getresponse()
            body = answer.read()
            sockets.add(connection.sock.getsockname())
            assert (answer.status, answer.version, int(answer.headers["Content-Length"])) == (401, 11, len(body))
        assert len(sockets) == 1
    finally:
        connection.close()


def test_the_same_answers_as_in_process(rz: Emulator, http_session: requests.Session) -> None:
    """The socket adds nothing: a twin without one gives the same bytes."""
    twin = Emulator(in_process=True)
    over_http, inside = create(http_session, rz), twin.request("POST", "/v1/orders", ORDER)

    assert (over_http.status_code, over_http.content) == (inside.status, inside.body)
    assert over_http.headers["Content-Type"] == "application/json"


def wait_until_fired(rz: Emulator) -> None:
    """A client that gives up early may be ahead of the server's thread."""
    pause = threading.Event()
    while not rz.faults.rules[0].fired:
        pause.wait(0.005)
    with rz.world.lock:  # what the fault let happen has happened
        return


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("reset_before", requests.exceptions.ConnectionError, 0),
        ("do_then_reset", requests.exceptions.ConnectionError, 1),
        ("hang(20)", requests.exceptions.ReadTimeout, 0),
        ("do_then_hang(20)", requests.exceptions.ReadTimeout, 1),
        ("hang(0)", requests.exceptions.ConnectionError, 0),
        ("slow(20)", requests.exceptions.ReadTimeout, 1),
        ("truncate(20)", requests.exceptions.ChunkedEncodingError, 1),
        ("cut(20)", requests.exceptions.JSONDecodeError, 1),
        ("502", requests.exceptions.JSONDecodeError, 0),
    ],
)
def test_broken_connections(
    rz: Emulator, http_session: requests.Session, fault: str, error: type[Exception], made: int
) -> None:
    """Each fault breaks the connection for real, and the next call works."""
    rz.faults.add(f"on POST /orders: {fault} once")
    waits = error is requests.exceptions.ReadTimeout
    with pytest.raises(error):
        create(http_session, rz, timeout=(30, 0.05 if waits else 30)).json()
    wait_until_fired(rz)

    assert len(rz.world.orders) == made
    assert create(http_session, rz).status_code == 200


def test_close_ends_hanging_answers() -> None:
    """Closing the emulator does not wait for a hang to be over: the client sees the connection end."""
    rz = Emulator().start()
    rz.faults.add("on GET /orders: hang(300)")
    failed = threading.Event()

    def ask() -> None:
        try:
            requests.get(f"{rz.url}/v1/orders", auth=(rz.key_id, rz.key_secret), timeout=30)
        except requests.exceptions.ConnectionError:
            failed.set()

    client = threading.Thread(target=ask)
    url = rz.url
    client.start()
    wait_until_fired(rz)
    rz.close()
    client.join(60)

    assert failed.is_set()
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=1)


def test_many_customers_at_once(rz: Emulator) -> None:
    """Concurrent calls are served one world step at a time: no id twice, nothing lost."""

    def customer(number: int) -> str:
        with requests.Session() as session:
            session.auth = (rz.key_id, rz.key_secret)
            made = session.post(f"{rz.url}/v1/orders", json={**ORDER, "receipt": f"r-{number}"}, timeout=30).json()
            paid = session.post(f"{rz.url}/_emulator/pay", json={"order_id": made["id"]}, timeout=30).json()
            return str(paid["status"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(customer, range(40))) == {"captured"}
    assert (len(rz.world.orders), len(rz.world.payments), len(rz.world.events)) == (40, 40, 120)


def test_concurrent_refunds_do_not_exceed_the_payment(rz: Emulator) -> None:
    """Two refunds of 60 % at once: one is made, one refused."""
    order = rz.request("POST", "/v1/orders", ORDER).json()
    payment = rz.pay(order["id"])

    def refund(_: int) -> int:
        answer = requests.post(
            f"{rz.url}/v1/payments/{payment['id']}/refund",
            json={"amount": 30000},
            auth=(rz.key_id, rz.key_secret),
            timeout=30,
        )
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(refund, range(4))) == [200, 400, 400, 400]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: 99999999\r\n", 413),
        ("Transfer-Encoding: chunked\r\n", 411),
        ("Content-Length: -1\r\n", 413),
    ],
)
def test_refused_bodies(rz: Emulator, head: str, status: int) -> None:
    """Bodies that are too long or have no honest length are refused before they are read."""
    host = urlsplit(rz.url)
    with socket.create_connection((host.hostname, host.port), timeout=60) as connection:
        connection.sendall(f"POST /v1/orders HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        answer = connection.recv(1000)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_an_address_that_is_taken(rz: Emulator) -> None:
    """A port in use is a ConfigError that names it."""
    port = urlsplit(rz.url).port
    assert port is not None
    with pytest.raises(ConfigError, match=str(port)):
        Emulator(port=port).start()


class Hook(BaseHTTPRequestHandler):
    """A webhook endpoint: remembers and answers as its server says."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen, statuses = self.server.seen, self.server.statuses  # type: ignore[attr-defined]
        seen.append((self.path, dict(self.headers.items()), body))
        self.send_response(statuses.pop(0) if statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.seen, server.statuses = [], []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhooks_over_http(hook: Any) -> None:
    """Webhooks are POSTed to the URL with query and signature; a 500 is tried again."""
    hook.statuses[:] = [500]
    url = f"http://127.0.0.1:{hook.server_address[1]}/razorpay/hook?shop=7"
    with Emulator(webhook_url=url, deliveries=Deliveries(delay_s=(0, 0))) as rz:
        order = rz.request("POST", "/v1/orders", ORDER).json()
        rz.pay(order["id"], outcome="failed")
        rz.clock.advance(10)

    assert [attempt.status for attempt in rz.deliver.log] == [500, 200]
    path, headers, body = hook.seen[1]
    assert path == "/razorpay/hook?shop=7"
    assert headers["User-Agent"] == "Razorpay-Webhook/v1"
    assert verify_webhook(body, headers["X-Razorpay-Signature"], secret=rz.webhook_secret)


def test_nobody_listens() -> None:
    """A refused connection is no answer, and is tried again."""
    with Emulator(webhook_url="http://127.0.0.1:9/hook", deliveries=Deliveries(delay_s=(0, 0))) as rz:
        order = rz.request("POST", "/v1/orders", ORDER).json()
        rz.pay(order["id"], outcome="failed")
        rz.clock.advance(1)

        assert [attempt.status for attempt in rz.deliver.log] == [None]
        assert len(rz.deliver.pending()) == 1


def test_an_answer_that_drips_is_none() -> None:
    """The limit is for the whole answer: bytes that keep coming do not extend it."""
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
                if stop.wait(0.02):
                    return
                connection.sendall(bytes([byte]))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        post = poster(f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.3)
        try:
            assert post("POST", {}, b"{}") is None
        finally:
            stop.set()
            thread.join()


def test_the_control_face_over_http(rz: Emulator, hook: Any) -> None:
    """Another process sets the webhook URL, pays, lets time pass and reads the state."""
    control = f"{rz.url}/_emulator"
    order = rz.request("POST", "/v1/orders", ORDER).json()
    with requests.Session() as session:
        session.post(f"{control}/webhook_url", json={"url": f"http://127.0.0.1:{hook.server_address[1]}/"}, timeout=10)
        session.post(f"{control}/pay", json={"order_id": order["id"]}, timeout=10)
        session.post(f"{control}/clock/advance", json={"seconds": 5}, timeout=10)
        state = session.get(f"{control}/state", timeout=10).json()

    assert len(hook.seen) == 3
    assert state["orders"][order["id"]]["status"] == "paid"
    assert [attempt["status"] for attempt in state["attempts"]] == [200, 200, 200]


def test_serving_by_itself(hook: Any) -> None:
    """serve_forever says when it listens, lets time pass at its own speed, delivers what falls due, and stops."""
    url, stop = f"http://127.0.0.1:{hook.server_address[1]}/", threading.Event()
    seen: list[tuple[Emulator, str]] = []

    def ready(rz: Emulator) -> None:
        order = rz.request("POST", "/v1/orders", ORDER).json()
        rz.pay(order["id"])
        seen.append((rz, rz.url))

    settings = {"webhook_url": url, "speed": 100, "stop": stop, "ready": ready}
    server = threading.Thread(target=serve_forever, args=("127.0.0.1", 0), kwargs=settings)
    server.start()
    for _ in range(6000):
        server.join(0.01)
        if len(hook.seen) == 3:
            break
    stop.set()
    server.join(60)
    rz, address = seen[0]

    assert {json.loads(body)["event"] for _, _, body in hook.seen} == {
        "payment.authorized",
        "payment.captured",
        "order.paid",
    }
    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(ConfigError):
        _ = rz.url


def test_time_does_not_run_backwards() -> None:
    """A negative speed is refused before anything listens."""
    with pytest.raises(ConfigError, match="speed"):
        serve_forever(port=0, speed=-1)
