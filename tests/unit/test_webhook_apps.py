"""The endpoint mounted as an application: WSGI and ASGI, with bodies within bounds and one commit for many."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from bodies import Shop, body, life_of, payment, request
from razorpay_hardened import MemoryStore, SQLiteStore
from razorpay_hardened.signals import Alarm, EventRejected
from razorpay_hardened.web import Reply
from razorpay_hardened.webhooks import writer as writers
from razorpay_hardened.webhooks.writer import Ticket, Writer

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
LIMIT = 1 << 20


def shop(store: Any = None, **options: Any) -> Shop:
    ours = Shop(store or MemoryStore(), options=options)
    ours.store.migrate()
    for number in range(1, 40):
        ours.adopt(number)
    return ours


def reasons(ours: Shop) -> list[str]:
    return [signal.reason for signal in ours.told(EventRejected)]


# --- WSGI


class Input(io.BytesIO):
    """A body that says how far it was read; ``fails`` when the sender hangs up."""

    fails = False

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "without a bound"
        if self.fails:
            raise ConnectionResetError
        return super().read(size)


def environ(raw: bytes = CAPTURED, **changes: Any) -> dict[str, Any]:
    lines = dict(request(raw).headers.items())
    given = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/razorpay",
        "QUERY_STRING": "",
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.9",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "HTTP_X_RAZORPAY_SIGNATURE": lines["X-Razorpay-Signature"],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": Input(raw),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | changes
    return {name: value for name, value in given.items() if value is not None}


def wsgi(ours: Shop, given: dict[str, Any], *, checked: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Call the application; ``checked``: through the standard library's checker of the protocol."""
    came: list[Any] = []
    app: Any = ours.rzp.webhooks.wsgi()
    if checked:
        app = validator(app)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        came[:] = [int(status.split()[0]), dict(headers)]

    answer = app(given, start_response)
    try:
        text = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return came[0], came[1], text


def test_wsgi_processes_a_delivery() -> None:
    """200 · RS, as the protocol has it; path and query are not looked at."""
    ours = shop()
    status, headers, text = wsgi(ours, environ(QUERY_STRING="signature=x"), checked=True)
    assert (status, text) == (200, b'{"status":"processed"}')
    assert headers["Content-Length"] == str(len(text))
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("changes", "status", "reason", "read"),
    [
        ({"REQUEST_METHOD": "GET"}, 405, "MethodRefused", 0),
        ({"CONTENT_LENGTH": str(LIMIT + 1)}, 413, "PayloadTooLarge", 0),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, 415, "EncodingRefused", 0),
        ({"HTTP_X_RAZORPAY_SIGNATURE": None}, 401, "SignatureMissing", len(CAPTURED)),
        ({"HTTP_X_RAZORPAY_SIGNATURE": "0" * 64}, 401, "SignatureMismatch", len(CAPTURED)),
        # Two lines, or the underscore twin of the name: servers join what collides.
        ({"HTTP_X_RAZORPAY_SIGNATURE": ",".join(["0" * 64] * 2)}, 401, "SignatureMalformed", len(CAPTURED)),
        ({"wsgi.input": Input(CAPTURED[:-1])}, 401, "SignatureMismatch", len(CAPTURED) - 1),
        (
            {"wsgi.input": Input(b" " * (LIMIT + 9)), "CONTENT_LENGTH": None, "wsgi.input_terminated": True},
            413,
            "PayloadTooLarge",
            LIMIT + 1,
        ),
        ({"wsgi.input": Input(b"")}, 500, "RawBodyRequired", 0),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wsgi_refusals(changes: dict[str, Any], status: int, reason: str, read: int) -> None:
    """R0: the reason is counted, nothing is stored, and no more is read than may be."""
    ours = shop()
    given = environ(**changes)
    given["wsgi.input"].seek(0)
    assert wsgi(ours, given)[0] == status
    assert reasons(ours) == [reason]
    assert ours.store.deliveries() == []
    assert given["wsgi.input"].tell() == read
    assert [alarm.key for alarm in ours.told(Alarm)] == (["raw_body"] if status == 500 else [])


def test_wsgi_reads_a_chunked_body_and_one_that_comes_in_pieces() -> None:
    """Without a length, the server's promise of an end is enough; a short read is not the end."""

    class Drops(Input):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            return io.BytesIO.read(self, min(size, 7))

    chunked = environ(CONTENT_LENGTH=None, **{"wsgi.input_terminated": True})
    assert wsgi(shop(), chunked)[0] == 200
    assert wsgi(shop(), environ(**{"wsgi.input": Drops(CAPTURED)}))[0] == 200


def test_wsgi_whose_sender_hangs_up() -> None:
    """R0: counted; nobody reads the answer."""
    ours = shop()
    given = environ()
    given["wsgi.input"].fails = True
    assert wsgi(ours, given)[0] == 400
    assert reasons(ours) == ["SenderGone"]


