"""Transfers that are made with an order, or of a payment: each a share of it for a linked account (Route)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client.resources._body import each, flag, moment, object_of, rupees, said
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import AmountError, FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.money import Money

__all__ = ["shares"]

_KNOWN = frozenset({"account", "amount", "notes", "linked_account_notes", "on_hold", "on_hold_until"})


def shares(transfers: Sequence[Mapping[str, Any]], of: Money | None = None) -> list[dict[str, Any]]:
    """The transfers, as they go out. Raises :class:`AmountError` where they come to more than ``of``.

    Each has ``account`` (``acc_…``) and ``amount`` (Money, in rupees: Razorpay transfers no other currency), and
    perhaps ``notes``, ``linked_account_notes`` (names among them), ``on_hold`` and ``on_hold_until``.
    """
    sent = [_share(transfer) for transfer in each("transfers", transfers)]
    if not sent:
        raise FieldInvalid("transfers must hold at least one")
    if of is not None and (of.currency != "INR" or sum(one["amount"] for one in sent) > of.subunits):
        raise AmountError("the transfers come to more than the amount, or it is not in rupees")
    return sent


def _share(transfer: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(transfer)
    if "currency" in given:
        raise FieldInvalid("a transfer must have no currency: its amount is Money, which has one")
    fields = {name: given.pop(name, None) for name in _KNOWN}
    notes, shown = fields["notes"], fields["linked_account_notes"]
    body = {
        "account": check_id("account", fields["account"]),
        "amount": rupees("the amount of a transfer", fields["amount"]),
        "currency": "INR",
        "notes": None if notes is None else check_notes(notes),
        "linked_account_notes": None if shown is None else _among(shown, notes or {}),
        "on_hold": flag("on_hold", fields["on_hold"]),
        "on_hold_until": moment("on_hold_until", fields["on_hold_until"]),
    }
    if body["on_hold_until"] is not None and not body["on_hold"]:
        raise FieldInvalid("on_hold_until needs on_hold=True")
    return said(body, object_of("a transfer", given), needs=("amount",))


def _among(names: object, notes: Mapping[str, str]) -> list[str]:
    if isinstance(names, str | bytes) or not isinstance(names, Sequence):
        raise FieldInvalid("linked_account_notes must be a list of names")
    if any(type(name) is not str or name not in notes for name in names):
        raise FieldInvalid("each of linked_account_notes must be the name of a note")
    return list(names)
