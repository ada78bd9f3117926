"""Entities of transfers, disputes, settlements and partners as Razorpay answers them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ACCOUNT_ID",
    "DISPUTE_ID",
    "DOCUMENT_ID",
    "INSTANT_ID",
    "PRODUCT_ID",
    "SETTLEMENT_ID",
    "STAKEHOLDER_ID",
    "TRANSFER_ID",
    "WEBHOOK_ID",
    "account",
    "dispute",
    "document",
    "instant",
    "product",
    "recon_item",
    "reversal",
    "settlement",
    "stakeholder",
    "transfer",
    "webhook",
]

ACCOUNT_ID = "acc_GRWKk7qQsLnDjX"
DISPUTE_ID = "disp_AHfqOvkldwsbqt"
DOCUMENT_ID = "doc_EsyWjHrfzb59Re"
INSTANT_ID = "setlod_FNj7g2YS5J67Rz"
PRODUCT_ID = "acc_prd_HEgNpywUFctQ9e"
SETTLEMENT_ID = "setl_DGlQ1Rj8os78Ec"
STAKEHOLDER_ID = "sth_GLGgm8fFCKc92m"
TRANSFER_ID = "trf_E9utgtfGTcpcmm"
WEBHOOK_ID = "HK890egfiItP3H"


def transfer(**changes: Any) -> dict[str, Any]:
    plain = {"id": TRANSFER_ID, "entity": "transfer", "status": "processed", "source": "acc_CJoeHMNpi0nC7k"}
    more = {"recipient": ACCOUNT_ID, "amount": 500, "currency": "INR", "amount_reversed": 0, "on_hold": False}
    return {**plain, **more, "notes": [], "created_at": 1580219046, **changes}


def reversal(**changes: Any) -> dict[str, Any]:
    plain = {"id": "rvrsl_EB0BWgGDAu7tOz", "entity": "reversal", "transfer_id": TRANSFER_ID, "amount": 100}
    return {**plain, "currency": "INR", "fee": 0, "tax": 0, "notes": [], "created_at": 1580456007, **changes}


def dispute(**changes: Any) -> dict[str, Any]:
    plain = {"id": DISPUTE_ID, "entity": "dispute", "payment_id": "pay_EsyWjHrfzb59eR", "amount": 10000}
    more = {"currency": "INR", "amount_deducted": 0, "status": "open", "phase": "chargeback", "evidence": {}}
    return {**plain, **more, "created_at": 1590059211, **changes}


def document(**changes: Any) -> dict[str, Any]:
    plain = {"id": DOCUMENT_ID, "entity": "document", "purpose": "dispute_evidence", "name": "a.png"}
    return {**plain, "mime_type": "image/png", "size": 4, "created_at": 1590604200, **changes}


def settlement(**changes: Any) -> dict[str, Any]:
    plain = {"id": SETTLEMENT_ID, "entity": "settlement", "amount": 97100, "status": "processed", "fees": 0}
    return {**plain, "tax": 0, "utr": "1568176960vxp0rj", "created_at": 1568176960, **changes}


def recon_item(**changes: Any) -> dict[str, Any]:
    plain = {"entity_id": "pay_DEXrnipqTmWVGE", "type": "payment", "debit": 0, "credit": 97100, "amount": 100000}
    more = {"currency": "INR", "fee": 2900, "tax": 0, "settlement_id": SETTLEMENT_ID, "notes": "{}"}
    return {**plain, **more, "settled_at": 1568176960, **changes}


def instant(**changes: Any) -> dict[str, Any]:
    plain = {"id": INSTANT_ID, "entity": "settlement.ondemand", "amount_requested": 500, "amount_settled": 0}
    more = {"currency": "INR", "settle_full_balance": False, "status": "created", "fees": 1, "tax": 0}
    return {**plain, **more, "notes": [], "created_at": 1596771429, **changes}


def account(**changes: Any) -> dict[str, Any]:
    plain = {"id": ACCOUNT_ID, "type": "route", "status": "created", "email": "g@example.com", "reference_id": "shop-7"}
    return {**plain, "notes": [], "created_at": 1611136837, **changes}


def stakeholder(**changes: Any) -> dict[str, Any]:
    return {"id": STAKEHOLDER_ID, "entity": "stakeholder", "name": "Gauri", "notes": [], **changes}


def product(**changes: Any) -> dict[str, Any]:
    plain = {"id": PRODUCT_ID, "account_id": ACCOUNT_ID, "product_name": "route", "activation_status": "requested"}
    return {**plain, "requested_configuration": [], "active_configuration": {}, "requirements": [], **changes}


def webhook(**changes: Any) -> dict[str, Any]:
    plain = {"id": WEBHOOK_ID, "entity": "webhook", "url": "https://shop.example/rzp", "active": True}
    return {**plain, "secret_exists": True, "events": ["payment.captured"], "created_at": 1624060358, **changes}
