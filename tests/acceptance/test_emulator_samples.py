"""The emulator's bodies beside Razorpay's own samples: the same fields with the same types, kind by kind."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened.domain.entities import UnknownEntity, parse_entity
from support.emulator_tour import Tour

SAMPLES = Path(__file__).parents[3] / "shared" / "razorpay" / "samples"
FILES = sorted(path for path in SAMPLES.rglob("*.json") if not path.name.startswith("mock-"))
needs_samples = pytest.mark.skipif(not FILES, reason="the official samples are not beside this checkout")

TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "bool",
    int: "integer",
    float: "number",
    type(None): "null",
}

Shape = dict[str, dict[str, int]]
"""Field to type to how often."""


def kind_of(body: dict[str, Any]) -> str | None:
    prefix = str(body.get("id", "")).partition("_")[0]
    if "settlement_utr" in body:
        return "recon row"
    if prefix in ("plink", "item", "down"):
        return {"plink": "payment_link", "item": "item", "down": "payment.downtime"}[prefix]
    if prefix == "acc" and "requirements" in body:
        return "product configuration"
    if prefix == "acc":
        return "linked account" if "legal_business_name" in body else None
    kind = body.get("entity")
    return kind if isinstance(kind, str) and kind not in ("collection", "event") else None


def collect(body: object, found: dict[str, list[dict[str, Any]]]) -> None:
    if isinstance(body, dict):
        kind = kind_of(body)
        if kind is not None:
            found[kind].append(body)
        for value in body.values():
            collect(value, found)
    elif isinstance(body, list):
        for value in body:
            collect(value, found)


def shape(bodies: list[dict[str, Any]]) -> Shape:
    fields: Shape = defaultdict(lambda: defaultdict(int))
    for body in bodies:
        for field, value in body.items():
            fields[field][TYPES[type(value)]] += 1
    return fields


@pytest.fixture(scope="module")
def samples() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in FILES:
        collect(json.loads(path.read_text("utf-8")), found)
    return found


@pytest.fixture(scope="module")
def ours() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    tour = Tour()
    for _, entity in tour.entities:
        collect(entity, found)
    for _, event in tour.events:
        collect(event, found)
    return found


KINDS = (
    "order",
    "payment",
    "card",
    "refund",
    "settlement",
    "recon row",
    "settlement.ondemand",
    "settlement.ondemand_payout",
    "dispute",
    "document",
    "payment_link",
    "customer",
    "token",
    "item",
    "plan",
    "subscription",
    "addon",
    "invoice",
    "qr_code",
    "virtual_account",
    "bank_account",
    "vpa",
    "bank_transfer",
    "upi_transfer",
    "transfer",
    "reversal",
    "linked account",
    "stakeholder",
    "product configuration",
    "tnc_map",
    "fund_account",
    "iin",
    "device.activity",
    "payment.downtime",
    "service_provider_token",
    "order.fulfillment",
)

NOT_EMULATED = {
    "fund_account.validation": "RazorpayX",
    "merchant": "partner onboarding",
    "methods": "of partner onboarding; the answer of GET /v1/methods is on a page, without a sample",
    "notification": "pre-debit notices",
    "payout": "RazorpayX",
    "payout.downtime": "RazorpayX",
    "payout_link": "RazorpayX",
    "transaction": "RazorpayX",
}
OTHER_CONTENTS = {
    "payment_link.partially_paid": "documented, without a sample; as payment_link.paid",
    "payment.pending": "documented, without a sample; as the other events of a payment",
    "subscription.activated": "the page names the payment too, which its one sample leaves out",
}

EXTRA = {
    ("order", "notification"): "a response field of an order for a debit (API reference), without a sample",
    ("payment", "refunds"): "asked for with expand[]: documented (FACTS section 13), without a sample",
    ("dispute", "payment"): "asked for with expand[]: the sample wraps the answer of another tool around it",
}
OTHER_TYPE = {
    ("recon row", "dispute_id"): "a string for an adjustment, as the page says; no sample row is about a dispute",
    ("customer", "email"): "null where a customer has a contact only: both are optional in the request",
    ("subscription", "change_scheduled_at"): "the time of a scheduled change; the samples have none scheduled",
    ("qr_code", "close_by"): "null where the code has no end: it is optional in the request",
}
MISSING: dict[tuple[str, str], str] = {}


@needs_samples
@pytest.mark.parametrize("kind", KINDS)
def test_no_field_is_invented(kind: str, samples: Any, ours: Any) -> None:
    """Every field of the emulator's bodies is in some sample of that kind, or its source is named here."""
    official, made = shape(samples[kind]), shape(ours[kind])

    assert made, f"the tour makes no {kind}"
    assert {field for field in made if field not in official} == {field for k, field in EXTRA if k == kind}


@needs_samples
@pytest.mark.parametrize("kind", KINDS)
def test_types_are_those_of_the_samples(kind: str, samples: Any, ours: Any) -> None:
    """A field's type is one that a sample has, or the exception is explained here."""
    official, made = shape(samples[kind]), shape(ours[kind])
    other = {field for field, types in made.items() if field in official and not set(types) <= set(official[field])}

    assert other == {field for k, field in OTHER_TYPE if k == kind}


@needs_samples
@pytest.mark.parametrize("kind", KINDS)
def test_no_usual_field_is_missing(kind: str, samples: Any, ours: Any) -> None:
    """What every sample of a kind has, every body of the emulator has, or the gap is explained here."""
    official, made = shape(samples[kind]), shape(ours[kind])
    always = {field for field, types in official.items() if sum(types.values()) == len(samples[kind])}
    kept = {field for field, types in made.items() if sum(types.values()) == len(ours[kind])}

    assert always - kept == {field for k, field in MISSING if k == kind}


@needs_samples
def test_every_kind_is_emulated_or_named(samples: Any) -> None:
    """No kind of entity in the samples is passed over in silence."""
    assert set(samples) == set(KINDS) | set(NOT_EMULATED)


@needs_samples
def test_events_carry_what_the_samples_carry() -> None:
    """Each event has the same members in its payload, and the same envelope, as some sample of that event."""
    official: dict[str, set[frozenset[str]]] = defaultdict(set)
    envelopes: set[str] = set()
    for path in FILES:
        body = json.loads(path.read_text("utf-8"))
        if path.parent.name == "webhooks" and isinstance(body.get("payload"), dict):
            official[body["event"]].add(frozenset(body["payload"]) - {"created_at"})
            envelopes |= set(body)

    events = Tour().events
    other = {name for name, body in events if frozenset(body["payload"]) not in official[name]}
    assert all(set(body) == envelopes for _, body in events)
    assert other == set(OTHER_CONTENTS)


def test_the_client_s_models_read_what_the_emulator_sends(ours: dict[str, list[dict[str, Any]]]) -> None:
    """Every object of every kind, by the models that know nothing of the emulator, and out again unchanged."""
    names = {"recon row": "settlement.recon_item", "linked account": "account", "product configuration": "product"}
    for kind, bodies in ours.items():
        for body in bodies:
            entity = parse_entity(body, names.get(kind, kind))
            assert not isinstance(entity, UnknownEntity), kind
            assert entity.as_sent() == body
