"""The typed entities: strict where money is read, faithful everywhere else."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from razorpay_hardened.domain.entities import (
    Order,
    Payment,
    Refund,
    UnknownEntity,
    parse_as,
    parse_collection,
    parse_entity,
)
from razorpay_hardened.domain.entities._fields import Notes
from razorpay_hardened.domain.money import AMOUNT_MAX, Money
from razorpay_hardened.errors import CurrencyError, IdMalformed, PayloadInvalid

ORDER: dict[str, Any] = {
    "id": "order_RB58MiP5SPFYyM",
    "entity": "order",
    "amount": 5000,
    "amount_paid": 0,
    "amount_due": 5000,
    "currency": "INR",
    "receipt": "receipt#1",
    "offer_id": None,
    "status": "created",
    "attempts": 0,
    "notes": [],
    "created_at": 1756455561,
}
PAYMENT: dict[str, Any] = {
    "id": "pay_29QQoUBi66xm2f",
    "entity": "payment",
    "amount": 5000,
    "currency": "INR",
    "status": "captured",
    "order_id": "order_RB58MiP5SPFYyM",
    "captured": True,
    "amount_refunded": 0,
    "email": "gaurav.kumar@example.com",
    "contact": "+919999999999",
    "vpa": "gaurav@okbank",
    "fee": 118,
    "tax": 18,
    "notes": {"shop": "7"},
    "created_at": 1756455562,
}
REFUND: dict[str, Any] = {
    "id": "rfnd_FP8QHiV938haTz",
    "entity": "refund",
    "amount": 500,
    "currency": "INR",
    "payment_id": "pay_29QQoUBi66xm2f",
    "status": "processed",
    "speed_requested": "optimum",
    "acquirer_data": {"arn": None},
    "created_at": 1756455563,
}
ALL = [ORDER, PAYMENT, REFUND]
IDS = ["order", "payment", "refund"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("body", ALL, ids=IDS)
def test_the_entity_field_chooses_the_model(body: dict[str, Any]) -> None:
    """Without a kind the object's own ``entity`` decides, and dumping gives back what came in."""
    entity = parse_entity(body)

    assert entity.kind == body["entity"]
    assert entity.as_sent() == body


@pytest.mark.parametrize("body", ALL, ids=IDS)
@settings(max_examples=40)
@given(extra=st.dictionaries(st.text(max_size=14), json_values, max_size=4))
def test_unknown_fields_are_kept(body: dict[str, Any], extra: dict[str, Any]) -> None:
    """Whatever fields Razorpay adds, from a mapping or from JSON bytes, come out as they went in."""
    sent = {**extra, **body}
    model = type(parse_entity(body))

    assert sent == parse_as(model, sent).as_sent()
    assert sent == model.model_validate_json(json.dumps(sent)).as_sent()


@pytest.mark.parametrize("name", ["model_config", "money", "kind", "as_sent", "refunded", "__class__", "__proto__"])
def test_a_field_named_like_a_method_is_only_data(name: str) -> None:
    """A sender cannot replace a method or an attribute by naming a field after it."""
    payment = parse_entity({**PAYMENT, name: "x"}, "payment")

    assert payment.money == Money(5000, "INR")
    assert payment.refunded == 0
    assert payment.as_sent()[name] == "x"


@pytest.mark.parametrize("amount", [100.0, 299.35, True, None, -1, "100", "१००", AMOUNT_MAX + 1, 2**63, Decimal(1), []])
@pytest.mark.parametrize("body", ALL, ids=IDS)
def test_an_amount_is_a_plain_integer(body: dict[str, Any], amount: object) -> None:
    """Nothing but an int from 0 to the limit is an amount, and the error does not quote the value."""
    with pytest.raises(PayloadInvalid, match=r"^missing or unusable: amount \(\w+\)$"):
        parse_entity({**body, "amount": amount})


