"""Kinds of entities and the prefixes of their ids (FACTS section 1). The prefix of an id says what it is of."""

from __future__ import annotations

__all__ = ["KINDS", "kind_of"]

_PREFIXES = {
    "order": "order",
    "pay": "payment",
    "rfnd": "refund",
    "setl": "settlement",
    "setlod": "settlement.ondemand",
    "disp": "dispute",
    "doc": "document",
    "plink": "payment_link",
    "cust": "customer",
    "token": "token",
    "plan": "plan",
    "sub": "subscription",
    "ao": "addon",
    "inv": "invoice",
    "item": "item",
    "qr": "qr_code",
    "va": "virtual_account",
    "bt": "bank_transfer",
    "ut": "upi_transfer",
    "trf": "transfer",
    "rvrsl": "reversal",
    "acc": "account",
    "sth": "stakeholder",
    "acc_prd": "merchant_product",
    "fa": "fund_account",
    "pda": "device.activity",
    "down": "payment.downtime",
    "ba": "bank_account",
}

KINDS = tuple(_PREFIXES.values())
"""Every kind that the world keeps a table of. Most name themselves in their field ``entity``; payment links and
items do not have that field."""


def kind_of(entity_id: str) -> str | None:
    """The kind of ``order_…``, ``pay_…`` and so on; None for anything else."""
    return _PREFIXES.get(entity_id.rpartition("_")[0])
