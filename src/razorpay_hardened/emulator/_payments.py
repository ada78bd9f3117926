"""The payments endpoints (FACTS sections 3, 8 and 9)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _bank, _checks, _mandates
from razorpay_hardened.emulator._listing import collection, expansions, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._transactions import with_transactions
from razorpay_hardened.emulator.instruments import CARD_FAILURE, PLAIN_FAILURE, Instrument
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal
from razorpay_hardened.signing import sign_checkout_for_test

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["capture", "card", "fetch", "find", "instrument_of", "list_all", "shown", "update"]

ALREADY_PAID = (
    "Your payment has been declined as the order is already paid. Please initiate the payment with a new order."
)
_EXPANSIONS = ("card", "emi", "transaction", "refunds", "offers", "token", "transaction.settlement")


def shown(payment: Entity, *, with_card: bool = False) -> Entity:
    """The payment as the API shows it: card and EMI plan only on request (events always carry them)."""
    return {key: value for key, value in payment.items() if key != "emi" and (with_card or key != "card")}


def find(world: World, call: Call, payment_id: str) -> Entity:
    """The payment as this call may see it; an unknown id is refused with 400 (not 404)."""
    payment = world.version(payment_id, call.as_of) or world.first_version(payment_id)
    if payment is None or payment["entity"] != "payment":
        raise refusal("The id provided does not exist")
    return payment


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id``."""
    payment = find(world, call, call.ids[0])
    wanted = expansions(call.query, _EXPANSIONS)
    return with_transactions(world, [_expanded(world, payment, wanted, call.as_of)], wanted)[0]


def _expanded(world: World, payment: Entity, wanted: set[str], as_of: int | None) -> Entity:
    entity = shown(payment, with_card="card" in wanted)
    if "emi" in wanted and "emi" in payment:
        entity["emi"] = payment["emi"]
    if "offers" in wanted:
        order = world.orders.get(payment["order_id"], {})
        entity["offers"] = collection({"id": offer_id} for offer_id in order.get("offers", ()))
    if "token" in wanted and (token := world.table("token").get(payment.get("token_id") or "")) is not None:
        entity["token"] = dict(token)
    if "refunds" in wanted:
        entity["refunds"] = collection(world.newest_first(world.payment_refunds[payment["id"]], as_of))
    return entity


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/payments``, newest first: all, or a customer's."""
    wanted = expansions(call.query, _EXPANSIONS)
    found = world.newest_first(world.payments, call.as_of)
    if (customer := call.query.get("customer_id")) is not None:
        found = (payment for payment in found if payment.get("customer_id") == customer[-1])
    rows = page(found, call.query, ("customer_id",))
    shown_rows = [_expanded(world, payment, wanted, call.as_of) for payment in rows]
    return collection(with_transactions(world, shown_rows, wanted))


def update(world: World, call: Call) -> Entity:
    """``PATCH /v1/payments/:id``: only notes change."""
    find(world, call, call.ids[0])
    _checks.known_fields(call.body, {"notes"})
    payment = world.payments[call.ids[0]]
    payment["notes"] = _checks.notes_in(call.body)
    world.save(payment)
    return shown(payment)


def card(world: World, call: Call) -> Entity:
    """``GET /v1/payments/:id/card``."""
    payment = find(world, call, call.ids[0])
    if "card" not in payment:
        raise not_applicable("Payment was not done using card")
    return dict(payment["card"])


def fetch_card(world: World, call: Call) -> Entity:
    """``GET /v1/cards/:id``: a card that some payment was made with."""
    payment = world.payments.get(world.private.get(call.ids[0], {}).get("payment_id", ""))
    if payment is None:
        raise refusal("The id provided does not exist")
    return dict(payment["card"])


def capture(world: World, call: Call) -> Entity:
    """``POST /v1/payments/:id/capture``: the amount must be the authorised one."""
    find(world, call, call.ids[0])
    payment = world.payments[call.ids[0]]
    _checks.known_fields(call.body, {"amount", "currency"})
    amount, currency = _checks.amount_in(call.body), _checks.currency_in(call.body)
    _capturable(world, payment)
    if amount != payment["amount"]:
        raise refusal("Capture amount must be equal to the amount authorized.", field="amount")
    if currency != payment["currency"]:  # text: not published
        raise refusal("Capture currency must be equal to the currency authorized.", field="currency")
    _bank.capture(world, payment)
    return shown(payment)


