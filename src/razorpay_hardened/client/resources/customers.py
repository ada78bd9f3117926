"""Customers: people and businesses that pay, and their bank accounts (API reference "Customers")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _sealed
from razorpay_hardened.client.resources._body import changed, each, flag, object_of, payable, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import BANK_ACCOUNT, CUSTOMER, ELIGIBILITY
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import BankAccount, Customer, Eligibility
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Page
    from razorpay_hardened.signing.keys import Secret

__all__ = ["AsyncCustomers", "Customers"]

NAME_MIN: Final = 3
NAME_MAX: Final = 50
EMAIL_MAX: Final = 64
CONTACT_MIN: Final = 8
CONTACT_MAX: Final = 15
GSTIN_MAX: Final = 15


def _create(
    *,
    name: str | None = None,
    email: str | None = None,
    contact: str | None = None,
    gstin: str | None = None,
    notes: Mapping[str, str] | None = None,
    fail_existing: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Customer]:
    """A new customer: at least a ``name`` (3 to 50 characters), an ``email`` or a ``contact``.

    ``contact`` is a telephone number of 8 to 15 characters, with the country's code. A customer is the same as another
    by e-mail and contact: Razorpay refuses a second one (:class:`ApiBadRequest`), or, without ``fail_existing``,
    answers with the first as it is, whatever else was said of this one.

    Without ``fail_existing`` a request whose answer was lost is sent again; with it, nothing is sent twice: after
    :class:`OutcomeUnknown`, call again with ``fail_existing=False``.
    """
    fields = {
        **_person(name, email, contact),
        "gstin": text("gstin", gstin, GSTIN_MAX),
        "notes": None if notes is None else check_notes(notes),
    }
    if all(fields[field] is None for field in ("name", "email", "contact")):
        raise FieldInvalid("give a name, an email or a contact")
    ensures = flag("fail_existing", fail_existing) is False
    body = said({**fields, "fail_existing": "0" if ensures else None}, extra)
    return Ask(Call(op.CUSTOMER_ENSURE if ensures else op.CUSTOMER_CREATE, data=body), CUSTOMER.one)


def _person(name: str | None, email: str | None, contact: str | None) -> dict[str, Any]:
    return {
        "name": text("name", name, NAME_MAX, shortest=NAME_MIN),
        "email": text("email", email, EMAIL_MAX),
        "contact": text("contact", contact, CONTACT_MAX, shortest=CONTACT_MIN),
    }


def _fetch(customer_id: str) -> Ask[Customer]:
    """The customer as Razorpay has it now."""
    customer_id = check_id("customer", customer_id)
    return Ask(Call(op.CUSTOMER_FETCH, (customer_id,)), CUSTOMER.echoing(id=customer_id))


def _list(*, count: int = 100, skip: int = 0) -> Ask[Page[Customer]]:
    """One page of customers. Razorpay documents no window of time for them."""
    return one_page(op.CUSTOMER_LIST, CUSTOMER.many, count=count, skip=skip)


def _iter(*, count: int = 100, cursor: str | None = None) -> Listing[Customer]:
    """Every customer, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    return Listing(op.CUSTOMER_LIST, CUSTOMER.many, count=count, cursor=cursor)


def _edit(
    customer_id: str,
    *,
    name: str | None = None,
    email: str | None = None,
    contact: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Customer]:
    """The customer with what was given changed; the rest stays as it is."""
    customer_id = check_id("customer", customer_id)
    body = changed(_person(name, email, contact), extra)
    return Ask(Call(op.CUSTOMER_EDIT, (customer_id,), body), CUSTOMER.echoing(id=customer_id))


# --- bank accounts --------------------------------------------------------------------------------------------------


