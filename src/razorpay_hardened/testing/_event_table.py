"""Every documented webhook event: what its payload holds, and in which state.

Where a sample body contradicts the event's name (a failed transfer that says ``processed``), the name is believed.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["SPECS", "UNPUBLISHED", "Spec"]

Spec = dict[str, dict[str, Any]]
"""Payload name → what differs from the entity's usual shape; ``kind`` names another shape than the payload's name."""

_AUTHORIZED: Spec = {"payment": {"status": "authorized", "captured": False, "fee": None, "tax": None}}
_CAPTURED: Spec = {"payment": {}}
_FAILED: Spec = {
    "payment": {
        "status": "failed",
        "captured": False,
        "fee": None,
        "tax": None,
        "error_code": "BAD_REQUEST_ERROR",
        "error_description": "Payment failed",
        "error_source": "issuer",
        "error_step": "payment_authorization",
        "error_reason": "payment_failed",
    }
}
_PENDING: Spec = {"payment": {"status": "pending", "method": "cod", "captured": False, "fee": None, "tax": None}}
_PAID: Spec = {**_CAPTURED, "order": {}}
_PART: Spec = {**_CAPTURED, "order": {"status": "attempted", "amount": 99_900, "amount_due": 50_000}}


def _refund(status: str, **changes: Any) -> Spec:
    gone = {} if status == "failed" else {"amount_refunded": 49_900, "refund_status": "full", "status": "refunded"}
    return {"refund": {"status": status, **changes}, "payment": gone}


def _dispute(status: str, **changes: Any) -> Spec:
    return {**_CAPTURED, "dispute": {"status": status, **changes}}


def _one(name: str, **changes: Any) -> Spec:
    return {name: changes}


def _merchant(**changes: Any) -> Spec:
    return {"account": {"kind": "merchant", **changes}}


def _mandate(status: str, **changes: Any) -> Spec:
    return {"token": {"recurring_details": {"status": status, "failure_reason": None, **changes}}}


def _card_token(status: str) -> Spec:
    return {"token": {"kind": "card_token", "status": status}}


def _provider(status: str) -> Spec:
    return {"service_provider_token": {"status": status}, **_card_token("active")}


_PAYMENTS: dict[str, Spec] = {
    "payment.authorized": _AUTHORIZED,
    "payment.captured": _CAPTURED,
    "payment.failed": _FAILED,
    "payment.pending": _PENDING,
    "payment.downtime.started": _one("payment.downtime"),
    "payment.downtime.updated": _one("payment.downtime", status="updated", severity="medium"),
    "payment.downtime.resolved": _one("payment.downtime", status="resolved", end=0),
    "order.paid": _PAID,
    "order.notification.delivered": _one("notification"),
    "order.notification.failed": _one("notification", status="failed", delivered_at=None),
    "refund.created": _refund("pending"),
    "refund.processed": _refund("processed", acquirer_data={"rrn": "000000000000"}),
    "refund.failed": _refund("failed"),
    "refund.speed_changed": _refund("processed", speed_requested="optimum"),
    "payment.dispute.created": _dispute("open"),
    "payment.dispute.under_review": _dispute("under_review"),
    "payment.dispute.action_required": _dispute("open"),
    "payment.dispute.won": _dispute("won"),
    "payment.dispute.lost": _dispute("lost", amount_deducted=49_900),
    "payment.dispute.closed": _dispute("closed", phase="fraud"),
    "settlement.processed": _one("settlement"),
    "transfer.processed": _one("transfer"),
    "transfer.failed": _one("transfer", status="failed", processed_at=None),
}

_BILLING: dict[str, Spec] = {
    "invoice.partially_paid": {
        **_PART,
        "invoice": {"status": "partially_paid", "amount": 99_900, "amount_due": 50_000},
    },
    "invoice.paid": {**_PAID, "invoice": {"paid_at": 0, "amount_paid": 49_900, "amount_due": 0}},
    "invoice.expired": _one("invoice", status="expired", expired_at=0, payment_id=None),
    "subscription.authenticated": _one("subscription", status="authenticated", paid_count=0, remaining_count=12),
    "subscription.activated": _one("subscription"),
    "subscription.charged": {"subscription": {}, **_CAPTURED},
    "subscription.completed": {
        "subscription": {
            "status": "completed",
            "paid_count": 12,
            "remaining_count": 0,
            "ended_at": 0,
            "charge_at": None,
        },
        **_CAPTURED,
    },
    "subscription.updated": _one("subscription"),
    "subscription.pending": _one("subscription", status="pending", auth_attempts=1),
    "subscription.halted": _one("subscription", status="halted", auth_attempts=4),
    "subscription.cancelled": _one("subscription", status="cancelled", ended_at=0, charge_at=None),
    "subscription.paused": _one("subscription", status="paused", charge_at=None),
    "subscription.resumed": _one("subscription"),
    "payment_link.paid": {"payment_link": {"status": "paid", "amount_paid": 49_900}, "order": {}, "payment": {}},
    "payment_link.partially_paid": {
        "payment_link": {"status": "partially_paid", "accept_partial": True, "amount": 99_900, "amount_paid": 49_900},
        "order": _PART["order"],
        "payment": {},
    },
    "payment_link.cancelled": _one("payment_link", status="cancelled", cancelled_at=0),
    "payment_link.expired": _one("payment_link", status="expired", expired_at=0),
}

_COLLECTING: dict[str, Spec] = {
    "qr_code.created": _one("qr_code"),
    "qr_code.credited": {
        "payment": {"order_id": None},
        "qr_code": {"payments_amount_received": 49_900, "payments_count_received": 1},
    },
    "qr_code.closed": _one("qr_code", status="closed", closed_at=0, close_reason="on_demand"),
    "virtual_account.created": _one("virtual_account"),
    "virtual_account.credited": {
        "payment": {"order_id": None, "method": "bank_transfer", "vpa": None},
        "virtual_account": {"amount_paid": 49_900},
        "bank_transfer": {},
    },
    "virtual_account.closed": _one("virtual_account", status="closed", closed_at=0),
}

_MANDATES: dict[str, Spec] = {
    **{f"token.{name}": _mandate(name) for name in ("confirmed", "cancelled", "paused", "resumed")},
    "token.rejected": _mandate("rejected", failure_reason="Rejected by bank"),
    "token.cancellation_initiated": _mandate("cancellation_initiated"),
    "token.activated": _card_token("active"),
    **{f"token.{name}": _card_token(name) for name in ("initiated", "suspended", "deactivated")},
    "token.expiry_updated": _card_token("active"),
    "token.service_provider.activated": {**_card_token("active"), "service_provider_token": {}, "customer": {}},
    "token.service_provider.cancelled": _provider("suspended"),
    "token.service_provider.deactivated": _provider("deactivated"),
    "token.service_provider.failed": _provider("failed"),
    "token.service_provider_token.activated": _provider("active"),
}

_PARTNERS: dict[str, Spec] = {
    "account.app.authorization_revoked": {},
    "account.under_review": _merchant(activated=False, live=False),
    "account.needs_clarification": _merchant(activated=False, live=False),
    "account.activated": _merchant(),
    "account.activated_kyc_pending": _merchant(),
    "account.instantly_activated": _merchant(hold_funds=True),
    "account.payments_enabled": _merchant(),
    "account.rejected": _merchant(activated=False, live=False, hold_funds=True),
    "account.suspended": _merchant(activated=False, live=False, hold_funds=True, suspended_at=0),
    "account.funds_hold": _merchant(hold_funds=True),
    "account.funds_unhold": _merchant(),
    "account.instant_activation_gmv_limit_warning": {},
    "account.payment_methods.updated": {},
    "account.updated": {"account": {"kind": "linked_account"}, "bank_account": {}},
    "banking_accounts.issued": _one("accounts"),
    **{
        f"product.{product}.{status}": _one("merchant_product", activation_status=status)
        for product, statuses in (
            ("payment_gateway", ("instantly_activated", "rejected")),
            ("payment_link", ("rejected",)),  # printed without its s
        )
        for status in statuses
    },
    **{
        f"product.{product}.{status}": _one("merchant_product", activation_status=status)
        for product in ("payment_gateway", "payment_links", "route")
        for status in ("under_review", "needs_clarification", "activated", "activated_kyc_pending")
        if (product, status) != ("route", "activated_kyc_pending")
    },
}

_PAYOUTS: dict[str, Spec] = {
    **{
        f"payout.{name}": _one("payout", status=name)
        for name in ("pending", "rejected", "queued", "processed", "reversed", "failed")
    },
    "payout.initiated": _one("payout", status="processing"),
    "payout.updated": _one("payout", utr="000000000000"),
    "payout.downtime.started": _one("payout.downtime"),
    "payout.downtime.resolved": _one("payout.downtime", status="resolved", end=0),
    "fund_account.validation.completed": _one("fund_account.validation"),
    "fund_account.validation.failed": _one(
        "fund_account.validation", status="failed", results={"account_status": "", "registered_name": ""}
    ),
    **{
        f"payout_link.{name}": _one("payout_link", status=name)
        for name in ("pending", "issued", "processing", "processed", "rejected")
    },
    "payout_link.attempted": _one("payout_link", attempt_count=1),
    "payout_link.cancelled": _one("payout_link", status="cancelled", cancelled_at=0),
    "payout_link.expired": _one("payout_link", status="expired"),
    "transaction.created": _one("transaction"),
}

SPECS: Final = {**_PAYMENTS, **_BILLING, **_COLLECTING, **_MANDATES, **_PARTNERS, **_PAYOUTS}

UNPUBLISHED: Final = frozenset(
    {
        "payment.pending",
        "payment_link.partially_paid",
        "token.service_provider.failed",
        "account.payment_methods.updated",
    }
)
"""Documented by name only: no body is printed anywhere, and ours is put together from its neighbours'."""
