"""Registration links: an invoice by which a customer lets the business charge again (FACTS sections 8 and 9; the API
reference's pages on recurring payments)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks, _customers, _hash, _invoices, _mandates
from razorpay_hardened.emulator._methods import BANKS
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity, refusal

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_FIELDS = {
    *("customer", "type", "amount", "currency", "description", "subscription_registration", "receipt", "notes"),
    *("sms_notify", "email_notify", "expire_by"),
}
_REGISTRATION = {
    *("method", "max_amount", "expire_at", "frequency", "auth_type", "first_payment_amount", "bank_account", "nach"),
    *("recurring_value", "recurring_type", "notes"),
}
_METHODS = ("card", "upi", "emandate", "nach", "wallet")
_AUTH_TYPES = {"emandate": ("netbanking", "debitcard", "aadhaar"), "nach": ("physical",)}
_MOST = {"card": 100_000_000, "wallet": 100_000_000, "upi": 9_999_900}
_FREQUENCIES = {
    "card": ("weekly", "monthly", "yearly", "as_presented"),
    "upi": (
        *("daily", "weekly", "fortnightly", "bimonthly", "monthly", "quarterly", "half_yearly", "yearly"),
        *("as_presented", "one_time"),
    ),
}


def create(world: World, call: Call) -> Entity:
    """``POST /v1/subscription_registration/auth_links``. Whoever pays it gives a token; cancelling it, sending it again
    and fetching it are the invoices' calls."""
    body = call.body
    _checks.known_fields(body, _FIELDS)
    _checks.choice_in(body, "type", ("link",))
    amount, currency = _checks.amount_in(body), _checks.currency_in(body)
    said = _checks.object_in(body, "subscription_registration")
    method = _registration(world, said)
    free = method in _AUTH_TYPES  # a bank's mandate is registered for nothing
    if amount < (0 if free else _checks.minimum(currency)):
        raise refusal("The amount must be at least INR 1.00.", field="amount")
    number = _checks.text_in(body, "receipt", 40)
    about: Entity = {
        "receipt": number,
        "invoice_number": number,
        "expire_by": _invoices.expiry_in(world, body),
        "description": _checks.text_in(body, "description", 2048, needed=True),
        "notes": _checks.notes_in(body),
        "type": "link",
        "gross_amount": amount,
        "amount": amount,
        "amount_due": amount,
        "sms_status": "pending" if _checks.flag_in(body, "sms_notify", True) else None,
        "email_status": "pending" if _checks.flag_in(body, "email_notify", True) else None,
    }
    invoice = {**_invoices.new(world, _customer(world, body), currency, []), **about}
    order = _invoices.issue_for(world, invoice)
    limits = {key: said[key] for key in ("max_amount", "expire_at", "frequency") if said.get(key) is not None}
    order.update(customer_id=invoice["customer_id"], method=method, token=limits)
    world.save(order)
    credited = world.on_captured[order["id"]]
    _mandates.expect(world, order, then=credited)
    if method == "nach":
        invoice.update(_form(world, invoice, said))
        world.save(invoice)
    return dict(invoice)


def _registration(world: World, said: Entity) -> str:
    """What the customer is to agree to: its method. The texts are not published."""
    _checks.known_fields(said, _REGISTRATION)
    method = _checks.choice_in(said, "method", _METHODS)
    if method in _MOST and _checks.whole_in(said, "max_amount", least=100) > _MOST[method]:
        raise refusal(f"The max_amount may not be greater than {_MOST[method]}.", field="max_amount")
    if said.get("frequency") is not None:
        _checks.choice_in(said, "frequency", _FREQUENCIES.get(method, _FREQUENCIES["card"]))
    expire_at = _checks.time_in(said, "expire_at")
    if expire_at is not None and expire_at <= world.clock.unix():
        raise refusal("The expire_at must be in the future.", field="expire_at")
    if method in _AUTH_TYPES:
        needed = None if method == "nach" else "netbanking"
        _checks.choice_in(said, "auth_type", _AUTH_TYPES[method], needed)
    if method == "nach":
        bank = _checks.object_in(said, "bank_account")
        for field in ("beneficiary_name", "account_number", "ifsc_code"):
            if bank.get(field) is None:
                raise refusal(f"The {field} field is required", field=field)
    return method


def _customer(world: World, body: Entity) -> Entity:
    """The customer with this contact and address, or a new one."""
    said = _checks.object_in(body, "customer")
    _checks.known_fields(said, {"name", "email", "contact"})
    for field in ("name", "email", "contact"):
        if said.get(field) is None:
            raise refusal(f"The {field} field is required", field=field)
    person = {**said, "contact": str(said["contact"])}
    return _customers.same(world, person) or _customers.make(world, person)


def _form(world: World, invoice: Entity, said: Entity) -> Entity:
    """The paper that a NACH mandate is signed on: its addresses lead nowhere."""
    bank, nach = said["bank_account"], _checks.object_in(said, "nach")
    form = f"https://rzp.io/i/{_hash.token(world.seed, 'form', invoice['id'], length=7)}"
    ifsc = str(bank["ifsc_code"])
    details = invoice["customer_details"]
    return {
        "token": {
            "method": "nach",
            "notes": _checks.notes_in(said) or invoice["notes"],
            "recurring_status": None,
            "failure_reason": None,
            "currency": invoice["currency"],
            "max_amount": said.get("max_amount"),
            "auth_type": "physical",
            "expire_at": said.get("expire_at"),
            "nach": {
                "create_form": True,
                "form_reference1": nach.get("form_reference1"),
                "form_reference2": nach.get("form_reference2"),
                "prefilled_form": form,
                "upload_form_url": invoice["short_url"],
                "description": invoice["description"],
            },
            "bank_account": {
                "ifsc": ifsc,
                "bank_name": BANKS.get(ifsc[:4], f"{ifsc[:4]} Bank"),
                "name": bank["beneficiary_name"],
                "account_number": str(bank["account_number"]),
                "account_type": bank.get("account_type", "savings"),
                "beneficiary_email": details["email"],
                "beneficiary_mobile": details["contact"],
            },
            "first_payment_amount": said.get("first_payment_amount", 0),
        },
        "nach_form_url": form,
    }


ROUTES = (Route("POST", "/v1/subscription_registration/auth_links", create),)
EVENTS = ()
