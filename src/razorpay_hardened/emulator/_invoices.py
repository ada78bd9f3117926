"""Invoices: made by the business or by a subscription, paid through an order (FACTS sections 8 and 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import _checks, _customers, _hash
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._terms import Terms
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES", "expiry_in", "issue_for", "line_of", "new"]

_QUARTER_HOUR_S = 900
_LINES_MAX = 50
_FIELDS = {
    "type",
    "description",
    "draft",
    "customer_id",
    "customer",
    "line_items",
    "expire_by",
    "sms_notify",
    "email_notify",
    "partial_payment",
    "first_payment_min_amount",
    "currency",
    "notes",
    "receipt",
    "invoice_number",
    "terms",
    "comment",
    "date",
}
_NOT_IN_UPDATE = ("customer", "line_items", "sms_notify", "email_notify", "draft", "date")
_LINE_FIELDS = {"item_id", "name", "description", "amount", "currency", "quantity"}
_NO_INTERNATIONAL_SYMBOL = {"INR": "₹", "USD": "$"}


# --- making one -------------------------------------------------------------------------------------------------


def create(world: World, call: Call) -> Entity:
    """``POST /v1/invoices``: issued at once, unless it is a draft."""
    body = call.body
    _checks.known_fields(body, _FIELDS)
    _checks.choice_in(body, "type", ("invoice", "link"))
    draft = _checks.flag_in(body, "draft")
    customer = _customer(world, body)
    currency = _checks.currency_in({"currency": body.get("currency", "INR")})
    lines = _lines(world, body, currency)
    if not lines and not draft:
        raise refusal("line_items is required", field="line_items")
    invoice = new(world, customer, currency, lines)
    invoice.update(
        {
            "receipt": _number(body),
            "invoice_number": _number(body),
            "expire_by": expiry_in(world, body),
            "terms": _checks.text_in(body, "terms", 2048),
            "comment": _checks.text_in(body, "comment", 2048),
            "description": _checks.text_in(body, "description", 2048),
            "notes": _checks.notes_in(body),
            "date": _checks.time_in(body, "date") or world.clock.unix(),
            "type": body["type"],
            "partial_payment": _checks.flag_in(body, "partial_payment"),
            "first_payment_min_amount": body.get("first_payment_min_amount"),
            "sms_status": "pending" if _checks.flag_in(body, "sms_notify", True) else None,
            "email_status": "pending" if _checks.flag_in(body, "email_notify", True) else None,
        }
    )
    world.save(invoice)
    if not draft:
        _issue(world, invoice)
    return dict(invoice)


def new(world: World, customer: Entity | None, currency: str, lines: list[Entity]) -> Entity:
    """A draft over these lines; not yet saved."""
    amount = sum(line["net_amount"] for line in lines)
    now = world.clock.unix()
    return {
        "id": world.mint("inv", customer and customer["id"]),
        "entity": "invoice",
        "receipt": None,
        "invoice_number": None,
        "customer_id": customer and customer["id"],
        "customer_details": _details(customer),
        "order_id": None,
        "line_items": lines,
        "payment_id": None,
        "status": "draft",
        "expire_by": None,
        "issued_at": None,
        "paid_at": None,
        "cancelled_at": None,
        "expired_at": None,
        "sms_status": None,
        "email_status": None,
        "date": now,
        "terms": None,
        "partial_payment": False,
        "gross_amount": amount,
        "tax_amount": 0,  # taxes on items are not emulated
        "taxable_amount": amount,
        "amount": amount,
        "amount_paid": 0,
        "amount_due": amount,
        "first_payment_min_amount": None,
        "currency": currency,
        "currency_symbol": _NO_INTERNATIONAL_SYMBOL.get(currency, currency),
        "description": None,
        "notes": [],
        "comment": None,
        "short_url": None,
        "view_less": True,
        "billing_start": None,
        "billing_end": None,
        "type": "invoice",
        "group_taxes_discounts": False,
        "created_at": now,
        "idempotency_key": None,
    }


def _details(customer: Entity | None) -> Entity:
    who: Entity = customer or {}
    return {
        "id": who.get("id"),
        "name": who.get("name"),
        "email": who.get("email"),
        "contact": who.get("contact"),
        "gstin": who.get("gstin"),
        "billing_address": who.get("billing_address"),
        "shipping_address": who.get("shipping_address"),
        "customer_name": who.get("name"),
        "customer_email": who.get("email"),
        "customer_contact": who.get("contact"),
    }


def _customer(world: World, body: Entity) -> Entity | None:
    """A known customer or a new one; only a draft needs none."""
    if body.get("customer_id") is not None:
        return world.live("customer", body["customer_id"])
    said = _checks.object_in(body, "customer")
    if not said:
        if _checks.flag_in(body, "draft"):
            return None
        raise refusal("customer is required", field="customer")
    addresses = {
        f"{kind}_address": _address(world, said[f"{kind}_address"], kind)
        for kind in ("billing", "shipping")
        if isinstance(said.get(f"{kind}_address"), dict)
    }
    person = {key: value for key, value in said.items() if not key.endswith("_address")}
    _checks.known_fields(person, {"name", "email", "contact", "gstin"})
    return {**_customers.make(world, person), **addresses}


def _address(world: World, said: Entity, kind: str) -> Entity:
    needed = ("line1", "city", "zipcode", "state", "country")
    for field in needed:
        _checks.text_in(said, field, 255, needed=True)
    parts = {key: said.get(key) for key in ("line1", "line2", "zipcode", "city", "state", "country")}
    return {"id": world.mint("addr", *parts.values()), "type": f"{kind}_address", "primary": True, **parts}


def _number(body: Entity) -> str | None:
    return _checks.text_in(body, "invoice_number", 40, shortest=1) or _checks.text_in(body, "receipt", 40)


def expiry_in(world: World, body: Entity) -> int | None:
    """``expire_by`` of something that can be paid: a quarter of an hour away at least."""
    expire_by = _checks.time_in(body, "expire_by")
    if expire_by is not None and expire_by < world.clock.unix() + _QUARTER_HOUR_S:
        raise refusal("expire_by should be at least 15 minutes after current time", field="expire_by")
    return expire_by


def _lines(world: World, body: Entity, currency: str) -> list[Entity]:
    said = body.get("line_items") or []
    if not isinstance(said, list) or len(said) > _LINES_MAX:
        raise refusal(f"The line_items may not have more than {_LINES_MAX} items.", field="line_items")  # unpublished
    return [_line(world, one if isinstance(one, dict) else {}, currency) for one in said]


def _line(world: World, said: Entity, currency: str) -> Entity:
    _checks.known_fields(said, _LINE_FIELDS)
    item: Entity = {} if said.get("item_id") is None else world.live("item", said["item_id"])
    for field in ("name", "amount"):
        if not item and said.get(field) is None:
            raise refusal(f"The {field} field is required when item id is not present", field=field)
    merged = {**{key: item.get(key) for key in ("name", "description", "amount", "currency")}, **said}
    if (merged.get("currency") or currency) != currency:
        raise refusal("Currency of all items should be the same as of the invoice", field="currency")
    amount, quantity = _checks.amount_in(merged), _checks.whole_in(said, "quantity", 1)
    return line_of(world, merged, amount, quantity, currency, "invoice", item.get("id"))


def line_of(
    world: World, item: Entity, amount: int, quantity: int, currency: str, kind: str, item_id: str | None
) -> Entity:
    """A line: so many of something at a price each."""
    whole = amount * quantity
    return {
        "id": world.mint("li", item["name"]),
        "item_id": item_id,
        "ref_id": None,
        "ref_type": None,
        "name": item["name"],
        "description": item.get("description"),
        "amount": amount,
        "unit_amount": amount,
        "gross_amount": whole,
        "tax_amount": 0,
        "taxable_amount": whole,
        "net_amount": whole,
        "currency": currency,
        "type": kind,
        "tax_inclusive": False,
        "hsn_code": None,
        "sac_code": None,
        "tax_rate": None,
        "unit": None,
        "quantity": quantity,
        "taxes": [],
    }


def issue_for(world: World, invoice: Entity) -> Entity:
    """Issue what a subscription charges; the order to be paid comes back."""
    world.save(invoice)
    _issue(world, invoice)
    return world.orders[invoice["order_id"]]


def _issue(world: World, invoice: Entity) -> None:
    now = world.clock.unix()
    order: Entity = {
        "id": world.mint("order", invoice["id"]),
        "entity": "order",
        "amount": invoice["amount"],
        "amount_paid": 0,
        "amount_due": invoice["amount"],
        "currency": invoice["currency"],
        "receipt": invoice["receipt"],
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": invoice["notes"],
        "created_at": now,
    }
    window = world.options.capture_window_s
    world.terms[order["id"]] = Terms(
        auto=True,
        auto_until_s=window,
        window_s=window,
        partial=invoice["partial_payment"],
        first_minimum=invoice["first_payment_min_amount"],
    )
    world.private[order["id"]]["payment"] = {
        "invoice_id": invoice["id"],
        "description": f"Invoice #{invoice['id']}",
        **({"customer_id": invoice["customer_id"]} if invoice["customer_id"] else {}),
    }
    world.on_captured[order["id"]] = partial(_credited, world, invoice["id"])
    invoice.update(
        order_id=order["id"],
        status="issued",
        issued_at=now,
        short_url=f"https://rzp.io/i/{_hash.token(world.seed, 'short', invoice['id'], length=7)}",
        sms_status=invoice["sms_status"] and "sent",
        email_status=invoice["email_status"] and "sent",
    )
    world.save(order, invoice)
    if invoice["expire_by"] is not None:
        world.clock.plan(invoice["expire_by"] * 1000, partial(_expire, world, invoice["id"]))


def _credited(world: World, invoice_id: str, payment: Entity, order: Entity) -> None:
    invoice = world.table("invoice")[invoice_id]
    status = "paid" if order["status"] == "paid" else "partially_paid"
    invoice.update(
        status=status, amount_paid=order["amount_paid"], amount_due=order["amount_due"], payment_id=payment["id"]
    )
    if status == "paid":
        invoice["paid_at"] = world.clock.unix()
    world.save(invoice)
    world.emit(f"invoice.{status}", payment=payment, order=order, invoice=_in_event(invoice))


def _in_event(invoice: Entity) -> Entity:
    """Events leave out the lines and the symbol."""
    return {key: value for key, value in invoice.items() if key not in ("line_items", "currency_symbol")}


def _expire(world: World, invoice_id: str) -> None:
    invoice = world.table("invoice").get(invoice_id)
    if invoice is None or invoice["status"] not in ("issued", "partially_paid"):
        return
    if invoice["expire_by"] is None or invoice["expire_by"] > world.clock.unix():  # it was given more time
        return
    invoice.update(status="expired", expired_at=world.clock.unix())
    world.save(invoice)
    world.emit("invoice.expired", invoice=_in_event(invoice))


# --- afterwards -------------------------------------------------------------------------------------------------


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/invoices/:id``."""
    return world.seen("invoice", call.ids[0], call.as_of)


