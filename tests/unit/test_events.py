"""The envelope: one parse from the signed bytes, a tolerant second look, facts out (FAULTS rule 9 and section 7)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import body, order, payment, refund
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.facts import OrderFact, PaymentFact, RefundFact
from razorpay_hardened.errors import (
    CurrencyError,
    IdMalformed,
    InconsistentEvent,
    PayloadError,
    PayloadInvalid,
    PayloadMalformed,
    RawBodyRequired,
    RazorpayHardenedError,
    SignatureMismatch,
)
from razorpay_hardened.signing import sign_for_test, verify_webhook
from razorpay_hardened.webhooks import parse_event, unwrap_webhook

CAPTURED = body("payment.captured", payment=payment(1, "captured"))


def edited(**changes: Any) -> bytes:
    """A captured payment's body with fields of the payment replaced."""
    return body("payment.captured", payment=payment(1, "captured") | changes)


def raw_amount(text: str) -> bytes:
    """The same with ``amount`` as this very JSON text."""
    return CAPTURED.replace(b'"amount":49900', b'"amount":' + text.encode(), 1)


def envelope(**changes: Any) -> bytes:
    """The same with members of the envelope replaced; ``None`` removes."""
    whole = json.loads(CAPTURED) | changes
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


def test_an_event_tells_facts_about_each_entity() -> None:
    """order, payment and refund, in subunits, with what Razorpay sent kept as the snapshot."""
    event = read_event(body("order.paid", payment=payment(1, "captured"), order=order(1, "paid")), "evt-1")
    assert (event.name, event.id, event.tracked) == ("order.paid", "evt-1", True)
    order_fact, payment_fact = event.facts()
    assert isinstance(order_fact, OrderFact)
    assert isinstance(payment_fact, PaymentFact)
    assert (order_fact.status, order_fact.amount, order_fact.receipt) == ("paid", 49900, "receipt-1")
    assert (payment_fact.status, payment_fact.captured, payment_fact.amount_refunded) == ("captured", True, 0)
    assert payment_fact.snapshot is not None
    assert json.loads(payment_fact.snapshot) == payment(1, "captured")


def test_a_refund_hangs_where_its_payment_hangs() -> None:
    """The payment beside it tells the order."""
    event = read_event(body("refund.created", refund=refund(1, "pending"), payment=payment(1, "captured")))
    _, fact = event.facts()
    assert isinstance(fact, RefundFact)
    assert fact.order_id == payment(1, "captured")["order_id"]
    (alone,) = read_event(body("refund.created", refund=refund(1, "pending"))).facts()
    assert isinstance(alone, RefundFact)
    assert alone.order_id is None


def test_the_customers_fee_is_told() -> None:
    """With fee_bearer customer the paid amount is larger than the order's (FACTS section 14)."""
    (fact,) = read_event(edited(fee_bearer="customer", amount=51078)).facts()
    assert isinstance(fact, PaymentFact)
    assert fact.customer_fee == 1178
    (plain,) = read_event(CAPTURED).facts()
    assert isinstance(plain, PaymentFact)
    assert plain.customer_fee is None


def test_a_type_that_nothing_tracks_has_no_facts() -> None:
    """Whatever its payload looks like: the schema is not asked."""
    for raw in (
        body("payment.teleported", payment={"id": 7}),
        b'{"event":"payment.link.shared"}',
        b'{"event":"x\\r\\nERROR fake\\u001b[2J","payload":{}}',
        b'{"event":"settlement.teleported","payload":{"payment":null}}',
    ):
        event = read_event(raw)
        assert not event.tracked
        assert event.facts() == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"{}{}",
        b"// comment",
        b"{",
        b"[" * 100_000,
        b'{"event":' + b"[" * 70 + b"]" * 70 + b"}",
        '{"event":"payment.captured"}'.encode("utf-16"),
        '{"event":"payment.captured"}'.encode("utf-16-le"),
        b'\xef\xbb\xbf{"event":"payment.captured"}',
        CAPTURED.replace(b"gaurav", b"\xff"),
        CAPTURED.replace(b"gaurav", b"\xc0\xaf"),
        raw_amount("NaN"),
        raw_amount("-Infinity"),
        raw_amount("9" * 5000),
    ],
)
def test_what_is_not_json_in_utf8_is_malformed(raw: bytes) -> None:
    """Stdlib json accepts several of these."""
    with pytest.raises(PayloadMalformed):
        read_event(raw)


@pytest.mark.parametrize(
    "raw",
    [
        raw_amount("100.0"),
        raw_amount("1e2"),
        raw_amount("true"),
        raw_amount("null"),
        raw_amount("-0"),
        raw_amount("-1"),
        raw_amount('"100"'),
        raw_amount("99999999999999999999999"),
        envelope(event=["payment.captured"]),
        envelope(event="\ud800"),
        envelope(event="e" * 129),
        envelope(event=None),
        envelope(payload=None),
        envelope(payload={"payment": {"entity": None}}),
        envelope(payload={}),
        envelope(payload=[]),
        envelope(created_at="1772445700"),
        envelope(created_at=-1),
        edited(captured="maybe"),
        edited(created_at="once"),
        b"null",
        b"{}",
        b"[]",
        b'"payment.captured"',
        json.dumps({**json.loads(CAPTURED), "payload": {"payment": {"entity": {"id": "pay_00000000000001"}}}}).encode(),
    ],
)
def test_json_that_the_ledger_cannot_use_is_invalid(raw: bytes) -> None:
    """Wrong type, missing, or out of range in a field that moves money."""
    with pytest.raises(PayloadInvalid):
        read_event(raw)


