"""What happens between the customer, the bank and the clock: payments begin, fail, succeed, are captured, expire.

Every change of a payment or of its order passes here, and so does every payment and order event (FACTS section 9).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _books, _hash, _settle
from razorpay_hardened.emulator.instruments import EXPIRED, SILENCE, Failure, Instrument

if TYPE_CHECKING:
    from razorpay_hardened.emulator.wire import Entity
    from razorpay_hardened.emulator.world import World

__all__ = ["abandon", "authorize", "begin", "capture", "collect", "fail", "give_back", "pend", "receive"]

_NO_ERROR = dict.fromkeys(("error_code", "error_description", "error_source", "error_step", "error_reason"))

_REFERENCES = {
    "upi": "rrn",
    "card": "auth_code",
    "emi": "auth_code",
    "netbanking": "bank_transaction_id",
    "wallet": "transaction_id",
}


def begin(
    world: World, order: Entity | None, instrument: Instrument, amount: int, currency: str, **person: object
) -> Entity:
    """A payment in status ``created``: the customer has pressed Pay, the bank has said nothing yet."""
    order_id = order["id"] if order is not None else None
    shared: Entity = world.private.get(order_id or "", {}).get("payment", {})  # what an invoice or link says of it
    payment: Entity = {
        "id": world.mint("pay", order_id),
        "entity": "payment",
        "amount": amount,
        "currency": currency,
        "status": "created",
        "order_id": order_id,
        "invoice_id": None,
        "international": currency != "INR",
        "method": instrument.method,
        "amount_refunded": 0,
        "refund_status": None,
        "captured": False,
        "description": None,
        "card_id": None,
        "bank": instrument.bank,
        "wallet": instrument.wallet,
        "vpa": instrument.vpa,
        **person,
        **shared,
        "fee": None,
        "tax": None,
        **_NO_ERROR,
        "acquirer_data": _acquirer_data(instrument.method, None),
        "created_at": world.clock.unix(),
    }
    _add_instrument(world, payment, instrument)
    if order_id is not None:
        world.order_payments[order_id].append(payment["id"])
    world.save(payment)
    return payment


def _add_instrument(world: World, payment: Entity, instrument: Instrument) -> None:
    if instrument.card is not None:
        payment["card_id"] = world.mint("card", payment["id"])
        payment["card"] = {"id": payment["card_id"], **instrument.card}
        world.private[payment["card_id"]]["payment_id"] = payment["id"]
        payment["international"] = payment["international"] or instrument.card["international"]
    if instrument.emi is not None:
        payment["emi"] = instrument.emi
    if payment["international"]:  # the value at which it will settle (FACTS section 2)
        payment["base_amount"] = _books.in_paise(world, payment["amount"], payment["currency"])
        payment["base_currency"] = "INR"
    if instrument.vpa is not None:
        payment["upi"] = {"payer_account_type": "bank_account", "vpa": instrument.vpa, "flow": "collect"}


def _acquirer_data(method: str, reference: str | None) -> Entity:
    field = _REFERENCES.get(method)
    return {} if field is None else {field: reference}


def _attempted(world: World, payment: Entity) -> None:
    """Count the attempt on the order once, when the bank first answers; a late yes is the same attempt."""
    order = world.orders.get(payment["order_id"])
    if order is None or payment["status"] != "created":
        return
    order["attempts"] += 1
    if order["status"] == "created":
        order["status"] = "attempted"
    world.save(order)


def fail(world: World, payment: Entity, failure: Failure) -> None:
    """The attempt failed; the order stays open."""
    _attempted(world, payment)
    payment.update(failure.fields(), status="failed")
    world.save(payment)
    world.emit("payment.failed", payment=payment)


def abandon(
    world: World,
    payment: Entity,
    *,
    answers_after_s: float | None,
    capture_it: bool | None,
    silence_s: int | None = None,
) -> None:
    """Nobody answers: failed after the bank's silence; ``answers_after_s`` later the bank may say yes after all.

    ``silence_s`` is that of a UPI request which says itself when it ends; None is the account's.
    """
    now, silence = world.clock.ms, (world.options.bank_silence_s if silence_s is None else silence_s) * 1000
    failure = SILENCE if silence_s is None else EXPIRED
    world.clock.plan(now + silence, partial(_give_up, world, payment, failure))
    if answers_after_s is not None and answers_after_s <= world.options.bank_polled_s:
        late = now + silence + round(answers_after_s * 1000)
        world.clock.plan(late, partial(authorize, world, payment, capture_it=capture_it))


def _give_up(world: World, payment: Entity, failure: Failure) -> None:
    if payment["status"] == "created":
        fail(world, payment, failure)


def authorize(world: World, payment: Entity, *, capture_it: bool | None) -> None:
    """The bank says yes. ``capture_it`` overrides what order and account say about capturing.

    From ``failed`` this is a late authorisation. A yes for an order that is paid already is given back at once.
    """
    if payment["status"] not in ("created", "failed"):
        return  # the bank has answered already
    _say_yes(world, payment)
    order = world.orders.get(payment["order_id"])
    if order is not None and order["status"] == "paid" and capture_it is not True:
        give_back(world, payment)
    elif order is not None and (capture_it or (capture_it is None and _captured_by_itself(world, payment))):
        capture(world, payment)
    else:
        _await_capture(world, payment)


def _say_yes(world: World, payment: Entity) -> None:
    late = payment["status"] == "failed"
    _attempted(world, payment)
    reference = _hash.digits(world.seed, "bank", payment["id"])
    payment.update(_NO_ERROR, status="authorized", acquirer_data=_acquirer_data(payment["method"], reference))
    if late:
        payment["late_authorized"] = True
    if (tell := world.on_authorized.pop(payment["id"], None)) is not None:
        tell(payment)
    world.save(payment)
    world.emit("payment.authorized", payment=payment)


def receive(world: World, payment: Entity) -> None:
    """Money that comes without an order, to a QR code or a virtual account: always captured (FACTS section 9)."""
    _say_yes(world, payment)
    capture(world, payment)


def _captured_by_itself(world: World, payment: Entity) -> bool:
    terms = world.terms[payment["order_id"]]
    return terms.auto and world.clock.unix() - payment["created_at"] <= terms.auto_until_s


def _await_capture(world: World, payment: Entity) -> None:
    terms = world.terms.get(payment["order_id"])
    window = terms.window_s if terms is not None else world.options.capture_window_s
    world.clock.plan((payment["created_at"] + window) * 1000, partial(give_back, world, payment))


def pend(world: World, payment: Entity) -> None:
    """Cash on delivery: nobody pays before the parcel comes (FACTS section 9)."""
    _attempted(world, payment)
    payment["status"] = "pending"
    world.save(payment)
    world.emit("payment.pending", payment=payment)


def collect(world: World, payment: Entity) -> None:
    """The courier has the cash."""
    payment["status"] = "authorized"
    capture(world, payment)


def give_back(world: World, payment: Entity) -> None:
    """Refund an authorised payment that nobody captured: always at normal speed, ``captured`` stays false."""
    if payment["status"] == "authorized":
        _settle.open_refund(world, payment, payment["amount"])


def capture(world: World, payment: Entity) -> None:
    """The money is taken; the order is paid once captures reach its amount, and says so once."""
    borne: tuple[int, int] | None = world.private.get(payment["id"], {}).get("borne")
    fee, tax = borne or _books.fee_of(world, payment)
    received = payment["amount"] - (fee if borne else 0)  # what the customer bears pays for nothing
    payment.update(status="captured", captured=True, fee=fee, tax=tax)
    order = world.orders.get(payment["order_id"])
    was_paid = order is None or order["status"] == "paid"
    if order is not None:
        paid = min(order["amount"], order["amount_paid"] + received)
        order.update(amount_paid=paid, amount_due=order["amount"] - paid)
        if not order["amount_due"]:
            order["status"] = "paid"
        world.save(order)
    world.save(payment)
    _books.payment_in(world, payment)
    world.emit("payment.captured", payment=payment)
    if order is not None and order["status"] == "paid" and not was_paid:
        world.emit("order.paid", payment=payment, order=order)
    if order is not None and (tell := world.on_captured.get(order["id"])) is not None:
        if order["status"] == "paid":  # whoever made the order has nothing to do with a surplus payment
            del world.on_captured[order["id"]]
        tell(payment, order)