_FILTERS = ("type", "payment_id", "receipt", "customer_id", "subscription_id")


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/invoices``, newest first."""
    rows = world.newest_first(world.table("invoice"), call.as_of)
    asked = {key: call.query[key][-1] for key in _FILTERS if key in call.query}
    found = (row for row in rows if all(row.get(key) == value for key, value in asked.items()))
    return collection(page(found, call.query, _FILTERS))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/invoices/:id``: a draft in every part, an issued one in what the customer has not agreed to."""
    invoice = world.live("invoice", call.ids[0])
    body = call.body
    _in_status(invoice, "draft", "issued", "partially_paid")
    if invoice["status"] != "draft" and any(field in body for field in _NOT_IN_UPDATE):
        raise refusal(f"{', '.join(_NOT_IN_UPDATE)} is/are not required and should not be sent")
    _checks.known_fields(body, _FIELDS)
    changes: Entity = {}
    for field in ("description", "terms", "comment"):
        if field in body:
            changes[field] = _checks.text_in(body, field, 2048)
    if "notes" in body:
        changes["notes"] = _checks.notes_in(body)
    if "expire_by" in body:
        changes["expire_by"] = expiry_in(world, body)
    if "partial_payment" in body:
        changes["partial_payment"] = _checks.flag_in(body, "partial_payment")
    if {"receipt", "invoice_number"} & set(body):
        changes.update(receipt=_number(body), invoice_number=_number(body))
    if "line_items" in body:
        lines = _lines(world, body, invoice["currency"])
        amount = sum(line["net_amount"] for line in lines)
        changes.update(line_items=lines, amount=amount, amount_due=amount, gross_amount=amount, taxable_amount=amount)
    if {"customer", "customer_id"} & set(body):
        customer = _customer(world, body)
        changes.update(customer_id=customer and customer["id"], customer_details=_details(customer))
    invoice.update(changes)
    if changes.get("expire_by") is not None:
        world.clock.plan(changes["expire_by"] * 1000, partial(_expire, world, invoice["id"]))
    if invoice["order_id"] is not None:
        world.terms[invoice["order_id"]].partial = invoice["partial_payment"]
    world.save(invoice)
    return dict(invoice)


