"""IINs: what the first digits of a card, or of a card's token, say (API reference "Cards / IIN")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources._body import said, text
from razorpay_hardened.client.resources._read import IIN, IIN_LIST
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Iin, IinList

__all__ = ["AsyncIins", "Iins"]

_IIN = re.compile(r"[0-9]{6}|[0-9]{9}", re.ASCII)


def _fetch(iin: str) -> Ask[Iin]:
    """Network, type and issuer of the cards that begin so: 6 digits of a card, or 9 of a token."""
    if type(iin) is not str or not _IIN.fullmatch(iin):
        raise FieldInvalid("an IIN must be text: the first 6 digits of a card, or the first 9 of a card's token")
    return Ask(Call(op.IIN_FETCH, (iin,)), IIN.echoing(iin=iin))


def _list(*, flow: str | None = None, sub_type: str | None = None) -> Ask[IinList]:
    """The IINs with a property: ``flow="otp"`` (Razorpay can ask for the password itself), ``sub_type="business"``."""
    query = said({"flow": text("flow", flow, 40), "sub_type": text("sub_type", sub_type, 40)})
    return Ask(Call(op.IIN_LIST, data=query), IIN_LIST.one)


class Iins(Resource):
    """``client.iins``."""

    fetch = sync(_fetch)
    list = sync(_list)


class AsyncIins(AsyncResource):
    """``client.iins``, awaited."""

    fetch = awaited(_fetch)
    list = awaited(_list)
