"""Bad webhook bodies, one row each, every one signed rightly: kept and told, never lost (section 7, third table)."""

from __future__ import annotations

import gzip
import itertools
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from bodies import ACCOUNT, AMOUNT, START, WEBHOOK_SECRET, Shop, body, order, order_id, payment, payment_id, refund
from razorpay_hardened import Money, sign_for_test, web
from razorpay_hardened.signals import EventProcessed, EventQuarantined
from support.bad_inputs import Row, arrive, holdings, params, shop

MALFORMED, INVALID = "PayloadMalformed", "PayloadInvalid"
EITHER = (MALFORMED, INVALID)
CAPTURED = body("payment.captured", payment=payment(1, "captured"))
FULL = payment(1, "captured")


def changed(old: bytes, new: bytes, raw: bytes = CAPTURED) -> bytes:
    assert raw.count(old) >= 1
    return raw.replace(old, new, 1)


def amount(literal: bytes) -> bytes:
    return changed(b'"amount":49900', b'"amount":' + literal)


def entity(event: str = "payment.captured", status: str = "captured", **fields: Any) -> bytes:
    return body(event, payment=payment(1, status, **fields))


def without(name: str) -> bytes:
    return body("payment.captured", payment={key: value for key, value in FULL.items() if key != name})


def envelope(**fields: Any) -> bytes:
    return json.dumps({**json.loads(CAPTURED), **fields}, separators=(",", ":")).encode()


def notes(literal: bytes) -> bytes:
    return changed(b'"notes":[]', b'"notes":' + literal)


def kept(id_: str, raw: bytes, reason: str | tuple[str, ...], **more: Any) -> Row:
    return Row(id_, raw, 200, "RQ", reason, **more)


def done(id_: str, raw: bytes, **more: Any) -> Row:
    return Row(id_, raw, 200, "RS", **more)


def marked_stale(ours: Shop) -> None:
    assert [row.reason for row in ours.store.deliveries()] == ["stale"]


def captured_now(ours: Shop) -> None:
    state = ours.store.payment(payment_id(1))
    assert state is not None
    assert state.status == "captured"


def order_untouched(ours: Shop) -> None:
    held = ours.store.order(order_id(1))
    assert held is not None
    assert held.status == "created"


def _later(refunds: int, **fields: Any) -> bytes:
    paid = payment(1, "captured", amount_refunded=AMOUNT)
    return body("refund.processed", payment=paid, refund=refund(refunds, "processed", of=1, **fields))