@pytest.mark.parametrize("literal", ["NaN", "1e2", "100.0", "-Infinity", "9" * 30])
def test_an_amount_in_json_is_a_plain_integer(literal: str) -> None:
    """The JSON parser lets no other number pass for an amount."""
    with pytest.raises(ValueError, match=r"amount|number"):
        Order.model_validate_json(json.dumps(ORDER).replace('"amount": 5000', f'"amount": {literal}'))


@pytest.mark.parametrize("amount", [0, 1, AMOUNT_MAX])
def test_amounts_at_the_limits(amount: int) -> None:
    """Zero (mandates) and the largest amount are accepted."""
    assert parse_entity({**ORDER, "amount": amount}, "order").money == Money(amount, "INR")


@pytest.mark.parametrize("currency", ["inr", "INR ", "ＩＮＲ", "ZZZ", ""])
def test_a_currency_must_be_listed(currency: str) -> None:
    """Text that is not a listed code is a CurrencyError."""
    with pytest.raises(CurrencyError):
        parse_entity({**ORDER, "currency": currency})


@pytest.mark.parametrize("currency", [None, 356, [], True])
def test_a_currency_must_be_text(currency: object) -> None:
    """A currency of another type makes the body invalid."""
    with pytest.raises(PayloadInvalid):
        parse_entity({**ORDER, "currency": currency})


@pytest.mark.parametrize(
    "value",
    [
        "pay_x/../refunds",
        "../refunds",
        "",
        " pay_29QQoUBi66xm2f",
        "pay_29QQoUBi66xm2f\n",
        "pay_123456789",
        "pay_" + "a" * 41,
        "order_RB58MiP5SPFYyM",
        "pay_२९QQoUBi66xm2f",
        "p\u0430y_29QQoUBi66xm2f",
        "pay_29QQoUBi66xm2f\x00",
        "http://evil.example/pay_x",
        "x" * 10_000,
    ],
)
def test_an_id_must_have_the_strict_form(value: str) -> None:
    """Every malformed payment id is an IdMalformed that does not echo it."""
    with pytest.raises(IdMalformed) as caught:
        parse_entity({**PAYMENT, "id": value})

    assert not value or value not in str(caught.value)


def test_an_id_of_another_type_is_invalid() -> None:
    """An id that is not text makes the body invalid."""
    with pytest.raises(PayloadInvalid):
        parse_entity({**PAYMENT, "id": 12})


def test_several_faults_are_named_together() -> None:
    """A body with different faults is PayloadInvalid and names the fields; beyond five only the first are named."""
    with pytest.raises(PayloadInvalid, match=r"amount.*currency"):
        parse_entity({**ORDER, "amount": 1.5, "currency": "inr"})
    with pytest.raises(PayloadInvalid, match="and 2 more"):
        parse_entity({"entity": "payment", "captured": "maybe", "fee": -1, "tax": -1})


@pytest.mark.parametrize(
    ("sent", "read"),
    [(True, True), (False, False), ("1", True), ("0", False), ("TRUE", True), (1, True), (0, False), (None, None)],
)
def test_captured_is_read_in_all_its_spellings(sent: object, read: bool | None) -> None:
    """Razorpay's own samples spell the flag in several ways; it goes out as it came in."""
    payment = parse_entity({**PAYMENT, "captured": sent}, "payment")

    assert payment.captured is read
    assert payment.as_sent()["captured"] == sent
    assert json.loads(payment.model_dump_json(exclude_unset=True))["captured"] == sent


@pytest.mark.parametrize("sent", ["maybe", 2, 1.0, [], {}])
def test_captured_is_never_guessed(sent: object) -> None:
    """What is not a flag is invalid, never false."""
    with pytest.raises(PayloadInvalid, match="captured"):
        parse_entity({**PAYMENT, "captured": sent})


def test_captured_absent_is_unknown() -> None:
    """A payment that does not say whether it was captured answers None."""
    body = {name: value for name, value in PAYMENT.items() if name != "captured"}

    payment = parse_entity(body, "payment")

    assert payment.captured is None
    assert payment.as_sent() == body
    assert Payment.model_validate(payment) == payment


