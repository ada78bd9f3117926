"""Every body that Razorpay publishes: each object in it becomes its own typed model, and dumps back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from razorpay_hardened.domain.entities import Collection, EventBody, UnknownEntity, parse_as, parse_entity
from razorpay_hardened.domain.entities._registry import KINDS
from razorpay_hardened.errors import CurrencyError, IdMalformed, PayloadInvalid

SAMPLES = Path(__file__).parents[3] / "shared" / "razorpay" / "samples"
FILES = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.json"))

needs_samples = pytest.mark.skipif(not FILES, reason="the official samples are not beside this checkout")

WITHOUT_ENTITY: tuple[tuple[set[str], str], ...] = (
    ({"entity_id", "settlement_id"}, "settlement.recon_item"),
    ({"accept_partial", "short_url"}, "payment_link"),
    ({"unit_amount", "active"}, "item"),
    ({"requested_configuration", "active_configuration"}, "product"),
    ({"profile", "type"}, "account"),
    ({"instrument", "severity"}, "payment.downtime"),
    ({"receipt_summary", "line_items"}, "bill"),
    ({"payment_account_reference"}, "card.reference"),
    ({"account_number", "bank_name"}, "bank_account"),
    ({"ifsc_code", "beneficiary_name"}, "settlement_account"),
    ({"individual_proof_of_address"}, "account.documents"),
    ({"business_proof_of_identification"}, "account.documents"),
    ({"razorpay_payment_id"}, "payment.created"),
    ({"instruments"}, "eligibility"),
    ({"rto_reasons"}, "order.rto_review"),
    ({"vpa", "success"}, "vpa.validation"),
    ({"iins"}, "iin.list"),
    ({"id", "status", "mode"}, "device.activity"),
    ({"error"}, "error"),
    ({"errors"}, "error"),
)
"""What Razorpay sends without ``entity``, told apart by its fields; a client knows the kind by the endpoint."""

ACKNOWLEDGED = ({"success"}, {"deleted"}, {"status"}, set[str]())

IDS_MALFORMED = "the id of an order or a payment breaks the strict form, by slip of Razorpay's"
REFUSED: dict[str, str] = {
    "responses/order/mock-fake_order.json": IDS_MALFORMED,
    "responses/order/mock-order_collection.json": IDS_MALFORMED,
    "webhooks/payment.authorized__woocommerce-2.json": IDS_MALFORMED,
    "webhooks/payment.authorized__woocommerce.json": IDS_MALFORMED,
    "webhooks/payment.failed__woocommerce.json": IDS_MALFORMED,
    "webhooks/payment_link.paid.json": IDS_MALFORMED,
    "webhooks/payment_link.paid__payment-link-paid-upi.json": IDS_MALFORMED,
    "webhooks/refund.created__woocommerce.json": IDS_MALFORMED,
    "webhooks/subscription.charged__woocommerce.json": IDS_MALFORMED,
}
"""Files with an object that the ledger must refuse; the other objects in them parse."""

NO_ENTITY: dict[str, str] = {
    "api-docs/orders/11.json": "the part of an order that the page is about, printed alone",
    "responses/customer/mock-edit_customer.json": "the request to edit a customer",
    "responses/payment/mock-fake_payment_json.json": "the hand-over of a browser page, with the request in it",
    "responses/payment/mock-fake_upi_transfer.json": "invented by the SDK's tests: an entity without its id",
}
"""Files that hold no entity at all."""

FRAGMENTS: dict[str, str] = {"api-docs/payments/3.json": "the second payment was cut to its last fields in print"}
"""Files in which an item of a collection is cut off; the other items parse."""


def _kind(body: dict[str, Any]) -> str:
    if isinstance(body.get("entity"), str):
        return str(body["entity"])
    for fields, kind in WITHOUT_ENTITY:
        if fields <= body.keys():
            return kind
    if body.keys() in ACKNOWLEDGED:
        return "acknowledgement"
    raise AssertionError(f"no kind for {sorted(body)}")


def _objects(path: str, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of one file, each with its kind."""
    if path.startswith("webhooks/"):
        yield "event", body
        if path.startswith("webhooks/account.instant_activation_gmv_limit_warning"):
            yield "account.gmv_limit_warning", body["payload"]
        if path.startswith("webhooks/banking_accounts"):
            yield "banking_accounts", body["payload"]["accounts"]
        for name, part in body.get("payload", {}).items():
            entities = part.get("entity", []) if isinstance(part, dict) else []
            for entity in entities if isinstance(entities, list) else [entities]:
                yield entity.get("entity", name), entity
    elif body.get("entity") == "collection":
        yield from ((_kind(item), item) for item in body["items"] if path not in FRAGMENTS or "entity" in item)
    elif "payment_links" in body:
        yield from ((_kind(item), item) for item in body["payment_links"])
    elif "methods" in body:
        yield _kind(body["methods"]), body["methods"]
    elif isinstance(body.get("data"), dict):
        yield _kind(body["data"]), body["data"]
    else:
        yield _kind(body), body


