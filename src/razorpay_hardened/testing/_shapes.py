"""What Razorpay's entities look like inside webhooks: every field name is one that the documentation prints.

Values are ours and belong together: one customer, one order of ₹499.00, one payment for it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["shapes"]

Entity = dict[str, Any]

_AMOUNT, _FEE, _TAX = 49_900, 1_178, 180  # two per cent and 18 % GST on it: fee includes tax
_DAY = 86_400
_PERSON = {"name": "Gaurav Kumar", "email": "customer@example.com", "contact": "+919000090000"}
_VPA = {"username": "customer", "handle": "okbank", "address": "customer@okbank"}


def shapes(token: str, at: int) -> dict[str, Entity]:
    """One entity of each kind by the name that payloads use. ``token`` ends the ids, ``at`` is Unix seconds."""
    return {
        **_payments(token, at),
        **_billing(token, at),
        **_collecting(token, at),
        **_mandates(token, at),
        **_payouts(token, at),
        **_partners(token, at),
    }


def _bank_account(token: str) -> Entity:
    return {
        "id": f"ba_{token}",
        "entity": "bank_account",
        "ifsc": "HDFC0000001",
        "bank_name": "HDFC Bank",
        "name": _PERSON["name"],
        "notes": [],
        "account_number": "2223330000000000",
    }


def _payments(token: str, at: int) -> dict[str, Entity]:
    payment = {
        "id": f"pay_{token}",
        "entity": "payment",
        "amount": _AMOUNT,
        "currency": "INR",
        "status": "captured",
        "order_id": f"order_{token}",
        "invoice_id": None,
        "international": False,
        "method": "upi",
        "amount_refunded": 0,
        "refund_status": None,
        "captured": True,
        "description": None,
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": "success@razorpay",
        "email": _PERSON["email"],
        "contact": _PERSON["contact"],
        "notes": [],
        "fee": _FEE,
        "tax": _TAX,
        "error_code": None,
        "error_description": None,
        "error_source": None,
        "error_step": None,
        "error_reason": None,
        "acquirer_data": {"rrn": "000000000000"},
        "created_at": at,
    }
    order = {
        "id": f"order_{token}",
        "entity": "order",
        "amount": _AMOUNT,
        "amount_paid": _AMOUNT,
        "amount_due": 0,
        "currency": "INR",
        "receipt": "inv-42",
        "offer_id": None,
        "status": "paid",
        "attempts": 1,
        "notes": [],
        "created_at": at - 60,
    }
    refund = {
        "id": f"rfnd_{token}",
        "entity": "refund",
        "amount": _AMOUNT,
        "currency": "INR",
        "payment_id": f"pay_{token}",
        "notes": [],
        "receipt": None,
        "acquirer_data": {"rrn": None},
        "created_at": at,
        "batch_id": None,
        "status": "processed",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    dispute = {
        "id": f"disp_{token}",
        "entity": "dispute",
        "payment_id": f"pay_{token}",
        "amount": _AMOUNT,
        "currency": "INR",
        "amount_deducted": 0,
        "reason_code": "goods_or_services_not_received_or_partially_received",
        "respond_by": at + 7 * _DAY,
        "status": "open",
        "phase": "chargeback",
        "created_at": at,
    }
    downtime = {
        "id": f"down_{token}",
        "entity": "payment.downtime",
        "method": "card",
        "begin": at,
        "end": None,
        "status": "started",
        "scheduled": False,
        "severity": "high",
        "instrument": {"issuer": "SBIN"},
        "created_at": at,
        "updated_at": at,
    }
    settlement = {
        "id": f"setl_{token}",
        "entity": "settlement",
        "amount": _AMOUNT - _FEE,
        "status": "processed",
        "fees": _FEE,
        "tax": _TAX,
        "utr": "000000000000",
        "created_at": at,
    }
    transfer = {
        "id": f"trf_{token}",
        "entity": "transfer",
        "status": "processed",
        "source": f"pay_{token}",
        "recipient": f"acc_{token}",
        "amount": _AMOUNT,
        "currency": "INR",
        "amount_reversed": 0,
        "fees": 0,
        "tax": 0,
        "notes": [],
        "linked_account_notes": [],
        "on_hold": False,
        "on_hold_until": None,
        "settlement_status": None,
        "recipient_settlement_id": None,
        "created_at": at,
        "processed_at": at,
        "error": {"code": None, "description": None, "reason": None, "field": None, "step": None, "source": None},
    }
    return {
        "payment": payment,
        "order": order,
        "refund": refund,
        "dispute": dispute,
        "payment.downtime": downtime,
        "settlement": settlement,
        "transfer": transfer,
    }


def _billing(token: str, at: int) -> dict[str, Entity]:
    invoice: Entity = {
        "id": f"inv_{token}",
        "entity": "invoice",
        "receipt": "inv-42",
        "invoice_number": "inv-42",
        "customer_id": f"cust_{token}",
        "customer_details": {"id": f"cust_{token}", **_PERSON},
        "order_id": f"order_{token}",
        "payment_id": f"pay_{token}",
        "status": "paid",
        "expire_by": None,
        "issued_at": at - _DAY,
        "paid_at": None,
        "cancelled_at": None,
        "expired_at": None,
        "sms_status": "sent",
        "email_status": "sent",
        "date": at - _DAY,
        "terms": None,
        "partial_payment": False,
        "gross_amount": _AMOUNT,
        "tax_amount": 0,
        "taxable_amount": 0,
        "amount": _AMOUNT,
        "amount_paid": 0,
        "amount_due": _AMOUNT,
        "currency": "INR",
        "description": None,
        "notes": [],
        "comment": None,
        "short_url": "https://rzp.io/i/sample",
        "view_less": True,
        "billing_start": None,
        "billing_end": None,
        "type": "invoice",
        "group_taxes_discounts": False,
        "created_at": at - _DAY,
    }
    subscription = {
        "id": f"sub_{token}",
        "entity": "subscription",
        "plan_id": f"plan_{token}",
        "customer_id": f"cust_{token}",
        "status": "active",
        "current_start": at,
        "current_end": at + 30 * _DAY,
        "ended_at": None,
        "quantity": 1,
        "notes": [],
        "charge_at": at + 30 * _DAY,
        "start_at": at,
        "end_at": at + 360 * _DAY,
        "auth_attempts": 0,
        "total_count": 12,
        "paid_count": 1,
        "customer_notify": True,
        "created_at": at - 60,
        "expire_by": None,
        "short_url": None,
        "has_scheduled_changes": False,
        "change_scheduled_at": None,
        "source": "api",
        "offer_id": None,
        "remaining_count": 11,
    }
    link = {
        "accept_partial": False,
        "amount": _AMOUNT,
        "amount_paid": 0,
        "callback_method": "get",
        "callback_url": "https://shop.example/done",
        "cancelled_at": 0,
        "created_at": at - 60,
        "currency": "INR",
        "customer": dict(_PERSON),
        "description": "A sample",
        "expire_by": at + _DAY,
        "expired_at": 0,
        "first_min_partial_amount": 0,
        "id": f"plink_{token}",
        "notes": {},
        "notify": {"email": True, "sms": True},
        "order_id": f"order_{token}",
        "reference_id": "inv-42",
        "reminder_enable": False,
        "reminders": {},
        "short_url": "https://rzp.io/i/sample",
        "status": "created",
        "updated_at": at,
        "user_id": "",
    }
    return {"invoice": invoice, "subscription": subscription, "payment_link": link}


def _collecting(token: str, at: int) -> dict[str, Entity]:
    code = {
        "id": f"qr_{token}",
        "entity": "qr_code",
        "created_at": at - 60,
        "name": "Store 1",
        "usage": "multiple_use",
        "type": "upi_qr",
        "image_url": "https://rzp.io/i/sample",
        "payment_amount": None,
        "status": "active",
        "description": "A sample",
        "fixed_amount": False,
        "payments_amount_received": 0,
        "payments_count_received": 0,
        "notes": [],
        "customer_id": f"cust_{token}",
        "close_by": at + _DAY,
        "closed_at": None,
        "close_reason": None,
    }
    account = {
        "id": f"va_{token}",
        "name": "Acme",
        "entity": "virtual_account",
        "status": "active",
        "description": "A sample",
        "amount_expected": None,
        "notes": [],
        "amount_paid": 0,
        "customer_id": f"cust_{token}",
        "receivers": [_bank_account(token)],
        "close_by": None,
        "closed_at": None,
        "created_at": at - 60,
    }
    transfer = {
        "id": f"bt_{token}",
        "entity": "bank_transfer",
        "payment_id": f"pay_{token}",
        "mode": "NEFT",
        "bank_reference": "000000000000",
        "amount": _AMOUNT,
        "payer_bank_account": _bank_account(token),
        "virtual_account_id": f"va_{token}",
    }
    return {"qr_code": code, "virtual_account": account, "bank_transfer": transfer}


def _mandates(token: str, at: int) -> dict[str, Entity]:
    mandate = {
        "id": f"token_{token}",
        "entity": "token",
        "token": token,
        "bank": None,
        "wallet": None,
        "method": "upi",
        "recurring": True,
        "recurring_details": {"status": "confirmed", "failure_reason": None},
        "auth_type": None,
        "mrn": None,
        "used_at": at,
        "created_at": at,
        "expired_at": at + 365 * _DAY,
        "dcc_enabled": False,
    }
    card = {
        "id": f"token_{token}",
        "entity": "token",
        "customer_id": f"cust_{token}",
        "method": "card",
        "card": {"last4": "1007", "network": "Visa", "type": "credit", "issuer": "HDFC", "international": False},
        "created_at": at,
        "expired_at": at + 365 * _DAY,
        "status": "active",
        "notes": [],
    }
    provider = {
        "id": f"spt_{token}",
        "entity": "service_provider_token",
        "provider_type": "network",
        "provider_name": "Visa",
        "interoperable": True,
        "provider_data": {"token_reference_number": "sample", "token_expiry_month": 12, "token_expiry_year": 2030},
        "status": "active",
    }
    notification = {
        "id": f"notification_{token}",
        "entity": "notification",
        "order_id": f"order_{token}",
        "token_id": f"token_{token}",
        "delivered_at": at,
        "status": "delivered",
        "payment_after": at + _DAY,
    }
    return {
        "token": mandate,
        "card_token": card,
        "service_provider_token": provider,
        "customer": {"id": f"cust_{token}", "email": _PERSON["email"], "contact": _PERSON["contact"]},
        "notification": notification,
    }


def _payouts(token: str, at: int) -> dict[str, Entity]:
    fund_account = {
        "id": f"fa_{token}",
        "entity": "fund_account",
        "contact_id": f"cont_{token}",
        "account_type": "vpa",
        "vpa": dict(_VPA),
        "batch_id": None,
        "active": True,
        "created_at": at,
    }
    payout = {
        "id": f"pout_{token}",
        "entity": "payout",
        "fund_account_id": f"fa_{token}",
        "amount": _AMOUNT,
        "currency": "INR",
        "notes": [],
        "fees": 0,
        "tax": 0,
        "status": "processed",
        "purpose": "payout",
        "utr": None,
        "mode": "UPI",
        "reference_id": None,
        "narration": "A sample",
        "batch_id": None,
        "status_details": {"description": None, "source": None, "reason": None},
        "created_at": at,
    }
    link = {
        "id": f"poutlk_{token}",
        "entity": "payout_link",
        "contact_id": f"cont_{token}",
        "contact": dict(_PERSON),
        "fund_account_id": None,
        "purpose": "refund",
        "status": "issued",
        "amount": _AMOUNT,
        "currency": "INR",
        "description": "A sample",
        "attempt_count": 0,
        "receipt": "inv-42",
        "notes": {},
        "short_url": "https://rzp.io/i/sample",
        "send_sms": True,
        "send_email": True,
        "cancelled_at": None,
        "created_at": at,
    }
    downtime = {
        "begin": at,
        "created_at": at,
        "end": None,
        "entity": "payout.downtime",
        "id": f"poutdown_{token}",
        "instrument": {"bank": "UTIB"},
        "method": ["IMPS"],
        "scheduled": False,
        "source": "BENEFICIARY",
        "status": "started",
        "updated_at": at,
    }
    validation: Entity = {
        "id": f"fav_{token}",
        "entity": "fund_account.validation",
        "fund_account": fund_account,
        "status": "completed",
        "amount": None,
        "currency": None,
        "notes": [],
        "results": {"account_status": "active", "registered_name": _PERSON["name"]},
        "created_at": at,
        "utr": None,
    }
    transaction = {
        "id": f"txn_{token}",
        "entity": "transaction",
        "account_number": "2223330000000000",
        "amount": _AMOUNT,
        "currency": "INR",
        "credit": 0,
        "debit": _AMOUNT,
        "balance": _AMOUNT,
        "source": {"id": f"pout_{token}", "entity": "payout", "amount": _AMOUNT, "status": "processing"},
        "created_at": at,
    }
    return {
        "payout": payout,
        "payout_link": link,
        "payout.downtime": downtime,
        "fund_account.validation": validation,
        "transaction": transaction,
    }


def _partners(token: str, at: int) -> dict[str, Entity]:
    merchant = {
        "id": token,
        "entity": "merchant",
        "name": "Acme",
        "email": "owner@example.com",
        "activated": True,
        "activated_at": at,
        "live": True,
        "hold_funds": False,
        "website": "https://shop.example",
        "international": False,
        "fee_bearer": "platform",
        "created_at": at - _DAY,
        "updated_at": at,
        "suspended_at": None,
    }
    linked = {
        "id": f"acc_{token}",
        "entity": "account",
        "name": "Acme",
        "email": "owner@example.com",
        "live": True,
        "managed": True,
        "tnc_accepted": True,
        "activation_details": {"status": "activated", "activated_at": at, "can_submit": True, "fields_pending": []},
        "notes": [],
        "fund_transfer": {"destination": f"ba_{token}"},
    }
    return {
        "merchant": merchant,
        "linked_account": linked,
        "bank_account": _bank_account(token),
        "merchant_product": {"id": f"acc_prd_{token}", "merchant_id": f"acc_{token}", "activation_status": "activated"},
        "accounts": {"virtual": {"account_number": "2223330000000000"}, "current": []},
    }