def issue(world: World, call: Call) -> Entity:
    """``POST /v1/invoices/:id/issue``."""
    invoice = world.live("invoice", call.ids[0])
    _in_status(invoice, "draft")
    if not invoice["line_items"]:
        raise refusal("line_items is required", field="line_items")
    if invoice["customer_id"] is None:
        raise refusal("customer is required", field="customer")
    _issue(world, invoice)
    return dict(invoice)


def cancel(world: World, call: Call) -> Entity:
    """``POST /v1/invoices/:id/cancel``. That a partly paid one cannot be cancelled is UNCONFIRMED."""
    invoice = world.live("invoice", call.ids[0])
    _in_status(invoice, "issued")
    invoice.update(status="cancelled", cancelled_at=world.clock.unix())
    world.save(invoice)
    return dict(invoice)


def delete(world: World, call: Call) -> list[Any]:
    """``DELETE /v1/invoices/:id``: drafts only."""
    invoice = world.live("invoice", call.ids[0])
    _in_status(invoice, "draft")
    world.remove(invoice["id"])
    return []


def notify(world: World, call: Call) -> Entity:
    """``POST /v1/invoices/:id/notify_by/:medium``."""
    invoice = world.live("invoice", call.ids[0])
    medium = call.ids[1]
    if medium not in ("sms", "email"):
        raise refusal(f"{medium} is not a valid communication medium")
    _in_status(invoice, "issued", "partially_paid")
    invoice[f"{medium}_status"] = "sent"
    world.save(invoice)
    return {"success": True}


def _in_status(invoice: Entity, *allowed: str) -> None:
    if invoice["status"] not in allowed:
        raise refusal(f"Operation not allowed for Invoice in {invoice['status']} status.")


ROUTES = (
    Route("POST", "/v1/invoices", create),
    Route("GET", "/v1/invoices", list_all),
    Route("GET", "/v1/invoices/:id", fetch),
    Route("PATCH", "/v1/invoices/:id", update),
    Route("DELETE", "/v1/invoices/:id", delete),
    Route("POST", "/v1/invoices/:id/issue", issue),
    Route("POST", "/v1/invoices/:id/cancel", cancel),
    Route("POST", "/v1/invoices/:id/notify_by/:medium", notify),
)
EVENTS = (
    *(EventKind(f"invoice.{name}", (("payment", "order", "invoice"),)) for name in ("paid", "partially_paid")),
    EventKind("invoice.expired", (("invoice",),)),
)