@pytest.mark.parametrize("bad", ["pay_../../refunds", "order_00000000000001", "pay_short", "pay_२९QQoUBi66xm2f", ""])
def test_an_id_of_another_form_is_refused(bad: str) -> None:
    """It would reach a URL and a query."""
    with pytest.raises(IdMalformed):
        read_event(edited(id=bad))


@pytest.mark.parametrize("bad", ["inr", "INR ", "ZZZ"])
def test_a_currency_of_another_form_is_refused(bad: str) -> None:
    """Upper case, from the list."""
    with pytest.raises(CurrencyError):
        read_event(edited(currency=bad))


@pytest.mark.parametrize(
    "raw",
    [
        body("payment.captured", payment=payment(1, "failed")),
        body("order.paid", payment=payment(1, "captured"), order=order(1, "attempted")),
        body("refund.processed", refund=refund(1, "pending"), payment=payment(1, "captured")),
        body("refund.created", refund=refund(1, "pending", of=2), payment=payment(1, "captured")),
    ],
)
def test_a_contradiction_is_inconsistent(raw: bytes) -> None:
    """The event says one thing and its entity another."""
    with pytest.raises(InconsistentEvent):
        read_event(raw).facts()


@pytest.mark.parametrize(
    "raw",
    [
        edited(notes={"name": "\ud800"}),
        edited(notes={"name": "\x00"}),
        edited(notes={"__class__": "{0.__class__}", "__proto__": 1}),
        edited(notes={str(n): n for n in range(10_000)}),
        edited(notes=[]),
        edited(something_new={"deep": [1, {"er": None}]}, description="-0"),
        edited(captured="1", amount_refunded=None),
        CAPTURED.replace(b"/", b"\\/"),
        envelope(created_at=0),
        envelope(created_at=None),
        envelope(account_id=None, something_new=1),
        CAPTURED.replace(b'"contact"', b'"discount": -0,"contact"'),
    ],
)
def test_oddities_that_move_no_money_are_processed(raw: bytes) -> None:
    """Notes are never interpreted; unknown fields are kept; only fields that the ledger uses are strict."""
    (fact,) = read_event(raw).facts()
    assert isinstance(fact, PaymentFact)
    assert (fact.status, fact.amount, fact.captured) == ("captured", 49900, True)
    assert json.loads(fact.snapshot or "")["id"] == fact.payment_id


def test_an_absent_time_is_none_and_zero_is_zero() -> None:
    """created_at may be missing; 0 is 1970."""
    assert read_event(envelope(created_at=None)).created_at is None
    made = read_event(envelope(created_at=0)).created_at
    assert made is not None
    assert made.year == 1970


def test_no_error_repeats_a_value() -> None:
    """A customer's data must not reach a log through an error (P6)."""
    with pytest.raises(RazorpayHardenedError) as caught:
        read_event(edited(id="gaurav.kumar@example.com", email="gaurav.kumar@example.com"))
    assert "gaurav" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_an_event_or_a_typed_error(raw: bytes) -> None:
    """Never another library's exception (P8)."""
    with suppress(PayloadError, IdMalformed, CurrencyError):
        read_event(raw)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(payment(1, "captured"))), _json)
def test_any_value_in_any_field_gives_facts_or_a_typed_error(name: str, value: Any) -> None:
    """Mutations of a real body, one field at a time (P8)."""
    with suppress(PayloadError, IdMalformed, CurrencyError):
        read_event(edited(**{name: value})).facts()


def test_parse_event_takes_only_what_a_verifier_returned() -> None:
    """The wrong order does not run either."""
    with pytest.raises(RawBodyRequired):
        parse_event(CAPTURED)  # type: ignore[arg-type]
    verified = verify_webhook(CAPTURED, sign_for_test(CAPTURED, "a-secret"), secret="a-secret")
    assert parse_event(verified).name == "payment.captured"


def test_unwrap_verifies_first() -> None:
    """One call for code that brings its own storage."""
    assert repr(unwrap_webhook(CAPTURED, sign_for_test(CAPTURED, "s"), secret="s")) == "<WebhookEvent payment.captured>"
    with pytest.raises(SignatureMismatch):
        unwrap_webhook(CAPTURED, "0" * 64, secret="s")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_is_not_json_is_refused_wherever_it_stands(constant):
    """In a note too, where no field of ours is: the body is not JSON (FAULTS rule 9)."""
    raw = json.dumps({"event": "order.paid", "payload": {}, "notes": {"a": "?"}}).replace('"?"', constant).encode()
    with pytest.raises(PayloadMalformed):
        read_event(raw)


@pytest.mark.parametrize("word", ["NaN", "Infinity"])
def test_the_word_alone_is_a_word(word):
    """A note may say it."""
    raw = json.dumps({"event": "payment.teleported", "payload": {}, "notes": {"a": word}}).encode()
    assert read_event(raw).name == "payment.teleported"
