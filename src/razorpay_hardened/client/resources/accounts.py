"""Linked accounts of Route, and a partner's sub-merchants (FACTS section 8); version 2 of that API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import changed, object_of, said, text
from razorpay_hardened.client.resources._read import ACCOUNT, ACCOUNT_DOCUMENTS
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.client.resources._upload import upload
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Account, AccountDocuments

__all__ = ["Accounts", "AsyncAccounts"]

PHONE_MIN, PHONE_MAX = 8, 15
REFERENCE_MAX: Final = 512


def _create(
    *,
    email: str,
    phone: str | int,
    legal_business_name: str,
    business_type: str,
    profile: Mapping[str, Any] | None = None,
    type: str | None = None,
    contact_name: str | None = None,
    customer_facing_business_name: str | None = None,
    reference_id: str | None = None,
    legal_info: Mapping[str, Any] | None = None,
    contact_info: Mapping[str, Any] | None = None,
    apps: Mapping[str, Any] | None = None,
    brand: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Account]:
    """A new account: ``type`` is ``route`` for a linked account, ``standard`` for a sub-merchant.

    ``business_type`` is such as ``partnership``. Linked accounts need a ``profile``: ``category``, ``subcategory``,
    ``addresses`` by kind. ``phone`` has 8 to 15 digits. Keep your own id in ``reference_id``.

    Nothing is sent twice. Raises :class:`OutcomeUnknown` when the account may exist: Razorpay keeps e-mail addresses
    unique, so creating it again then is an :class:`ApiBadRequest` that names it.
    """
    fields = _fields(
        phone, legal_business_name, profile, contact_name, customer_facing_business_name, reference_id, legal_info
    )
    more = _more(contact_info, apps, brand, notes)
    body = said(
        {
            "email": text("email", email, 132),
            "business_type": text("business_type", business_type, 64),
            "type": text("type", type, 64),
            **fields,
            **more,
        },
        extra,
        needs=("email", "phone", "legal_business_name", "business_type"),
    )
    asked = {} if reference_id is None else {"reference_id": reference_id}
    return Ask(Call(op.ACCOUNT_CREATE, data=body), ACCOUNT.echoing(**asked))


def _fetch(account_id: str) -> Ask[Account]:
    """The account as Razorpay has it now."""
    account_id = check_id("account", account_id)
    return Ask(Call(op.ACCOUNT_FETCH, (account_id,)), ACCOUNT.echoing(id=account_id))


def _edit(
    account_id: str,
    *,
    phone: str | int | None = None,
    legal_business_name: str | None = None,
    profile: Mapping[str, Any] | None = None,
    contact_name: str | None = None,
    customer_facing_business_name: str | None = None,
    reference_id: str | None = None,
    legal_info: Mapping[str, Any] | None = None,
    contact_info: Mapping[str, Any] | None = None,
    apps: Mapping[str, Any] | None = None,
    brand: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Account]:
    """The account with what was given changed.

    For linked accounts Razorpay documents ``phone``, ``legal_business_name`` and ``profile`` as needed each time.
    """
    account_id = check_id("account", account_id)
    fields = _fields(
        phone, legal_business_name, profile, contact_name, customer_facing_business_name, reference_id, legal_info
    )
    body = changed({**fields, **_more(contact_info, apps, brand, notes)}, extra)
    return Ask(Call(op.ACCOUNT_EDIT, (account_id,), body), ACCOUNT.echoing(id=account_id))


def _fields(
    phone: str | int | None,
    legal_business_name: str | None,
    profile: Mapping[str, Any] | None,
    contact_name: str | None,
    customer_facing_business_name: str | None,
    reference_id: str | None,
    legal_info: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "phone": _phone(phone),
        "legal_business_name": text("legal_business_name", legal_business_name, 200, shortest=4),
        "profile": object_of("profile", profile),
        "contact_name": text("contact_name", contact_name, 255, shortest=4),
        "customer_facing_business_name": text("customer_facing_business_name", customer_facing_business_name, 255),
        "reference_id": text("reference_id", reference_id, REFERENCE_MAX),
        "legal_info": object_of("legal_info", legal_info),
    }


def _more(
    contact_info: Mapping[str, Any] | None,
    apps: Mapping[str, Any] | None,
    brand: Mapping[str, Any] | None,
    notes: Mapping[str, str] | None,
) -> dict[str, Any]:
    return {
        "contact_info": object_of("contact_info", contact_info),
        "apps": object_of("apps", apps),
        "brand": object_of("brand", brand),
        "notes": None if notes is None else check_notes(notes),
    }


def _phone(phone: str | int | None) -> str | None:
    if phone is None:
        return None
    digits = str(phone).removeprefix("+") if type(phone) in (str, int) else ""
    if not digits.isascii() or not digits.isdigit() or not PHONE_MIN <= len(digits) <= PHONE_MAX:
        raise FieldInvalid(f"phone must have {PHONE_MIN} to {PHONE_MAX} digits")
    return str(phone)


def _delete(account_id: str) -> Ask[Account]:
    """Delete the account: it stays, as ``suspended``. One that is suspended counts as deleted."""
    account_id = check_id("account", account_id)
    return settle.moved(Call(op.ACCOUNT_DELETE, (account_id,)), _fetch(account_id), "suspended")


def _documents(account_id: str) -> Ask[AccountDocuments]:
    """The proofs that were uploaded for the account, by what they prove."""
    account_id = check_id("account", account_id)
    return Ask(Call(op.ACCOUNT_DOCUMENTS, (account_id,)), ACCOUNT_DOCUMENTS.one)


def _upload_document(
    account_id: str, content: bytes, *, document_type: str, name: str, media_type: str | None = None
) -> Ask[AccountDocuments]:
    """Upload a proof, such as ``document_type="business_pan_url"``; JPEG, PNG or PDF, see ``documents.create``.

    Nothing is sent twice. After :class:`OutcomeUnknown`, ``documents`` shows whether it arrived.
    """
    account_id = check_id("account", account_id)
    file = upload(content, name, media_type)
    data = said({"document_type": text("document_type", document_type, 64)}, needs=("document_type",))
    return Ask(Call(op.ACCOUNT_DOCUMENT_UPLOAD, (account_id,), data, file=file), ACCOUNT_DOCUMENTS.one)


class Accounts(Resource):
    """``client.accounts``."""

    create = sync(_create)
    fetch = sync(_fetch)
    edit = sync(_edit)
    delete = sync(_delete)
    documents = sync(_documents)
    upload_document = sync(_upload_document)


class AsyncAccounts(AsyncResource):
    """``client.accounts``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    edit = awaited(_edit)
    delete = awaited(_delete)
    documents = awaited(_documents)
    upload_document = awaited(_upload_document)
