"""FAULTS section 7, "Webhook body": each line, rightly signed, with its code, its status and its record."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from bodies import Shop, body, order_id, payment, refund, request
from razorpay_hardened import MemoryStore, web
from razorpay_hardened.signals import Alarm, EventQuarantined, EventRejected

GOOD = body("payment.captured", payment=payment(1, "captured"))


def changed(path: str, value: str) -> bytes:
    """The good body with the JSON text ``value`` at ``path``; "-" takes it away."""
    whole = json.loads(GOOD)
    *parents, last = path.split(".")
    at = whole
    for name in parents:
        at = at[name]
    if value == "-":
        del at[last]
        return json.dumps(whole).encode()
    at[last] = "@here@"
    return json.dumps(whole).replace('"@here@"', value).encode("utf-8", "surrogatepass")


ENTITY = "payload.payment.entity"
AMOUNT = f"{ENTITY}.amount"

QUARANTINED: dict[str, tuple[bytes, str]] = {
    "NaN as amount": (changed(AMOUNT, "NaN"), "Payload"),
    "-Infinity as amount": (changed(AMOUNT, "-Infinity"), "Payload"),
    "amount of 5,000 digits": (changed(AMOUNT, "9" * 5000), "Payload"),
    "100,000 [": (b"[" * 100_000, "PayloadMalformed"),
    "UTF-16LE with BOM": (b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), "PayloadMalformed"),
    "UTF-16 without BOM": (GOOD.decode().encode("utf-16-le"), "PayloadMalformed"),
    "byte 0xFF in a string": (GOOD.replace(b"gaurav", b"gaur\xffv"), "PayloadMalformed"),
    "overlong C0 AF": (GOOD.replace(b"gaurav", b"gaur\xc0\xafv"), "PayloadMalformed"),
    "trailing document": (b"{}{}", "PayloadMalformed"),
    "comment": (b"// comment\n" + GOOD, "PayloadMalformed"),
    "only spaces": (b"   ", "PayloadMalformed"),
    "empty": (b"", "PayloadMalformed"),
    "amount 100.0": (changed(AMOUNT, "100.0"), "PayloadInvalid"),
    "amount 1e2": (changed(AMOUNT, "1e2"), "PayloadInvalid"),
    "amount true": (changed(AMOUNT, "true"), "PayloadInvalid"),
    "amount null": (changed(AMOUNT, "null"), "PayloadInvalid"),
    "amount -0": (changed(AMOUNT, "-0"), "PayloadInvalid"),
    "lone surrogate in event": (changed("event", '"\\ud800"'), "PayloadInvalid"),
    "top-level null": (b"null", "PayloadInvalid"),
    "{}": (b"{}", "PayloadInvalid"),
    "event is a list": (changed("event", '["payment.captured"]'), "PayloadInvalid"),
    "payload absent": (changed("payload", "-"), "PayloadInvalid"),
    "entity null": (changed(ENTITY, "null"), "PayloadInvalid"),
    "currency absent": (changed(f"{ENTITY}.currency", "-"), "PayloadInvalid"),
    "created_at a string": (changed("created_at", '"1772445700"'), "PayloadInvalid"),
    "entity.id with a path": (changed(f"{ENTITY}.id", '"pay_../../refunds"'), "IdMalformed"),
    "entity.id of another kind": (changed(f"{ENTITY}.id", f'"{order_id(1)}"'), "IdMalformed"),
    "captured event, failed payment": (
        body("payment.captured", payment=payment(1, "failed")),
        "InconsistentEvent",
    ),
    "amount_refunded > amount": (changed(f"{ENTITY}.amount_refunded", "99999999"), "InconsistentEvent"),
    "currency inr": (changed(f"{ENTITY}.currency", '"inr"'), "CurrencyError"),
    "captured amount differs": (body("payment.captured", payment=payment(1, "captured", amount=1)), "AmountMismatch"),
    "one refund > its payment": (
        body("refund.processed", refund=refund(1, "processed", amount=99999999), payment=payment(1, "captured")),
        "OverRefund",
    ),
    "foreign account_id": (changed("account_id", '"acc_AAAAAAAAAAAAAA"'), "AccountMismatch"),
}

STORED: dict[str, tuple[bytes, str]] = {
    "lone surrogate in notes": (changed(f"{ENTITY}.notes", '{"a": "\\ud800"}'), "done"),
    "NUL in notes": (changed(f"{ENTITY}.notes", '{"a": "\\u0000"}'), "done"),
    "log injection in event": (changed("event", '"x\\r\\nERROR fake\\u001b[2J"'), "ignored"),
    "unknown event": (changed("event", '"payment.teleported"'), "ignored"),
    "extra fields": (changed("more", '{"a": [1]}'), "done"),
    "extra fields of the entity": (changed(f"{ENTITY}.more", '{"a": [1]}'), "done"),
    "authorized around captured": (body("payment.authorized", payment=payment(1, "captured")), "done"),
    "order_id null": (changed(f"{ENTITY}.order_id", "null"), "done"),
    "order not registered yet": (body("payment.captured", payment=payment(9, "captured")), "parked"),
    "created_at 0": (changed("created_at", "0"), "done"),
    "notes []": (changed(f"{ENTITY}.notes", "[]"), "done"),
    "notes with 10,000 keys": (changed(f"{ENTITY}.notes", json.dumps({f"k{n}": "v" for n in range(10_000)})), "done"),
    "notes that look like code": (
        changed(f"{ENTITY}.notes", '{"__class__": "x", "__proto__": "y", "{0.__class__}": "z"}'),
        "done",
    ),
}


def shop() -> Shop:
    ours = Shop(MemoryStore(), options={"account_id": json.loads(GOOD)["account_id"]})
    ours.adopt(1)
    return ours


@pytest.mark.parametrize("line", QUARANTINED)
def test_quarantined(line: str) -> None:
    """200 · RQ: the raw bytes and the reason are kept, audited and alarmed; no state comes of it."""
    raw, reason = QUARANTINED[line]
    ours = shop()
    if reason == "OverRefund":
        assert ours.deliver(GOOD) == 200
    assert ours.deliver(raw) == 200
    row = ours.store.deliveries(states=["quarantined"])[0]
    assert row.body == raw
    assert (row.reason or "").startswith(reason)
    assert [signal.reason[: len(reason)] for signal in ours.told(EventQuarantined)] == [reason]
    assert [one.what for one in ours.store.audit(row.digest)] == ["quarantined"]
    assert len(ours.told(Alarm)) == 1
    assert len(ours.store.payments()) == (1 if reason == "OverRefund" else 0)
    assert ours.store.refunds() == []


@pytest.mark.parametrize("line", STORED)
def test_stored(line: str) -> None:
    """200 · RS, RI or RP: the raw bytes are kept as they came."""
    raw, state = STORED[line]
    ours = shop()
    assert ours.deliver(raw) == 200
    (row,) = ours.store.deliveries()
    assert (row.body, row.state) == (raw, state)
    assert len(ours.store.payments()) == (1 if state == "done" else 0)


@pytest.mark.parametrize("days", [1.1, 14])
def test_an_old_event_is_marked_stale_and_counts(days: float) -> None:
    """Processed, with the mark · 200 · RS; sent again, a duplicate."""
    ours = shop()
    old = body("payment.captured", created_at=int(1772445700 - days * 86400), payment=payment(1, "captured"))
    assert [ours.deliver(old), ours.deliver(old)] == [200, 200]
    (row,) = ours.store.deliveries()
    assert (row.state, row.reason) == ("done", "stale")


@pytest.mark.parametrize("raw", [gzip.compress(GOOD), gzip.compress(b"\0" * (1 << 24))], ids=["gzip", "bomb"])
def test_content_codings_are_never_inflated(raw: bytes) -> None:
    """EncodingRefused · 415 · R0, though the tag over the coded bytes is right."""
    ours = shop()
    assert ours.deliver(raw, **{"Content-Encoding": "gzip"}) == 415
    assert [signal.reason for signal in ours.told(EventRejected)] == ["EncodingRefused"]
    assert ours.store.deliveries() == []


@pytest.mark.parametrize(("length", "status"), [(1 << 20, 200), ((1 << 20) + 1, 413)])
def test_at_the_limit_and_one_past_it(length: int, status: int) -> None:
    """PayloadTooLarge · 413 · R0 for one byte more than 1 MiB; a body of just 1 MiB is looked at."""
    ours = shop()
    assert ours.deliver(GOOD + b" " * (length - len(GOOD))) == status
    assert len(ours.store.deliveries()) == (1 if status == 200 else 0)


def test_a_body_shorter_than_announced() -> None:
    """SignatureMismatch · 401 · R0: the tag is of the whole."""
    ours = shop()
    whole = request(GOOD)
    assert ours.rzp.webhooks.handle(web.Request("POST", whole.headers, GOOD[:-1])).status == 401
    assert [signal.reason for signal in ours.told(EventRejected)] == ["SignatureMismatch"]


def test_keys_that_are_many() -> None:
    """200,000 keys, up to the limit of the body: parsed or refused in bounded time, and kept."""
    many = "{" + ",".join(f'"{n:x}":1' for n in range(70_000)) + "}"
    raw = changed(f"{ENTITY}.notes", many)
    assert len(raw) < 1 << 20
    ours = shop()
    begun: Any = time.thread_time()
    assert ours.deliver(raw) == 200
    assert time.thread_time() - begun < 2.5  # 250 ms, on a machine that is ten times as slow
    assert len(ours.store.deliveries()) == 1