# --- ASGI


class Call:
    """One request to an ASGI application: ``messages`` is what the server hands over, in order."""

    def __init__(self, app: Any, messages: list[Any] | None = None, raw: bytes = CAPTURED, **changes: Any) -> None:
        self.app = app
        self.messages = [{"type": "http.request", "body": raw}] if messages is None else messages
        self.received = 0
        self.sent: list[Any] = []
        headers = [(name.lower().encode(), value.encode()) for name, value in request(raw).headers.items()]
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "method": "POST",
            "path": "/razorpay",
            "query_string": b"",
            "headers": headers,
            "client": ("203.0.113.9", 4711),
        } | changes

    async def __call__(self) -> Any:
        async def receive() -> Any:
            self.received += 1
            return self.messages.pop(0)

        async def send(message: Any) -> None:
            self.sent.append(message)

        await self.app(self.scope, receive, send)
        return self.sent[0]["status"] if self.sent else None


def parts(*bodies: bytes) -> list[Any]:
    return [
        {"type": "http.request", "body": part, "more_body": place < len(bodies) - 1}
        for place, part in enumerate(bodies)
    ]


@pytest.fixture
def served() -> Iterator[Any]:
    """``served(shop)``: an ASGI application that is closed at the end."""
    apps: list[Any] = []

    def make(ours: Shop, **options: Any) -> Any:
        apps.append(ours.rzp.webhooks.asgi(**options))
        return apps[-1]

    yield make
    for app in apps:
        app.close(20)


def test_asgi_processes_a_delivery(served: Any) -> None:
    """200 · RS: the body in pieces, the headers in lower case, the answer whole."""
    ours = shop()
    call = Call(served(ours), parts(CAPTURED[:100], b"", CAPTURED[100:]))
    assert asyncio.run(call()) == 200
    start, end = call.sent
    headers = dict(start["headers"])
    assert end == {"type": "http.response.body", "body": b'{"status":"processed"}'}
    assert headers[b"content-length"] == str(len(end["body"])).encode()
    assert headers[b"cache-control"] == b"no-store"


GOOD = request(CAPTURED).headers.get("X-Razorpay-Signature", "").encode()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "messages", "status", "reason", "received"),
    [
        ({"method": "GET"}, None, 405, "MethodRefused", 0),
        ({"headers": [(b"content-length", str(LIMIT + 1).encode())]}, None, 413, "PayloadTooLarge", 0),
        ({"headers": [(b"content-encoding", b"gzip")]}, None, 415, "EncodingRefused", 0),
        ({"headers": []}, None, 401, "SignatureMissing", 1),
        ({"headers": [(b"x-razorpay-signature", GOOD)] * 2}, None, 401, "SignatureMalformed", 1),
        (
            {"headers": [(b"x-razorpay-signature", GOOD), (b"x_razorpay_signature", GOOD)]},
            None,
            401,
            "SignatureMalformed",
            1,
        ),
        ({}, parts(*[b" " * 65536] * 16, b" ", b"never read"), 413, "PayloadTooLarge", 17),
        ({}, parts(CAPTURED, b" "), 401, "SignatureMismatch", 2),
        ({}, [{"type": "http.disconnect"}], None, "SenderGone", 1),
        ({}, [*parts(CAPTURED[:9], b"")[:1], {"type": "http.disconnect"}], None, "SenderGone", 2),
    ],
    ids=range(10),
)
def test_asgi_refusals(
    served: Any, changes: Any, messages: Any, status: int | None, reason: str, received: int
) -> None:
    """R0: counted, nothing stored, no more received than may be, and nobody who left is answered."""
    ours = shop()
    call = Call(served(ours), messages and list(messages), **changes)
    assert asyncio.run(call()) == status
    assert reasons(ours) == [reason]
    assert ours.store.deliveries() == []
    assert call.received == received


