"""Downtimes of payment methods and of payouts (FACTS appendix A, API_REFERENCE "Payment downtimes")."""

from __future__ import annotations

from typing import ClassVar, Literal

from razorpay_hardened.domain.entities._base import Detail, Entity
from razorpay_hardened.domain.entities._fields import At, Flag, Id, Kept, Loose, Status, Text, Texts

__all__ = ["DowntimeInstrument", "PaymentDowntime", "PayoutDowntime"]


class DowntimeInstrument(Detail):
    """What is down: a bank, a card network or issuer, a UPI app or handle."""

    bank: Text = None
    network: Text = None
    issuer: Text = None
    card_type: Text = None
    type: Text = None
    psp: Text = None
    vpa_handle: Text = None
    flow: Text = None


class PaymentDowntime(Entity):
    """A method that fails for now. ``status`` is started, updated, resolved or scheduled; ``end`` null is open.

    Some answers leave ``entity`` out. Events of one downtime may come out of order: resolved wins.
    """

    kind: ClassVar[str] = "payment.downtime"
    id: Id
    entity: Literal["payment.downtime"] = "payment.downtime"
    status: Status = None
    method: Text = None
    severity: Text = None
    scheduled: Flag = None
    instrument: Loose[DowntimeInstrument] = None
    instrument_schema: Texts = None
    begin: At = None
    end: At = None
    created_at: At = None
    updated_at: At = None


class PayoutDowntime(Entity):
    """A bank or a network that takes no payouts for now (RazorpayX). ``method`` is a list."""

    kind: ClassVar[str] = "payout.downtime"
    id: Id
    entity: Literal["payout.downtime"] = "payout.downtime"
    status: Status = None
    method: Kept[list[str] | str] = None
    source: Text = None
    scheduled: Flag = None
    instrument: Loose[DowntimeInstrument] = None
    begin: At = None
    end: At = None
    created_at: At = None
    updated_at: At = None