def _raw_parts(model: BaseModel, at: str = "") -> Iterator[str]:
    """The fields that have a model in their type and hold something else: where the fallback was taken."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        here = f"{at}{type(model).__name__}.{name}"
        values = value if isinstance(value, list) else [value]
        for inner in values:
            if isinstance(inner, BaseModel):
                yield from _raw_parts(inner)
            elif inner is not None and "entities." in str(field.annotation):
                yield here


@needs_samples
@pytest.mark.parametrize("path", [path for path in FILES if path not in NO_ENTITY])
def test_each_object_of_a_sample_becomes_its_own_model(path: str) -> None:
    """Of the kind that it says it is, never UnknownEntity, and the JSON that comes out is the JSON that went in."""
    refused: list[str] = []
    for kind, body in _objects(path, json.loads((SAMPLES / path).read_bytes())):
        try:
            entity = parse_entity(body, kind)
        except (CurrencyError, IdMalformed, PayloadInvalid) as error:
            refused.append(str(error))
            continue
        assert type(entity) is not UnknownEntity, kind
        assert type(entity).__name__ == KINDS[kind]
        assert entity.as_sent() == body
        assert json.loads(entity.model_dump_json(exclude_unset=True)) == body
        assert parse_as(type(entity), type(entity).model_validate_json(json.dumps(body))).as_sent() == body

    assert bool(refused) == (path in REFUSED), refused
    assert all("id (id_malformed)" in line for line in refused)


@needs_samples
def test_the_samples_cover_the_kinds() -> None:
    """Each kind is in some sample, bar those that only stand inside another entity, and a token's number."""
    seen: set[str] = set()
    for path in FILES:
        if path not in NO_ENTITY:
            seen |= {kind for kind, _ in _objects(path, json.loads((SAMPLES / path).read_bytes()))}

    assert seen <= set(KINDS)
    inside = {"contact", "line_item", "settlement.ondemand_payout", "vpa"}
    assert set(KINDS) - seen == {*inside, "token.transaction_data"}


@needs_samples
def test_the_details_are_typed_too() -> None:
    """Inside the entities, nothing falls back to what was sent, but for steps that come as bare names."""
    raw: set[str] = set()
    for path in FILES:
        if path not in NO_ENTITY and path not in REFUSED:
            for kind, body in _objects(path, json.loads((SAMPLES / path).read_bytes())):
                raw |= set(_raw_parts(parse_entity(body, kind)))

    assert raw == {"CreatedPayment.next"}


@needs_samples
@pytest.mark.parametrize("path", [path for path in FILES if path.startswith("webhooks/") and path not in REFUSED])
def test_an_event_gives_its_entities(path: str) -> None:
    """Those of its payload, in order; what is not wrapped as an entity is left where it is."""
    body = json.loads((SAMPLES / path).read_bytes())

    entities = parse_as(EventBody, body).entities()

    told = [sent for _, sent in _objects(path, body)][1:]
    assert [entity.as_sent() for entity in entities] == [
        sent for sent in told if "acc_id" not in sent and "virtual" not in sent
    ]


@needs_samples
def test_expanded_collections_give_their_entities() -> None:
    """Payments inside an order come out as payments."""
    found = 0
    for path in FILES:
        if path in NO_ENTITY or path in REFUSED:
            continue
        for kind, body in _objects(path, json.loads((SAMPLES / path).read_bytes())):
            payments = getattr(parse_entity(body, kind), "payments", None)
            if isinstance(payments, Collection):
                assert {entity.kind for entity in payments.entities()} == {"payment"}
                found += len(payments.entities())

    assert found > 1


@needs_samples
def test_the_tables_above_name_real_files() -> None:
    """So that they cannot hide a finding."""
    assert {*REFUSED, *NO_ENTITY, *FRAGMENTS} <= set(FILES)
    assert len(FILES) > 590
