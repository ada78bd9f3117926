"""The rule that tells ours from theirs: a table, and what it makes for new orders."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import body, order, payment
from razorpay_hardened import Ours
from razorpay_hardened.domain.events import read_event
from razorpay_hardened.domain.ours import is_prefix, local_ids_in
from razorpay_hardened.errors import FieldInvalid

PREFIX = Ours(receipt_prefix="shop-")
NOTES = Ours(notes={"app": "shop"})
BOTH = Ours(receipt_prefix="shop-", notes={"app": "shop", "env": "prod"})
MARKED = {"app": "shop", "env": "prod"}

TABLE: list[tuple[Ours, Any, Any, str]] = [
    (PREFIX, "shop-7", None, "ours"),
    (PREFIX, "shop-", {"app": "cafe"}, "ours"),
    (PREFIX, "cafe-7", None, "theirs"),
    (PREFIX, "Shop-7", None, "theirs"),
    (PREFIX, "local_0123456789abcdef0123456789", None, "theirs"),
    (PREFIX, None, {"app": "shop"}, "unknown"),
    (PREFIX, "", {}, "unknown"),
    (PREFIX, 7, [], "unknown"),
    (NOTES, "anything", {"app": "shop", "cart": "7"}, "ours"),
    (NOTES, "anything", {"app": "cafe"}, "theirs"),
    (NOTES, "anything", {"app": ""}, "theirs"),
    (NOTES, "anything", {"woocommerce_order_id": "7"}, "unknown"),
    (NOTES, "anything", [], "unknown"),
    (NOTES, None, None, "unknown"),
    (BOTH, "shop-7", {}, "ours"),
    (BOTH, None, MARKED, "ours"),
    (BOTH, None, {"app": "shop"}, "unknown"),
    (BOTH, None, {"app": "shop", "env": "staging"}, "theirs"),
    (BOTH, None, {"env": "staging"}, "theirs"),
    (BOTH, "cafe-7", {"app": "shop"}, "theirs"),
    (BOTH, "cafe-7", MARKED, "ours"),
    (BOTH, "shop-7", {"app": "cafe"}, "ours"),
]


@pytest.mark.parametrize(("rule", "receipt", "notes", "said"), TABLE)
def test_the_table(rule: Ours, receipt: Any, notes: Any, said: str) -> None:
    """Receipt and notes, each alone and against each other: ours wins, and what is absent proves nothing."""
    assert rule.whose(receipt=receipt, notes=notes) == said


LINK = {"id": "plink_1", "amount": 49900, "currency": "INR", "status": "expired"}

EVENTS: list[tuple[str, bytes, str]] = [
    ("an order says it", body("order.paid", payment=payment(1, "captured"), order=order(1, "paid")), "theirs"),
    (
        "the order counts more than the notes that a page set",
        body(
            "order.paid",
            payment=payment(1, "captured", notes={"app": "cafe"}),
            order=order(1, "paid", receipt="shop-1"),
        ),
        "ours",
    ),
    (
        "an order without receipt and notes leaves it to the payment",
        body(
            "order.paid",
            payment=payment(1, "captured", notes={"app": "cafe"}),
            order=order(1, "paid", receipt=None),
        ),
        "theirs",
    ),
    ("a payment without notes says nothing", body("payment.captured", payment=payment(1, "captured")), "unknown"),
    (
        "a payment with our marker",
        body("payment.captured", payment=payment(1, "captured", notes={"app": "shop"})),
        "ours",
    ),
    (
        "a link has its order's receipt as its reference",
        body("payment_link.expired", payment_link={**LINK, "reference_id": "cafe-1"}),
        "theirs",
    ),
    (
        "a link of ours",
        body("payment_link.expired", payment_link={**LINK, "reference_id": "shop-1"}),
        "ours",
    ),
    (
        "an invoice by its receipt",
        body("invoice.expired", invoice={**LINK, "id": "inv_1", "entity": "invoice", "receipt": "16"}),
        "theirs",
    ),
    (
        "a subscription by its notes",
        body(
            "subscription.activated",
            subscription={"id": "sub_1", "entity": "subscription", "status": "active", "notes": {"app": "cafe"}},
        ),
        "theirs",
    ),
    (
        "a settlement has no notes: it is the account's",
        body("settlement.processed", settlement={**LINK, "id": "setl_1", "status": "processed"}),
        "unknown",
    ),
]


@pytest.mark.parametrize(("raw", "said"), [row[1:] for row in EVENTS], ids=[row[0] for row in EVENTS])
def test_what_a_body_proves(raw: bytes, said: str) -> None:
    """An event is judged by its order, else by whatever else it carries."""
    rule = Ours(receipt_prefix="shop-", notes={"app": "shop"})
    assert rule.whose_event(read_event(raw)) == said


def test_a_refunds_own_notes_and_receipt_say_nothing() -> None:
    """Whoever refunds, in the dashboard perhaps, writes them."""
    from bodies import refund

    raw = body("refund.processed", refund=refund(1, "processed", notes={"app": "cafe"}, receipt="cafe-1"))
    assert BOTH.whose_event(read_event(raw)) == "unknown"


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"receipt_prefix": ""},
        {"receipt_prefix": "fifteen-letters"},
        {"receipt_prefix": "with space"},
        {"receipt_prefix": "lo"},
        {"receipt_prefix": "local_shop"},
        {"receipt_prefix": 7},
        {"notes": {"app": ""}},
        {"notes": {"app": 7}},
        {"notes": {"app": "x" * 256}},
        {"notes": {str(number): "x" for number in range(11)}},
        {"notes": [("app", "shop")]},
    ],
)
def test_a_rule_that_cannot_tell_is_refused(rule: Any) -> None:
    """Empty, too long for a receipt, not to be told from our own local ids, or not notes at all."""
    with pytest.raises(FieldInvalid):
        Ours(**rule)


@given(st.text(string.ascii_letters + string.digits + "._/#-", min_size=1, max_size=14).filter(is_prefix))
def test_a_receipt_is_recognised_and_leads_back(prefix: str) -> None:
    """At most 40 characters, ours by the rule, and the local id is found in it under any later prefix or none."""
    local_id = "local_" + "0123456789abcdef" * 2
    local_id = local_id[:32]
    receipt = Ours(receipt_prefix=prefix).receipt_for(local_id)
    assert len(receipt) <= 40
    assert Ours(receipt_prefix=prefix).whose(receipt=receipt) == "ours"
    assert local_id in local_ids_in(receipt)
    assert local_ids_in(local_id) == (local_id,)


def test_notes_only_leaves_receipts_as_they_are() -> None:
    """The receipt is the local id, as without a rule."""
    assert NOTES.receipt_for("local_1") == "local_1"


def test_marking_keeps_what_was_given_and_refuses_a_second_meaning() -> None:
    """Notes of the application stay; one that reuses a key of the marker would be somebody else's."""
    assert NOTES.marked({"cart": "7"}) == {"cart": "7", "app": "shop"}
    assert NOTES.marked({"app": "shop"}) == {"app": "shop"}
    assert PREFIX.marked(None) == {}
    with pytest.raises(FieldInvalid):
        NOTES.marked({"app": "cafe"})
