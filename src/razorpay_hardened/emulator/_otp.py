"""The one-time passwords of card payments that a business made itself (FACTS appendix D and section 12; the answers are
those of the official pages on server-to-server integration)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import _bank, _checkout, _checks, instruments
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator._s2s import API
from razorpay_hardened.emulator.wire import Call, Entity, Reply, json_reply, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_OTP_TRIES = 3  # the bank's affair, so not published
_WRONG_OTP = "payment processing failed because of incorrect otp"
_NEXT = ["otp_submit", "otp_resend"]
_NETWORK_CODES = {
    "Visa": "VISA",
    "MasterCard": "MC",
    "RuPay": "RUPAY",
    "Diners Club": "DICL",
    "American Express": "AMEX",
}


def _waiting_card(world: World, call: Call) -> Entity:
    """The card payment that waits for its customer."""
    payment = world.live("payment", call.ids[0])
    if "card" not in payment or payment["id"] not in world.waiting or payment["status"] != "created":
        raise refusal("The payment does not wait for an OTP")  # text: not published
    return payment


def otp_generate(world: World, call: Call) -> Entity:
    """``POST /v1/payments/:id/otp_generate``: the bank sends a password. Nobody gets one here: any of 4 to 10 digits
    is right."""
    payment = _waiting_card(world, call)
    payment_id, card = payment["id"], payment["card"]
    key = f"key_id={world.account.key_id}"
    submit = f"{API}/payments/{payment_id}/otp_submit/{world.mint('otp', payment_id).removeprefix('otp_')}?{key}"
    return {
        "razorpay_payment_id": payment_id,
        "next": [
            {"action": "otp_submit", "url": submit},
            {"action": "otp_resend", "url": f"{API}/payments/{payment_id}/otp_resend/json?{key}"},
        ],
        "metadata": {
            "issuer": card["issuer"],
            "network": _NETWORK_CODES.get(card["network"], card["network"]),
            "last4": card["last4"],
            "iin": world.private[payment_id].get("iin"),
        },
    }


def otp_resend(world: World, call: Call) -> Entity:
    """``POST /v1/payments/:id/otp/resend``: the bank sends another password."""
    payment_id = _waiting_card(world, call)["id"]
    world.mint("otp", payment_id)
    return {"next": list(_NEXT), "razorpay_payment_id": payment_id}


def otp_submit(world: World, call: Call) -> Entity | Reply:
    """``POST /v1/payments/:id/otp/submit``: what Checkout would hand over, or why not. A wrong one may be tried again,
    until the bank has had enough."""
    payment = _waiting_card(world, call)
    _checks.known_fields(call.body, {"otp"})
    otp = call.body.get("otp")
    if otp in (None, ""):
        raise refusal("The otp field is required", field="otp")
    if instruments.wrong_otp(str(otp)):
        return _wrong(world, payment)
    _checkout.finish(world, payment["id"], "success", str(otp))
    return _checkout.form(world, payment) if payment["status"] != "failed" else _failed(payment)


def _wrong(world: World, payment: Entity) -> Reply:
    error: Entity = {"code": "BAD_REQUEST_ERROR", "description": _WRONG_OTP}
    private = world.private[payment["id"]]
    private["otps"] = private.get("otps", 0) + 1
    if private["otps"] < _OTP_TRIES:
        return json_reply({"error": error, "next": list(_NEXT)}, 400)
    _bank.fail(world, payment, instruments.WRONG_OTP)
    del world.waiting[payment["id"]]
    return json_reply({"error": error}, 400)


def _failed(payment: Entity) -> Reply:
    """The payment's own error. The status for a gateway's is that of the SDK's test (FACTS section 3)."""
    error: dict[str, Any] = {
        name: payment[f"error_{name}"] for name in ("code", "description", "source", "step", "reason")
    }
    error["metadata"] = {"payment_id": payment["id"], "order_id": payment["order_id"]}
    return json_reply({"error": error}, 504 if error["code"] == "GATEWAY_ERROR" else 400)


ROUTES = (
    Route("POST", "/v1/payments/:id/otp_generate", otp_generate, public=True),
    Route("POST", "/v1/payments/:id/otp/resend", otp_resend),
    Route("POST", "/v1/payments/:id/otp/submit", otp_submit),
)
EVENTS = ()
