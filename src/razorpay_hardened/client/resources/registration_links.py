"""Registration links: an invoice by which a customer allows later charges (API reference "Recurring payments")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes, check_receipt
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import flag, moment, object_of, said, text
from razorpay_hardened.client.resources._mandate import FREE, asked, mandate
from razorpay_hardened.client.resources._read import INVOICE
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Invoice
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment

__all__ = ["AsyncRegistrationLinks", "RegistrationLinks"]


def _create(
    *,
    customer: Mapping[str, Any],
    amount: Money,
    description: str,
    subscription_registration: Mapping[str, Any],
    receipt: str | None = None,
    expire_by: Moment | None = None,
    sms_notify: bool | None = None,
    email_notify: bool | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Invoice]:
    """A new link, as an invoice; whoever pays ``amount`` by it allows the charges that it describes.

    ``customer`` has ``name``, ``email`` and ``contact``. ``subscription_registration`` has ``method`` (card, upi,
    emandate, nach …), and what that method needs: ``max_amount`` and ``first_payment_amount`` (Money, in the currency
    of ``amount``), ``expire_at``, ``frequency``, ``auth_type``, ``bank_account`` (its number as text, or a
    :class:`Secret`), ``nach``. ``amount`` is 0 where the method is emandate or nach, and nowhere else.

    It is cancelled, fetched and sent again through ``client.invoices``. Nothing is sent twice: after
    :class:`OutcomeUnknown`, ``invoices.find_by_receipt`` shows whether it is there.
    """
    person = object_of("customer", customer)
    if person is None or any(person.get(field) is None for field in ("name", "email", "contact")):
        raise FieldInvalid("customer needs name, email, contact")
    money = asked(amount, free=_method(subscription_registration) in FREE)
    body = said(
        {
            "customer": person,
            "type": "link",
            "amount": money.subunits,
            "currency": money.currency,
            "description": text("description", description),
            "subscription_registration": mandate(
                "subscription_registration", subscription_registration, money.currency
            ),
            "receipt": None if receipt is None else check_receipt(receipt),
            "expire_by": moment("expire_by", expire_by),
            "sms_notify": flag("sms_notify", sms_notify),
            "email_notify": flag("email_notify", email_notify),
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
        needs=("description",),
    )

    def parse(answer: Any) -> Invoice:
        invoice = INVOICE.one(answer)
        read.same_money(invoice, money)
        if receipt is not None:
            read.echo("receipt", invoice.receipt, receipt)
        return invoice

    return Ask(Call(op.REGISTRATION_LINK_CREATE, data=body, receipt=receipt), parse)


def _method(registration: object) -> str:
    method = registration.get("method") if isinstance(registration, Mapping) else None
    if type(method) is not str or not method:
        raise FieldInvalid("subscription_registration must be a mapping with a method")
    return method


class RegistrationLinks(Resource):
    """``client.registration_links``."""

    create = sync(_create)


class AsyncRegistrationLinks(AsyncResource):
    """``client.registration_links``, awaited."""

    create = awaited(_create)