NOT_JSON = {
    "amount NaN": amount(b"NaN"),
    "amount -Infinity": amount(b"-Infinity"),
    "amount Infinity": amount(b"Infinity"),
    "amount of 5,000 digits": amount(b"9" * 5000),
}
MALFORMED_BODIES = {
    "100,000 brackets": b"[" * 100_000,
    "100,000 braces": b'{"a":' * 100_000,
    "66 deep, closed": b"[" * 66 + b"]" * 66,
    "UTF-16LE with BOM": b"\xff\xfe" + CAPTURED.decode().encode("utf-16-le"),
    "UTF-16BE with BOM": b"\xfe\xff" + CAPTURED.decode().encode("utf-16-be"),
    "UTF-16 without BOM": CAPTURED.decode().encode("utf-16-le"),
    "UTF-32 without BOM": CAPTURED.decode().encode("utf-32-le"),
    "UTF-8 with BOM": b"\xef\xbb\xbf" + CAPTURED,
    "byte FF in a string": notes(b'{"a":"\xff"}'),
    "overlong C0 AF": notes(b'{"a":"\xc0\xaf"}'),
    "UTF-8 of a surrogate": notes(b'{"a":"\xed\xa0\x80"}'),
    "beyond U+10FFFF": notes(b'{"a":"\xf4\x90\x80\x80"}'),
    "cut in a character": notes(b'{"a":"\xe2\x82"}'),
    "two documents": b"{}{}",
    "a real one and a second": CAPTURED + b"{}",
    "a comment": b"// comment",
    "a comment behind": CAPTURED + b" // comment",
    "only spaces": b"   ",
    "only a newline": b"\n",
    "cut in the middle": CAPTURED[: len(CAPTURED) // 2],
    "last brace missing": CAPTURED[:-1],
    "single quotes": CAPTURED.replace(b'"', b"'"),
    "trailing comma": CAPTURED[:-1] + b",}",
    "NUL behind": CAPTURED + b"\0",
    "raw newline in a string": notes(b'{"a":"x\ny"}'),
    "form encoding": b"event=payment.captured&amount=100",
    "XML": b"<?xml version='1.0'?><event>payment.captured</event>",
    "amount 0100": amount(b"0100"),
    "amount +100": amount(b"+100"),
    "amount 0x64": amount(b"0x64"),
}
INVALID_BODIES = {
    "amount 100.0": amount(b"100.0"),
    "amount 1e2": amount(b"1e2"),
    "amount true": amount(b"true"),
    "amount null": amount(b"null"),
    "amount -0": amount(b"-0"),
    "amount -1": amount(b"-1"),
    "amount as text": amount(b'"49900"'),
    "amount a list": amount(b"[49900]"),
    "amount 2**63": amount(str(2**63).encode()),
    "amount absent": without("amount"),
    "lone surrogate in event": changed(b'"payment.captured"', rb'"\ud800"'),
    "top-level null": b"null",
    "top-level list": b"[]",
    "top-level number": b"1",
    "top-level text": b'"payment.captured"',
    "top-level true": b"true",
    "empty object": b"{}",
    "event is a list": envelope(event=["payment.captured"]),
    "event is null": envelope(event=None),
    "event is a number": envelope(event=7),
    "event of 1,000 characters": envelope(event="x" * 1000),
    "payload absent": json.dumps({k: v for k, v in json.loads(CAPTURED).items() if k != "payload"}).encode(),
    "payload null": envelope(payload=None),
    "payload a list": envelope(payload=[]),
    "payload without payment": envelope(payload={}),
    "entity null": envelope(payload={"payment": {"entity": None}}),
    "entity absent": envelope(payload={"payment": {}}),
    "entity a list": envelope(payload={"payment": {"entity": [FULL]}}),
    "currency absent": without("currency"),
    "status absent": without("status"),
    "status a number": entity(status="captured").replace(b'"status":"captured"', b'"status":1'),
    "created_at a string": envelope(created_at="1772445700"),
    "created_at negative": envelope(created_at=-1),
    "created_at beyond any calendar": envelope(created_at=2**60),
    "created_at in the year 36812": envelope(created_at=2**40),
    "created_at a fraction": envelope(created_at=1772445700.5),
    "account_id a number": envelope(account_id=7),
}
ID_BODIES = {
    "a path in the id": entity(id="pay_../../refunds"),
    "id of another kind": entity(id=order_id(1)),
    "id with a newline": entity(id=payment_id(1) + "\n"),
    "id with a NUL": entity(id="pay_\0" + "0" * 13),
    "id with a Cyrillic letter": entity(id="pаy_00000000000001"),
    "id with Devanagari digits": entity(id="pay_" + "१" * 14),
    "id of 9 characters": entity(id="pay_123456789"),
    "id of 41 characters": entity(id="pay_" + "a" * 41),
    "order id of another kind": entity(order_id=payment_id(1)),
    "empty id": entity(id=""),
}
_MANY_NOTES = json.dumps({f"key{number}": number for number in range(10_000)}, separators=(",", ":")).encode()
_EXTRA = envelope(
    new=1,
    payload={"payment": {"entity": {**FULL, "brand_new": {"deep": [1]}}, "new": None}, "vendor": {"entity": {"x": 1}}},
)

ROWS = [
    *(kept(name, raw, EITHER) for name, raw in NOT_JSON.items()),
    *(kept(name, raw, MALFORMED) for name, raw in MALFORMED_BODIES.items()),
    *(kept(name, raw, INVALID) for name, raw in INVALID_BODIES.items()),
    *(kept(name, raw, "IdMalformed") for name, raw in ID_BODIES.items()),
    done("lone surrogate in notes", notes(rb'{"a":"\ud800"}'), then=captured_now),
    done("NUL in notes", notes(rb'{"a":"\u0000"}'), then=captured_now),
    Row("log injection", changed(b'"payment.captured"', rb'"x\r\nERROR fake\u001b[2J"'), 200, "RI"),
    Row("unknown event", changed(b'"payment.captured"', b'"payment.teleported"'), 200, "RI"),
    Row("empty event name", changed(b'"payment.captured"', b'""'), 200, "RI"),
    Row("event in upper case", changed(b'"payment.captured"', b'"PAYMENT.CAPTURED"'), 200, "RI"),
    done("unknown fields everywhere", _EXTRA, then=captured_now),
    done("authorized, and captured already", entity("payment.authorized", "captured"), then=captured_now),
    kept("captured, and failed", entity("payment.captured", "failed"), "InconsistentEvent"),
    kept("captured, and only created", entity("payment.captured", "created"), "InconsistentEvent"),
    kept("more refunded than paid", entity(amount_refunded=AMOUNT + 1), "InconsistentEvent"),
    kept("currency inr", entity(currency="inr"), "CurrencyError"),
    kept("currency with a space", entity(currency="INR "), "CurrencyError"),
    kept("currency full-width", entity(currency="ＩＮＲ"), "CurrencyError"),
    kept("currency unknown", entity(currency="ZZZ"), "CurrencyError"),
    kept("currency a number", entity(currency=356), (*EITHER, "CurrencyError")),
    kept("another amount than ordered", entity(amount=AMOUNT + 1), "AmountMismatch"),
    kept("less than ordered", entity(amount=1), "AmountMismatch"),
    kept("another currency than ordered", entity(currency="USD"), "CurrencyMismatch"),
    kept("one refund above its payment", _later(1, amount=AMOUNT + 1), "OverRefund", before=(CAPTURED,)),
    done("a sum of refunds above it", _later(2), before=(CAPTURED, _later(1)), alarms=("over_refund",)),
    kept("refund of another payment", body("refund.processed", payment=FULL, refund=refund(1, "processed", of=2)),
         "InconsistentEvent"),
    done("the customer bears the fee", entity(amount=AMOUNT + 1178, fee=1178, fee_bearer="customer"),
         then=captured_now),
    done("no order", entity(order_id=None), then=order_untouched),
    Row("order not registered", body("payment.captured", payment=payment(2, "captured")), 200, "RP"),
    kept("another account", envelope(account_id="acc_00000000000009"), "AccountMismatch",
         options={"account_id": ACCOUNT}),
    done("created_at 0", envelope(created_at=0), then=marked_stale),
    done("created_at absent", body("payment.captured", created_at=None, payment=FULL), then=captured_now),
    done("14 days old", envelope(created_at=int(START.timestamp()) - 14 * 86400), then=marked_stale),
    Row("14 days old, a second time", envelope(created_at=int(START.timestamp()) - 14 * 86400), 200, "RD",
        before=(envelope(created_at=int(START.timestamp()) - 14 * 86400),)),
    done("created in the future", envelope(created_at=int(START.timestamp()) + 86400), then=captured_now),
    done("notes an empty list", CAPTURED, then=captured_now),
    done("notes of 10,000 keys", notes(_MANY_NOTES), then=captured_now),
    done("notes __class__", notes(b'{"__class__":"os.system"}'), then=captured_now),
    done("notes __proto__", notes(b'{"__proto__":{"admin":true}}'), then=captured_now),
    done("notes with a format field", notes(b'{"a":"{0.__class__.__init__.__globals__}"}'), then=captured_now),
    done("a key twice, the last counts", amount(b'1,"amount":49900'), then=captured_now),
    done("spaces round it", b" \r\n\t" + CAPTURED + b"\n", then=captured_now),
]  # fmt: skip


@pytest.mark.parametrize("row", params(ROWS))
def test_body(row: Row) -> None:
    """The status, the record and the signals of the row; nothing else changes."""
    arrive(row)


# --- requests that are refused from their head, or read from a stream -----------------------------------------------


class Stream:
    """What a server gives for a body; counts what was taken."""

    def __init__(self, part: bytes, length: int) -> None:
        self.part = part
        self.left = length
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "an unbounded read"
        given = (self.part * (size // len(self.part) + 1))[: min(size, self.left)]
        self.left -= len(given)
        self.taken += len(given)
        return given


def wsgi(raw: bytes | Stream, *, announced: int | None = None, **more: Any) -> web.Request:
    stream = raw if isinstance(raw, Stream) else Stream(raw or b" ", len(raw))
    environ = {"REQUEST_METHOD": "POST", "wsgi.input": stream, "REMOTE_ADDR": "203.0.113.9", **more}
    if announced is not None:
        environ["CONTENT_LENGTH"] = str(announced)
    if isinstance(raw, bytes):
        environ.setdefault("HTTP_X_RAZORPAY_SIGNATURE", sign_for_test(raw, WEBHOOK_SECRET))
    return web.Request.from_wsgi(environ)


_ZIPPED = gzip.compress(CAPTURED, mtime=0)


def _coded(coding: str, raw: bytes = _ZIPPED) -> Callable[[], web.Request]:
    return lambda: web.Request(
        "POST", {"X-Razorpay-Signature": sign_for_test(raw, WEBHOOK_SECRET), "Content-Encoding": coding}, raw
    )


HEAD_ROWS = [
    Row("gzip", _coded("gzip"), 415, "R0", "EncodingRefused"),
    Row("GZIP", _coded("GZIP"), 415, "R0", "EncodingRefused"),
    Row("deflate", _coded("deflate"), 415, "R0", "EncodingRefused"),
    Row("br", _coded("br"), 415, "R0", "EncodingRefused"),
    Row("identity, gzip", _coded("identity, gzip"), 415, "R0", "EncodingRefused"),
    Row("gzip that is not told", _ZIPPED, 200, "RQ", MALFORMED),
    Row("announced 1 MiB + 1", lambda: wsgi(CAPTURED, announced=(1 << 20) + 1), 413, "R0", "PayloadTooLarge"),
    Row("received 1 MiB + 1", CAPTURED.ljust((1 << 20) + 1), 413, "R0", "PayloadTooLarge"),
    Row("1 MiB exactly", CAPTURED.ljust(1 << 20), 200, "RS"),
    Row("shorter than announced", lambda: _short(), 401, "R0", "SignatureMismatch"),
    Row("chunked past 1 MiB", lambda: _chunked(), 413, "R0", "PayloadTooLarge"),
]


def _short() -> web.Request:
    environ = {"HTTP_X_RAZORPAY_SIGNATURE": sign_for_test(CAPTURED, WEBHOOK_SECRET)}
    return wsgi(Stream(CAPTURED[:100], 100), announced=len(CAPTURED), **environ)


def _chunked() -> web.Request:
    return wsgi(Stream(b"x", 1 << 30), **{"wsgi.input_terminated": True})


@pytest.mark.parametrize("row", params(HEAD_ROWS))
def test_head_and_stream(row: Row) -> None:
    """Method, size and coding are looked at before the tag."""
    arrive(row)


def test_a_body_that_is_announced_as_too_large_is_not_read() -> None:
    """Not one byte is taken from the stream."""
    stream = Stream(b"x", 1 << 30)
    assert wsgi(stream, announced=(1 << 20) + 1).too_large()
    assert stream.taken == 0


def test_a_chunked_body_is_read_to_the_limit_and_no_further() -> None:
    """One byte more than 1 MiB shows that it is too large."""
    stream = Stream(b"x", 1 << 30)
    assert wsgi(stream, **{"wsgi.input_terminated": True}).too_large()
    assert stream.taken == (1 << 20) + 1


def test_a_gzip_bomb_is_never_inflated() -> None:
    """A body that would be 8 MiB costs no memory at all."""
    bomb = gzip.compress(b"\0" * (1 << 23), 9, mtime=0)
    ours = shop()
    tracemalloc.start()
    try:
        reply = ours.rzp.webhooks.handle(_coded("gzip", bomb)())
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert (reply.status, ours.store.deliveries()) == (415, [])


def _colliding() -> bytes:
    """As many keys as 1 MiB holds, all with one and the same value under the multiply-by-31 hash."""
    keys = ("".join(pairs) for pairs in itertools.product(("Aa", "BB"), repeat=14))
    return b"{" + b",".join(b'"%s":0' % key.encode() for key in keys) + b"}"


@pytest.mark.parametrize("place", ["notes", "top level"])
def test_colliding_keys_cost_no_time(place: str) -> None:
    """16,384 keys, in the notes or as fields of their own: read in less than 250 ms of CPU."""
    keys = _colliding()
    raw = notes(keys) if place == "notes" else keys[:-1] + b"," + CAPTURED[1:]
    ours = shop()
    begun = time.process_time()
    assert ours.deliver(raw) == 200
    assert time.process_time() - begun < 0.25
    assert len(ours.told(EventProcessed)) == 1


def test_200_000_keys_are_refused_by_their_size() -> None:
    """They do not fit into 1 MiB, so that nobody parses them."""
    raw = b"{" + b",".join(b'"%x":0' % number for number in range(200_000)) + b"}"
    ours = shop()
    assert (ours.deliver(raw), ours.store.deliveries()) == (413, [])


def test_a_parked_event_is_drained_by_the_registration_of_its_order() -> None:
    """The webhook that beat our own commit is applied in the transaction that makes its order known."""
    ours = shop()
    assert ours.deliver(body("payment.captured", payment=payment(2, "captured"))) == 200
    assert ours.store.payment(payment_id(2)) is None
    ours.adopt(2)
    state = ours.store.payment(payment_id(2))
    assert state is not None
    assert (state.status, [row.state for row in ours.store.deliveries()]) == ("captured", ["done"])


def test_a_quarantined_body_sent_again_is_a_duplicate() -> None:
    """It is kept once and alarmed once."""
    ours = shop()
    assert [ours.deliver(b"{}"), ours.deliver(b"{}")] == [200, 200]
    assert (len(ours.store.deliveries()), len(ours.told(EventQuarantined))) == (1, 1)


@pytest.mark.xfail(
    strict=True, reason="a part above what is due is taken in; a law for it may not depend on the order of arrival"
)
def test_partial_payment_takes_at_most_what_is_due() -> None:
    """An order that allows parts takes one; a part above what is due is quarantined."""
    ours = shop()
    ours.rzp.checkout.adopt(order_id(3), owner="user:7", amount=Money(AMOUNT), partial_payment=True)
    assert ours.deliver(body("payment.captured", payment=payment(4, "captured", order=3, amount=AMOUNT - 1))) == 200
    before = holdings(ours.store)["payments"]
    assert ours.deliver(body("payment.captured", payment=payment(5, "captured", order=3, amount=2))) == 200
    assert holdings(ours.store)["payments"] == before
    assert [signal.reason for signal in ours.told(EventQuarantined)] == ["AmountMismatch"]


def test_order_of_another_amount_contradicts_ours() -> None:
    """News of the order itself is bound as strictly as news of its payment."""
    ours = shop()
    paid = order(1, "paid", amount=AMOUNT - 1)
    assert ours.deliver(body("order.paid", payment=payment(1, "captured", amount=AMOUNT - 1), order=paid)) == 200
    assert [signal.reason for signal in ours.told(EventQuarantined)] == ["AmountMismatch"]