def _add_bank_account(
    customer_id: str,
    *,
    account_number: str | Secret,
    ifsc_code: str,
    beneficiary_name: str | None = None,
    beneficiary_address1: str | None = None,
    beneficiary_email: str | None = None,
    beneficiary_mobile: str | None = None,
    beneficiary_city: str | None = None,
    beneficiary_state: str | None = None,
    beneficiary_country: str | None = None,
    beneficiary_pin: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[BankAccount]:
    """The new account, with most of its number masked.

    ``account_number`` is 5 to 35 letters and digits, as text or as a :class:`Secret`. Nothing is sent twice, and no
    call lists a customer's accounts: after :class:`OutcomeUnknown` the account may be there.
    """
    customer_id = check_id("customer", customer_id)
    texts = {
        "beneficiary_name": beneficiary_name,
        "beneficiary_address1": beneficiary_address1,
        "beneficiary_email": beneficiary_email,
        "beneficiary_mobile": beneficiary_mobile,
        "beneficiary_city": beneficiary_city,
        "beneficiary_state": beneficiary_state,
        "beneficiary_country": beneficiary_country,
        "beneficiary_pin": beneficiary_pin,
    }
    body = said(
        {
            "account_number": _sealed.account_number(account_number),
            "ifsc_code": _sealed.ifsc("ifsc_code", ifsc_code),
            **{field: text(field, value, 255) for field, value in texts.items()},
        },
        extra,
        needs=("account_number", "ifsc_code"),
    )
    return Ask(Call(op.CUSTOMER_BANK_ADD, (customer_id,), body), BANK_ACCOUNT.one)


def _delete_bank_account(customer_id: str, bank_account_id: str) -> Ask[BankAccount]:
    """The account that is gone now. Nothing is sent twice: after :class:`OutcomeUnknown` it may be gone."""
    ids = (check_id("customer", customer_id), check_id("bank_account", bank_account_id))
    return Ask(Call(op.CUSTOMER_BANK_DELETE, ids), BANK_ACCOUNT.echoing(id=ids[1]))


# --- eligibility ----------------------------------------------------------------------------------------------------


def _check_eligibility(
    *,
    amount: Money,
    customer: Mapping[str, Any],
    inquiry: str = "affordability",
    instruments: Sequence[Mapping[str, Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Eligibility]:
    """Whether the customer may pay ``amount`` in instalments or later, by each of the ``instruments``, or by all.

    ``customer`` has ``contact``, and perhaps ``id`` (``cust_…``), ``ip``, ``referrer`` and ``user_agent``. Lenders are
    asked, so nothing is sent twice; another check after :class:`OutcomeUnknown` does no harm.
    """
    person = object_of("customer", customer)
    if person is not None and person.get("id") is not None:
        check_id("customer", person["id"])
    asked = [object_of("an instrument", one) for one in each("instruments", instruments)]
    body = said(
        {
            "inquiry": text("inquiry", inquiry, 40),
            "amount": payable("amount", amount).subunits,
            "currency": amount.currency,
            "customer": person,
            "instruments": asked or None,
        },
        extra,
        needs=("inquiry", "customer"),
    )
    return Ask(Call(op.CUSTOMER_ELIGIBILITY_CHECK, data=body), ELIGIBILITY.one)


def _eligibility(eligibility_id: str) -> Ask[Eligibility]:
    """What an earlier check found: ``eligibility_req_id`` (``elig_…``) of its instruments."""
    return Ask(Call(op.CUSTOMER_ELIGIBILITY_FETCH, (check_id("eligibility", eligibility_id),)), ELIGIBILITY.one)


class Customers(Resource):
    """``client.customers``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    edit = sync(_edit)
    add_bank_account = sync(_add_bank_account)
    delete_bank_account = sync(_delete_bank_account)
    check_eligibility = sync(_check_eligibility)
    eligibility = sync(_eligibility)


class AsyncCustomers(AsyncResource):
    """``client.customers``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    edit = awaited(_edit)
    add_bank_account = awaited(_add_bank_account)
    delete_bank_account = awaited(_delete_bank_account)
    check_eligibility = awaited(_check_eligibility)
    eligibility = awaited(_eligibility)
