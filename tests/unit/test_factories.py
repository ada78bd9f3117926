"""Factories for webhook bodies: every documented event, believable and consistent."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened import parse_event
from razorpay_hardened.domain.events import TRACKED
from razorpay_hardened.domain.facts import EntityFact
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.signing import WebhookVerifier, sign_for_test
from razorpay_hardened.testing.factories import EVENTS, SAMPLE_TIME, UNPUBLISHED, body, event

SECRET = "whsec-0123456789-abcdef"
SHARED = Path(__file__).parents[3] / "shared" / "razorpay"
TABLE = SHARED / "WEBHOOK_EVENTS.md"
SAMPLES = SHARED / "samples"

needs_shared = pytest.mark.skipif(not TABLE.exists(), reason="the collected facts are not beside this checkout")


def parsed(name: str, **how: Any) -> Any:
    raw = body(name, **how)
    verified = WebhookVerifier(SECRET).verify(raw, sign_for_test(raw, SECRET))
    return parse_event(verified)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_accepted_by_the_library(name: str) -> None:
    """Signed, verified and parsed; where the library tracks it, it has the entities and contradicts itself nowhere."""
    found = parsed(name)

    assert found.name == name
    assert found.tracked == (name in TRACKED)
    told = {fact.kind if isinstance(fact, EntityFact) else type(fact).__name__ for fact in found.facts()}
    for kind in TRACKED[name]:
        assert getattr(found, kind, None) is not None or kind in told
    assert len(told) >= max(1, len(TRACKED[name]))


@needs_shared
def test_no_event_is_missing_and_none_is_invented() -> None:
    """The names are those of the collected table."""
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", TABLE.read_text("utf-8"), re.M))

    assert set(EVENTS) == documented
    assert len(EVENTS) == 112


def sampled() -> tuple[dict[str, set[str]], dict[str, list[list[str]]], set[str]]:
    """From the official samples: fields by payload name, payload names by event, and the events that have one."""
    fields: dict[str, set[str]] = {}
    payloads: dict[str, list[list[str]]] = {}
    for path in SAMPLES.glob("webhooks/*.json"):
        sample = json.loads(path.read_bytes())
        payloads.setdefault(sample["event"], []).append([*sample.get("payload", {}), *sample.get("contains", ())])
        for key, wrapped in sample.get("payload", {}).items():
            entity = wrapped.get("entity", wrapped) if isinstance(wrapped, dict) else {}
            for one in entity if isinstance(entity, list) else [entity]:
                fields.setdefault(key, set()).update(one)
    for path in SAMPLES.glob("responses/*/*.json"):
        sample = json.loads(path.read_bytes())
        if isinstance(sample, dict) and isinstance(sample.get("entity"), str):
            fields.setdefault(sample["entity"], set()).update(sample)
    return fields, payloads, set(payloads)


@needs_shared
def test_no_field_is_invented() -> None:
    """Each field of each entity stands in an official sample of that entity; each payload is one that a sample has."""
    fields, payloads, published = sampled()
    for name in EVENTS:
        payload = event(name).get("payload", {})
        for key, wrapped in payload.items():
            if isinstance(wrapped, dict):
                entity = wrapped.get("entity", wrapped)
                assert set(entity) <= fields[key], f"{name} {key}"
        if name in published:
            assert any(set(payload) <= set(one) for one in payloads[name]), name
        else:
            assert name in UNPUBLISHED | {"product.payment_links.activated"}, name


def test_neighbours_belong_together() -> None:
    """Ids and amounts agree, also when the caller changes them."""
    paid = event("order.paid", payment={"amount": 100, "id": "pay_00000000000001"}, order={"id": "order_0000000000001"})
    back = event("refund.processed", payment={"amount": 700})["payload"]
    payment, order = (paid["payload"][kind]["entity"] for kind in ("payment", "order"))

    assert payment["order_id"] == order["id"] == "order_0000000000001"
    assert (order["amount"], order["amount_paid"], order["amount_due"]) == (100, 100, 0)
    assert back["refund"]["entity"]["amount"] == back["payment"]["entity"]["amount_refunded"] == 700
    assert back["refund"]["entity"]["payment_id"] == back["payment"]["entity"]["id"]


def test_what_the_caller_says_stays() -> None:
    """Contradictions are for tests too: nothing is repaired behind the caller's back."""
    odd = event("refund.failed", refund={"payment_id": "pay_00000000000009", "amount": 1}, payment={"amount": 5})

    assert odd["payload"]["refund"]["entity"]["payment_id"] == "pay_00000000000009"
    assert odd["payload"]["refund"]["entity"]["amount"] == 1


def test_samples_are_numbered_and_dated() -> None:
    """Same number, same bytes; another number, other ids; all times move with ``at``."""
    later = datetime(2027, 1, 1, tzinfo=UTC)
    moved = event("payment_link.expired", at=later)

    assert body("payment.captured") == body("payment.captured", n=1) != body("payment.captured", n=2)
    assert event("payment.captured")["created_at"] == int(SAMPLE_TIME.timestamp())
    assert moved["payload"]["payment_link"]["entity"]["expired_at"] == moved["created_at"] == int(later.timestamp())


def test_dotted_payloads() -> None:
    """A dot in a payload's name is an underscore in the call."""
    down = event("payment.downtime.started", payment_downtime={"severity": "low"})

    assert down["payload"]["payment.downtime"]["entity"]["severity"] == "low"


@pytest.mark.parametrize(("name", "entities"), [("payment.refunded", {}), ("payment.captured", {"order": {}})])
def test_what_does_not_exist_is_refused(name: str, entities: dict[str, Any]) -> None:
    """Events that Razorpay does not have, entities that an event does not carry."""
    with pytest.raises(ConfigError):
        event(name, **entities)