def _capturable(world: World, payment: Entity) -> None:
    """Only an authorised payment of an open order. These texts are UNCONFIRMED, but for that of a paid order."""
    if payment["captured"]:
        raise refusal("This payment has already been captured")
    if payment["status"] != "authorized":
        raise refusal("Only payments which have been authorized and not yet captured can be captured")
    order = world.orders.get(payment["order_id"])
    if order is None:
        raise refusal("A payment without an order cannot be captured")
    if order["status"] == "paid":
        raise refusal(ALREADY_PAID)


def create_recurring(world: World, call: Call) -> Entity:
    """``POST /v1/payments/create/recurring``: charge a confirmed token for an order, as if the customer had paid.

    Who waits for the bank's answer in vain learns it from the webhook: a refused charge answers the same.
    """
    body = call.body
    known = {"email", "contact", "amount", "currency", "order_id", "customer_id", "token", "recurring"}
    _checks.known_fields(body, known | {"description", "notes"})
    order = world.live("order", body.get("order_id"))
    customer = world.live("customer", body.get("customer_id"))
    token = world.live("token", body.get("token"))
    amount, currency = _checks.amount_in(body), _checks.currency_in(body)
    if token["id"] not in world.owned(customer["id"], "token"):
        raise refusal("The id provided does not exist")
    if token.get("recurring_details", {}).get("status") != "confirmed":  # text: not published
        raise refusal("The token is not confirmed for recurring payments", reason="recurring_payment_not_enabled")
    if (amount, currency) != (order["amount"], order["currency"]):  # text: not published
        raise refusal("The amount is not that of the order", field="amount", reason="order_amount_mismatch")
    if order["status"] == "paid":
        raise refusal(ALREADY_PAID, reason="order_already_paid")
    if amount > token.get("max_amount", amount):  # text: published for other amounts
        raise refusal("Amount exceeds maximum amount allowed.", field="amount")
    person = {
        "email": body.get("email") or customer["email"],
        "contact": body.get("contact") or customer["contact"],
        "notes": _checks.notes_in(body),
        "customer_id": customer["id"],
        "token_id": token["id"],
        "description": _checks.text_in(body, "description", 2048),
    }
    payment = _bank.begin(world, order, instrument_of(token), amount, currency, **person)
    takes_s = world.options.recurring_debit_s
    if takes_s:
        world.clock.plan(world.clock.ms + takes_s * 1000, partial(_debit, world, token["id"], payment))
    else:
        _debit(world, token["id"], payment)
    token["used_at"] = world.clock.unix()
    world.save(token)
    secret = world.account.key_secret
    return {
        "razorpay_payment_id": payment["id"],
        "razorpay_order_id": order["id"],
        "razorpay_signature": sign_checkout_for_test(order_id=order["id"], payment_id=payment["id"], secret=secret),
    }


def _debit(world: World, token_id: str, payment: Entity) -> None:
    """The bank's word on a recurring debit; there is none where the customer could not be told of it before."""
    if world.private.get(token_id, {}).get("failing") or _mandates.notice_failed(world, payment["order_id"]):
        _bank.fail(world, payment, CARD_FAILURE if "card" in payment else PLAIN_FAILURE)
    else:
        _bank.authorize(world, payment, capture_it=None)


def instrument_of(token: Entity) -> Instrument:
    """How the customer pays who lets a token be charged."""
    vpa = token.get("vpa")
    card = token.get("card")
    shown = None
    if card is not None:  # a network's token does not say whose the card is
        known = {key: card[key] for key in card if not key.startswith("expiry") and key != "flows"}
        shown = {"entity": "card", "name": "", **known}
    return Instrument(
        token["method"], card=shown, vpa=vpa and f"{vpa['username']}@{vpa['handle']}", bank=token.get("bank")
    )


ROUTES = (
    Route("GET", "/v1/payments", list_all),
    Route("GET", "/v1/payments/:id", fetch),
    Route("PATCH", "/v1/payments/:id", update),
    Route("GET", "/v1/payments/:id/card", card),
    Route("POST", "/v1/payments/:id/capture", capture),
    Route("GET", "/v1/cards/:id", fetch_card),
    Route("POST", "/v1/payments/create/recurring", create_recurring),
)
EVENTS = tuple(
    EventKind(f"payment.{name}", (("payment",),)) for name in ("authorized", "captured", "failed", "pending")
)
