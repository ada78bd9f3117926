"""Stakeholders: the people who own or run a linked account (FACTS section 8)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources._body import changed, object_of, said, text
from razorpay_hardened.client.resources._read import ACCOUNT_DOCUMENTS, STAKEHOLDER
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.client.resources._upload import upload
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import AccountDocuments, Stakeholder

__all__ = ["AsyncStakeholders", "Stakeholders"]

NOTE_MAX: Final = 512
"""Characters of a note, twice as many as elsewhere (API reference, stakeholders)."""


def _create(
    account_id: str,
    *,
    name: str | None = None,
    email: str | None = None,
    percentage_ownership: float | None = None,
    relationship: Mapping[str, bool] | None = None,
    phone: Mapping[str, str | int] | None = None,
    addresses: Mapping[str, Any] | None = None,
    kyc: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Stakeholder]:
    """A new stakeholder of the account. Linked accounts need an ``email``, and have one stakeholder.

    ``relationship``: ``director``, ``executive``. ``phone``: ``primary``, ``secondary``. ``addresses``:
    ``residential``. ``kyc``: ``pan``. Nothing is sent twice: after :class:`OutcomeUnknown`, look at ``list``.
    """
    account_id = check_id("account", account_id)
    if name is None and email is None:
        raise FieldInvalid("a stakeholder needs a name or an email")
    body = said(_fields(name, email, percentage_ownership, relationship, phone, addresses, kyc, notes), extra)
    return Ask(Call(op.STAKEHOLDER_CREATE, (account_id,), body), STAKEHOLDER.one)


def _fetch(account_id: str, stakeholder_id: str) -> Ask[Stakeholder]:
    """The stakeholder as Razorpay has them now."""
    ids = _ids(account_id, stakeholder_id)
    return Ask(Call(op.STAKEHOLDER_FETCH, ids), STAKEHOLDER.echoing(id=stakeholder_id))


def _list(account_id: str) -> Ask[tuple[Stakeholder, ...]]:
    """Every stakeholder of the account. Razorpay documents no paging for them."""
    return Ask(Call(op.STAKEHOLDER_LIST, (check_id("account", account_id),)), STAKEHOLDER.many)


def _edit(
    account_id: str,
    stakeholder_id: str,
    *,
    name: str | None = None,
    email: str | None = None,
    percentage_ownership: float | None = None,
    relationship: Mapping[str, bool] | None = None,
    phone: Mapping[str, str | int] | None = None,
    addresses: Mapping[str, Any] | None = None,
    kyc: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Stakeholder]:
    """The stakeholder with what was given changed.

    For linked accounts Razorpay documents ``name`` and ``email`` as needed each time.
    """
    ids = _ids(account_id, stakeholder_id)
    body = changed(_fields(name, email, percentage_ownership, relationship, phone, addresses, kyc, notes), extra)
    return Ask(Call(op.STAKEHOLDER_EDIT, ids, body), STAKEHOLDER.echoing(id=stakeholder_id))


def _fields(
    name: str | None,
    email: str | None,
    percentage_ownership: float | None,
    relationship: Mapping[str, bool] | None,
    phone: Mapping[str, str | int] | None,
    addresses: Mapping[str, Any] | None,
    kyc: Mapping[str, str] | None,
    notes: Mapping[str, str] | None,
) -> dict[str, Any]:
    return {
        "name": text("name", name, 255),
        "email": text("email", email, 64),
        "percentage_ownership": _share(percentage_ownership),
        "relationship": object_of("relationship", relationship),
        "phone": object_of("phone", phone),
        "addresses": object_of("addresses", addresses),
        "kyc": object_of("kyc", kyc),
        "notes": None if notes is None else check_notes(notes, NOTE_MAX),
    }


def _share(percentage: float | None) -> float | None:
    if percentage is not None and (
        type(percentage) not in (int, float) or not math.isfinite(percentage) or not 0 <= percentage <= 100
    ):
        raise FieldInvalid("percentage_ownership must be a number from 0 to 100")
    return percentage


def _documents(account_id: str, stakeholder_id: str) -> Ask[AccountDocuments]:
    """The proofs that were uploaded for the stakeholder, by what they prove."""
    return Ask(Call(op.STAKEHOLDER_DOCUMENTS, _ids(account_id, stakeholder_id)), ACCOUNT_DOCUMENTS.one)


def _upload_document(
    account_id: str,
    stakeholder_id: str,
    content: bytes,
    *,
    document_type: str,
    name: str,
    media_type: str | None = None,
) -> Ask[AccountDocuments]:
    """Upload a proof, such as ``document_type="aadhar_front"``; JPEG, PNG or PDF, see ``documents.create``.

    Nothing is sent twice. After :class:`OutcomeUnknown`, ``documents`` shows whether it arrived.
    """
    ids = _ids(account_id, stakeholder_id)
    file = upload(content, name, media_type)
    data = said({"document_type": text("document_type", document_type, 64)}, needs=("document_type",))
    return Ask(Call(op.STAKEHOLDER_DOCUMENT_UPLOAD, ids, data, file=file), ACCOUNT_DOCUMENTS.one)


def _ids(account_id: str, stakeholder_id: str) -> tuple[str, str]:
    return check_id("account", account_id), check_id("stakeholder", stakeholder_id)


class Stakeholders(Resource):
    """``client.stakeholders``."""

    create = sync(_create)
    fetch = sync(_fetch)
    list = sync(_list)
    edit = sync(_edit)
    documents = sync(_documents)
    upload_document = sync(_upload_document)


class AsyncStakeholders(AsyncResource):
    """``client.stakeholders``, awaited."""

    create = awaited(_create)
    fetch = awaited(_fetch)
    list = awaited(_list)
    edit = awaited(_edit)
    documents = awaited(_documents)
    upload_document = awaited(_upload_document)