@pytest.mark.parametrize("notes", [[], {}, {"a": "b"}, None, "{}"])
def test_notes_are_a_mapping_whatever_was_sent(notes: object) -> None:
    """``[]``, null and text read as no notes, and are kept as sent."""
    order = parse_entity({**ORDER, "notes": notes}, "order")

    assert dict(order.notes) == (notes if isinstance(notes, dict) else {})
    assert order.as_sent()["notes"] == notes


def test_notes_survive_pickling_and_a_second_reading() -> None:
    """Notes keep what was sent through a pickle, and a validated entity may be validated again."""
    order = parse_entity(ORDER, "order")

    assert pickle.loads(pickle.dumps(order.notes)).as_sent == []
    assert Order.model_validate({**ORDER, "notes": order.notes}).as_sent() == ORDER
    assert Order(**{name: value for name, value in ORDER.items() if name != "notes"}).notes == Notes()


def test_a_model_made_with_plain_notes_still_dumps() -> None:
    """``model_construct`` skips validation; such an entity dumps what it was given."""
    made = Order.model_construct(**{**ORDER, "notes": {"a": "b"}})

    assert made.model_dump(exclude_unset=True)["notes"] == {"a": "b"}


def test_due_and_refunded_are_money_questions() -> None:
    """What is due is Money or unknown; a missing refunded amount counts as nothing."""
    assert parse_entity(ORDER, "order").due == Money(5000, "INR")
    assert parse_entity({**ORDER, "amount_due": None}, "order").due is None
    assert parse_entity({**PAYMENT, "amount_refunded": None}, "payment").refunded == 0
    assert parse_entity({**PAYMENT, "amount_refunded": 7}, "payment").refunded == 7


def test_a_status_that_we_do_not_know_is_kept() -> None:
    """Unknown statuses are a matter for the law, not for the parser."""
    assert parse_entity({**PAYMENT, "status": "processing"}, "payment").status == "processing"


def test_entities_are_frozen_and_show_nobody_s_data() -> None:
    """An entity cannot be changed, and its repr names no person."""
    payment = parse_entity(PAYMENT, "payment")

    with pytest.raises(ValueError, match="frozen"):
        payment.amount = 1
    for shown in (repr(payment), str(payment)):
        assert shown.count("pay_29QQoUBi66xm2f") == 1
        assert "gaurav" not in shown
        assert "9999" not in shown


def test_a_kind_without_a_model_keeps_everything() -> None:
    """Other kinds, and objects without a usable kind, are UnknownEntity with all fields."""
    for body in ({"entity": "coffee", "id": "cof_1", "fees": 3}, {"id": [1], "x": {}}, {"entity": 5}):
        entity = parse_entity(body)
        assert isinstance(entity, UnknownEntity)
        assert entity.as_sent() == body
        assert repr(entity).startswith("UnknownEntity(")


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_an_entity_must_be_an_object(value: Any) -> None:
    """Anything but a JSON object is invalid."""
    with pytest.raises(PayloadInvalid, match="JSON object"):
        parse_entity(value)


def test_the_kind_asked_for_must_be_the_kind_sent() -> None:
    """A payment does not pass for an order."""
    with pytest.raises((PayloadInvalid, IdMalformed)):
        parse_entity(PAYMENT, "order")
    with pytest.raises(PayloadInvalid, match="entity"):
        parse_entity({**ORDER, "entity": "payment"}, "order")


def test_a_collection_gives_its_items() -> None:
    """A page of a listing is its items, in order, of the kind asked for."""
    page = {"entity": "collection", "count": 2, "items": [REFUND, {**REFUND, "amount": 1}]}

    assert [refund.amount for refund in parse_collection(page, Refund)] == [500, 1]
    assert parse_collection({"items": []}, Payment) == ()


@pytest.mark.parametrize("value", [None, [], {}, {"items": None}, {"items": {}}, {"items": [1]}])
def test_a_collection_without_items_is_invalid(value: object) -> None:
    """A page without a list of objects is invalid, never an empty page."""
    with pytest.raises(PayloadInvalid):
        parse_collection(value, Order)