def test_asgi_lifespan_and_other_protocols(served: Any) -> None:
    """Start and shutdown are confirmed; a websocket is closed."""
    app = served(shop())
    sent: list[Any] = []
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    asyncio.run(app({"type": "websocket"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]


class Gate:
    """A handler that waits until it may go on."""

    def __init__(self, ours: Shop) -> None:
        self.running, self.go_on = threading.Event(), threading.Event()
        self.calls: list[str] = []
        ours.rzp.on("order.paid", name="gate")(self)

    def __call__(self, change: Any, tx: Any) -> None:
        self.calls.append(change.key)
        self.running.set()
        assert self.go_on.wait(20)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "shop.db")
    yield made
    made.close()


async def _behind(gate: Gate, app: Any, raws: list[bytes]) -> list[Any]:
    """The first is in work when the others queue up; then they all go on."""
    first = asyncio.create_task(Call(app, raw=raws[0])())
    assert await asyncio.to_thread(gate.running.wait, 20)
    rest = [asyncio.create_task(Call(app, raw=raw)()) for raw in raws[1:]]
    while len(app._writer._state.queue) < len(rest):  # until they have queued up
        await asyncio.sleep(0)
    assert not any(task.done() for task in (first, *rest)), "answered before the commit"
    gate.go_on.set()
    return list(await asyncio.gather(first, *rest))


def test_what_has_queued_up_is_one_commit(store: Any, served: Any) -> None:
    """One alone is not kept waiting; thirty behind it share one transaction, each with its own answer."""
    ours = shop(store)
    gate = Gate(ours)
    raws = [life_of(number)["captured"] for number in range(1, 31)]
    poison = body("payment.captured", payment=payment(31, "captured", amount=1))
    with_twin_and_poison = [*raws, poison, raws[5]]
    commits = 0
    transaction = store.transaction

    def counted(**options: Any) -> Any:
        nonlocal commits
        commits += 1
        return transaction(**options)

    store.transaction = counted
    statuses = asyncio.run(_behind(gate, served(ours), with_twin_and_poison))
    assert statuses == [200] * 32
    assert commits == 2
    assert len(gate.calls) == len(set(gate.calls)) == 30
    states = [row.state for row in store.deliveries(limit=100)]
    assert (states.count("done"), states.count("quarantined")) == (30, 1)


def test_a_batch_has_a_limit(served: Any) -> None:
    """Whatever queues up, no transaction takes more."""
    ours = shop()
    gate = Gate(ours)
    sizes: list[int] = []
    app = served(ours, batch_max=4)
    deliver = app._writer._deliver
    app._writer._deliver = lambda batch: (sizes.append(len(batch)), deliver(batch))[1]
    raws = [life_of(number)["captured"] for number in range(1, 11)]
    assert asyncio.run(_behind(gate, app, raws)) == [200] * 10
    assert sizes == [1, 4, 4, 1]


def test_an_exception_at_commit_leaves_nobody_with_2xx(store: Any, served: Any) -> None:
    """503 for all of the batch, and not a row; sent again, each has its one effect."""
    ours = shop(store)
    gate = Gate(ours)
    raws = [life_of(number)["captured"] for number in range(1, 21)]
    app = served(ours)
    writer = store._ready()
    commit, broken = type(writer).commit, True

    def fails(self: Any) -> None:
        if broken:
            raise OSError("the disk is gone")
        commit(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(writer), "commit", fails)
        with pytest.raises(OSError, match="disk"):
            asyncio.run(_behind(gate, app, raws))
        calls = [Call(app, raw=raw) for raw in raws]

        async def all_of_them() -> Any:
            return await asyncio.gather(*(call() for call in calls), return_exceptions=True)

        ends = asyncio.run(all_of_them())
        assert {type(end) for end in ends} == {OSError}
        assert not any(call.sent for call in calls)
        assert store.deliveries() == []
        broken = False
        gate.calls.clear()
        assert asyncio.run(_many(app, raws)) == [200] * 20
    assert len(gate.calls) == 20


async def _many(app: Any, raws: list[bytes]) -> list[Any]:
    return list(await asyncio.gather(*(Call(app, raw=raw)() for raw in raws)))


def test_while_the_writer_hangs_nobody_waits_for_ever(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A twin of what hangs gets 409, another delivery 503, both with Retry-After; afterwards both are processed."""
    from razorpay_hardened.webhooks import apps

    monkeypatch.setattr(apps, "TWIN_WAIT_S", 0.05)
    monkeypatch.setattr(apps, "WAIT_S", 0.1)
    ours = shop()
    gate = Gate(ours)
    app = served(ours)
    one, other = life_of(1)["captured"], life_of(2)["captured"]

    async def race() -> Any:
        first = asyncio.create_task(Call(app, raw=one)())
        assert await asyncio.to_thread(gate.running.wait, 20)
        twin, stranger = Call(app, raw=one), Call(app, raw=other)
        ends = await asyncio.gather(twin(), stranger())
        gate.go_on.set()
        return [*ends, await first, twin.sent[0]["headers"], stranger.sent[0]["headers"]]

    *statuses, twin, stranger = asyncio.run(race())
    assert statuses == [409, 503, 200]
    assert (dict(twin)[b"retry-after"], dict(stranger)[b"retry-after"]) == (b"5", b"30")
    assert asyncio.run(_many(app, [one, other])) == [200, 200]
    assert len(gate.calls) == 2


def test_a_request_that_is_cancelled_before_its_turn_is_not_begun(served: Any) -> None:
    """As a crash before BEGIN (H7): nothing is stored, and the redelivery does the work."""
    ours = shop()
    gate = Gate(ours)
    app = served(ours)
    one, other = life_of(1)["captured"], life_of(2)["captured"]

    async def race() -> None:
        first = asyncio.create_task(Call(app, raw=one)())
        assert await asyncio.to_thread(gate.running.wait, 20)
        second = asyncio.create_task(Call(app, raw=other)())
        while not app._writer._state.queue:
            await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.go_on.set()
        assert await first == 200

    asyncio.run(race())
    assert [row.body for row in ours.store.deliveries()] == [one]
    assert asyncio.run(_many(app, [other])) == [200]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_is_not_an_exception_reaches_the_one_who_caused_it(served: Any, error: type[BaseException]) -> None:
    """It goes up through the server's own task; the writer lives on and serves the next."""
    ours = shop()

    @ours.rzp.on("order.paid", name="exits")
    def exits(change: Any, tx: Any) -> None:
        if change.order.order_id.endswith("01"):
            raise error

    app = served(ours)
    with pytest.raises(error):
        asyncio.run(Call(app, raw=life_of(1)["captured"])())
    assert asyncio.run(_many(app, [life_of(2)["captured"]])) == [200]


def test_a_full_queue_says_so(served: Any) -> None:
    """503 + Retry-After beyond the limit: memory is bounded."""
    ours = shop()
    gate = Gate(ours)
    app = served(ours)
    app._writer._queue_max = 3
    raws = [life_of(number)["captured"] for number in range(1, 7)]

    async def flood() -> Any:
        first = asyncio.create_task(Call(app, raw=raws[0])())
        assert await asyncio.to_thread(gate.running.wait, 20)
        rest = [asyncio.create_task(Call(app, raw=raw)()) for raw in raws[1:]]
        await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        gate.go_on.set()
        return [await task for task in (first, *rest)]

    assert asyncio.run(flood()) == [200, 200, 200, 200, 503, 503]


def test_a_writer_that_was_closed_finishes_first_and_begins_again() -> None:
    """Nothing that was accepted is dropped; the next delivery starts a new thread."""
    told: list[Any] = []
    writer = Writer(lambda batch: [Reply(200)] * len(batch))
    ours = shop()
    verified = ours.rzp.webhooks.verify(request(CAPTURED))
    for _ in range(2):
        for _ in range(3):
            writer.submit(Ticket(verified, None, told.extend))  # type: ignore[arg-type]
        writer.close(20)
    assert [end.status for _, end in told] == [200] * 6
    assert threading.active_count() == len(threading.enumerate())


def test_what_waited_too_long_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Razorpay has hung up by then, and sends it again."""
    told: list[Any] = []
    worked: list[int] = []
    writer = Writer(lambda batch: worked.append(len(batch)) or [Reply(200)] * len(batch))  # type: ignore[func-returns-value]
    verified = shop().rzp.webhooks.verify(request(CAPTURED))
    ticket = Ticket(verified, None, told.extend)  # type: ignore[arg-type]
    ticket.since -= writers.WAIT_S + 1
    writer.submit(ticket)
    writer.close(20)
    assert worked == []
    assert [type(end).__name__ for _, end in told] == ["StorageUnavailable"]


@pytest.mark.slow
def test_threads_loops_and_twins_at_once(tmp_path: Path, served: Any) -> None:
    """Four event loops in four threads and eight plain threads deliver the same hundred bodies to two writers of one
    store: every answer is 200 or asks to come again, and every body has one effect."""
    store = SQLiteStore(tmp_path / "shop.db")
    ours = shop(store)
    calls: list[str] = []
    lock = threading.Lock()

    @ours.rzp.on("order.paid", name="count")
    def count(change: Any, tx: Any) -> None:
        with lock:
            calls.append(change.key)

    raws = [
        life_of(number)[name] for number in range(1, 26) for name in ("authorized", "captured", "order.paid", "failed")
    ]
    app = served(ours)
    statuses: list[int] = []

    def loop() -> None:
        came = asyncio.run(_many(app, raws))
        with lock:
            statuses.extend(came)

    def plain(start: int) -> None:
        came = [ours.rzp.webhooks.handle(request(raw)).status for raw in raws[start:] + raws[:start]]
        with lock:
            statuses.extend(came)

    threads = [threading.Thread(target=loop) for _ in range(4)]
    threads += [threading.Thread(target=plain, args=(12 * place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    store.close()
    assert len(statuses) == 1200
    assert set(statuses) <= {200, 409, 503}
    assert [row.state for row in store.deliveries(limit=200)] == ["done"] * 100
    assert len(set(calls)) == 25
    assert {row.state for row in store.effects(limit=100)} == {"done"}
    assert len(store.effects(limit=100)) == 25
    store.close()
