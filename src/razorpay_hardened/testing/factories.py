"""Webhook bodies for tests: one factory for every event that Razorpay documents.

    event("payment.captured", payment={"amount": 100_00})      a dict
    body("order.paid", n=2)                                    the bytes to sign and to send

What is inside belongs together: the refund is of the payment beside it, the payment of the order. ``n`` numbers the
samples: the same ``n`` has the same ids, another one is another customer. Bodies are as the documentation describes
them, not as its samples slip; for those, see Razorpay's own pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from razorpay_hardened.errors import ConfigError
from razorpay_hardened.testing._event_table import SPECS, UNPUBLISHED, Spec
from razorpay_hardened.testing._shapes import shapes

__all__ = ["EVENTS", "SAMPLE_TIME", "UNPUBLISHED", "body", "event"]

EVENTS: Final = tuple(sorted(SPECS))
"""Every event name that there is a factory for."""

SAMPLE_TIME: Final = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
"""When samples happen unless told otherwise: the moment at which the emulator begins."""

_LINKS = {
    "payment": {"order_id": "order", "invoice_id": "invoice"},
    "refund": {"payment_id": "payment"},
    "dispute": {"payment_id": "payment"},
    "bank_transfer": {"payment_id": "payment", "virtual_account_id": "virtual_account"},
    "invoice": {"order_id": "order", "payment_id": "payment"},
    "payment_link": {"order_id": "order"},
}
_TIMES = ("end", "expired_at", "cancelled_at", "closed_at", "paid_at", "ended_at", "suspended_at")  # 0 in specs: now


def event(
    name: str,
    /,
    *,
    n: int = 1,
    at: datetime = SAMPLE_TIME,
    account_id: str = "acc_Sample00000000",
    **entities: Mapping[str, Any],
) -> dict[str, Any]:
    """The event ``name`` as a dict, as its JSON would be read.

    ``entities`` change or add fields: ``payment={"amount": 100}``; a dot in a payload's name is an underscore here
    (``payment_downtime``). A changed amount of a payment is also that of its order and its refund, unless they have
    one of their own. Raises :class:`ConfigError` for unknown events, and for entities that the event does not carry.
    """
    if name not in SPECS:
        raise ConfigError(f"Razorpay documents no event {name!r}; see razorpay_hardened.testing.factories.EVENTS")
    seconds = int(at.timestamp())
    spec = SPECS[name]
    changes = _by_payload_name(name, spec, entities)
    payload = _filled(spec, shapes(f"Sample{n:08d}", seconds), seconds)
    for key, changed in changes.items():
        payload[key].update(changed)
    _link(payload, changes)
    if name == "account.app.authorization_revoked":  # the one without entity and payload
        return {"event": name, "account_id": account_id, "contains": [], "created_at": seconds}
    return {
        "entity": "event",
        "account_id": account_id,
        "event": name,
        "contains": list(payload) if payload else _flat(name, account_id)["contains"],
        "payload": {key: _wrapped(key, entity) for key, entity in payload.items()}
        or _flat(name, account_id)["payload"],
        "created_at": seconds,
    }


def body(
    name: str,
    /,
    *,
    n: int = 1,
    at: datetime = SAMPLE_TIME,
    account_id: str = "acc_Sample00000000",
    **entities: Mapping[str, Any],
) -> bytes:
    """The same as the bytes that Razorpay would sign and send: compact JSON."""
    made = event(name, n=n, at=at, account_id=account_id, **entities)
    return json.dumps(made, separators=(",", ":")).encode("ascii")


def _by_payload_name(name: str, spec: Spec, entities: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    known = {key.replace(".", "_"): key for key in spec}
    if unknown := sorted(entities.keys() - known.keys()):
        carried = ", ".join(known) or "no entity"
        raise ConfigError(f"{name} carries {carried}; not {', '.join(unknown)}")
    return {known[key]: changed for key, changed in entities.items()}


def _filled(spec: Spec, kinds: dict[str, dict[str, Any]], seconds: int) -> dict[str, dict[str, Any]]:
    payload = {}
    for key, changed in spec.items():
        now = {field: seconds for field in _TIMES if changed.get(field) == 0}
        rest = {field: value for field, value in changed.items() if field != "kind"}
        payload[key] = {**kinds[changed.get("kind", key)], **rest, **now}
    return payload


def _link(payload: dict[str, dict[str, Any]], changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Let neighbours agree about ids and amounts, where the caller did not say otherwise."""
    for key, links in _LINKS.items():
        for field, other in links.items():
            if key in payload and other in payload and field not in changes.get(key, {}):
                payload[key][field] = payload[other]["id"]
    payment, order, refund = (payload.get(key) for key in ("payment", "order", "refund"))
    amount = changes.get("payment", {}).get("amount")
    if payment is None or amount is None:
        return
    if order is not None and order["status"] == "paid" and "amount" not in changes.get("order", {}):
        order.update(amount=amount, amount_paid=amount, amount_due=0)
    if refund is not None and "amount" not in changes.get("refund", {}):
        refund["amount"] = amount
    if payment["refund_status"] == "full" and "amount_refunded" not in changes["payment"]:
        payment["amount_refunded"] = amount


def _wrapped(key: str, entity: dict[str, Any]) -> dict[str, Any]:
    """Most entities stand under ``entity``; onboarding has ``data`` beside it, banking accounts stand bare."""
    if key == "accounts":
        return entity
    if key == "merchant_product":
        return {"entity": entity, "data": []}
    return {"entity": entity}


def _flat(name: str, account_id: str) -> dict[str, Any]:
    """The two events that carry no entity: a warning of plain values, and one whose body nobody has printed."""
    if name == "account.instant_activation_gmv_limit_warning":
        account = account_id.removeprefix("acc_")
        values = {"acc_id": account, "gmv_limit": 15_000, "current_gmv": 15_200, "message": "A sample"}
        return {"contains": list(values), "payload": values}
    return {"contains": [], "payload": {}}
