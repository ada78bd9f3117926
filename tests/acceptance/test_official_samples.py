"""Real input: every sample body that Razorpay publishes goes through the endpoint, signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodies import Shop
from razorpay_hardened import MemoryStore, parse_entity
from razorpay_hardened.errors import CurrencyError, IdMalformed, PayloadInvalid

SAMPLES = Path(__file__).parents[3] / "shared" / "razorpay" / "samples" / "webhooks"
FILES = sorted(SAMPLES.glob("*.json"))

MALFORMED = {
    "payment.authorized__woocommerce-2.json",
    "payment.authorized__woocommerce.json",
    "payment.failed__woocommerce.json",
    "refund.created__woocommerce.json",
    "subscription.charged__woocommerce.json",
    "payment_link.paid.json",
    "payment_link.paid__payment-link-paid-upi.json",
}
"""By slip: payment ids that begin with ``rzp_pay_TEST``, order ids without their prefix."""

needs_samples = pytest.mark.skipif(not FILES, reason="the official samples are not beside this checkout")


@needs_samples
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_official_sample_is_answered_200_and_stored(path: Path) -> None:
    """In a fresh store each: 200, the bytes kept, and quarantined only if malformed by slip."""
    store = MemoryStore()
    raw = path.read_bytes()
    assert Shop(store).deliver(raw, event_id="evt-1") == 200
    (row,) = store.deliveries(limit=10)
    assert row.body == raw
    assert (row.state == "quarantined") == (path.name in MALFORMED), row.reason
    assert row.state in ("quarantined", "ignored", "parked", "done")


@needs_samples
def test_the_malformed_files_are_still_there() -> None:
    """The list above names real files, so that it cannot hide a finding."""
    assert {path.name for path in FILES} >= MALFORMED


@needs_samples
def test_all_official_samples_go_through_one_store() -> None:
    """One after another into one store, none is refused for another one's sake except where two contradict."""
    store = MemoryStore()
    shop = Shop(store, options={"unknown_order": "accept"})
    statuses = {path.name: shop.deliver(path.read_bytes()) for path in FILES}
    assert set(statuses.values()) == {200}
    assert len(store.deliveries(limit=1000)) == len({path.read_bytes() for path in FILES})


def _entities(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("entity") in ("order", "payment", "refund"):
            yield value
        for inner in value.values():
            yield from _entities(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _entities(inner)


@needs_samples
def test_every_published_sample_is_read_and_given_back() -> None:
    """All sample orders, payments and refunds parse, or break the strict id rule, and dump to the same JSON."""
    read, refused = 0, list[str]()
    for path in sorted(SAMPLES.parent.rglob("*.json")):
        for body in _entities(json.loads(path.read_bytes())):
            try:
                assert parse_entity(body).as_sent() == body, path
                read += 1
            except (CurrencyError, IdMalformed, PayloadInvalid) as error:
                refused.append(f"{path.name}: {error}")

    assert read > 100
    assert [line for line in refused if "id (" not in line and not line.startswith("mock-")] == []
    assert len(refused) < read / 10
