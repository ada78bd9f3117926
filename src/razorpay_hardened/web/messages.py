"""Sentences for the person who pays.

Razorpay's descriptions are written for merchants and may change; its reasons (FACTS appendix B) are an open
set of stable codes. Each known reason has one of a few sentences that say what the person can do, and
nothing about risk rules, limits of the account or our internals.
"""

from __future__ import annotations

from typing import Final

from razorpay_hardened.errors import ApiError, RazorpayHardenedError

__all__ = ["customer_message"]

_AGAIN: Final = "The payment did not go through. Please try again, or use another way to pay."
_OURS: Final = "Something went wrong on our side. Please try again later, or contact us."

_SENTENCES: Final[dict[str, str]] = {
    "You cancelled the payment. You can try again when you are ready.": "payment_cancelled",
    "The payment took too long and was stopped. Please try again.": (
        "mandate_creation_expired mandate_creation_timeout "
        "payment_collect_request_expired payment_session_expired payment_timed_out "
        "reqauth_mandate_not_acknowledged request_timed_out"
    ),
    "There is not enough money in the account. Please use another account or another way to pay.": (
        "insufficient_fund insufficient_funds funds_blocked_by_mandate"
    ),
    "The card details do not match. Please check the number, expiry date, name and CVV.": (
        "card_number_invalid incorrect_card_details incorrect_card_expiry_date incorrect_cardholder_name incorrect_cvv"
    ),
    "This card has expired. Please use another card.": "card_expired",
    "This card cannot be used here. Please use another card, or another way to pay.": (
        "card_disabled_for_online_payments card_network_not_enabled card_not_enrolled card_type_invalid "
        "debit_instrument_blocked debit_instrument_inactive international_transaction_not_allowed"
    ),
    "The one-time password was not right. Please try again with a new one.": (
        "incorrect_otp invalid_otp otp_attempts_exceeded otp_expired"
    ),
    "The PIN was not right, or is not set. Please check it with your bank or app.": (
        "incorrect_atm_pin incorrect_pin pin_attempts_exceeded pin_not_set"
    ),
    "The bank could not confirm that it is you. Please try again, or use another way to pay.": (
        "authentication_failed verification_failed user_not_registered_for_netbanking"
    ),
    "This UPI ID cannot be used. Please check it, or use another way to pay.": (
        "invalid_vpa psp_app_not_available psp_app_not_supported psp_not_available psp_not_registered "
        "transaction_on_vpa_restricted upi_app_technical_error upi_autopay_not_supported_on_psp "
        "vpa_resolution_failed"
    ),
    "Your bank's limit for payments is reached. Please use another way to pay, or try tomorrow.": (
        "transaction_daily_count_exceeded transaction_daily_limit_exceeded "
        "transaction_frequency_limit_exceeded transaction_limit_exceeded"
    ),
    "Your bank declined the payment. Please use another way to pay, or ask your bank.": (
        "authorisation_declined_by_psp card_declined credit_limit_exceeded credit_limit_expired "
        "credit_limit_inactive credit_limit_not_approved credit_not_permitted debit_declined "
        "mandate_creation_declined payment_declined payment_risk_check_failed user_not_eligible"
    ),
    "The bank is not reachable at the moment. Please try again later, or use another way to pay.": (
        "bank_cutoff_in_progress bank_not_available bank_technical_error gateway_technical_error "
        "invalid_response_from_gateway issuer_technical_error payment_declined_due_to_high_traffic "
        "server_error"
    ),
    "The payment is not settled yet. Please wait before you pay again.": (
        "collect_request_pending deemed_transaction payment_pending payment_pending_approval"
    ),
    "This order is already paid.": "order_already_paid",
    "Please check the e-mail address and the phone number.": (
        "invalid_email invalid_mobile_number mobile_number_invalid invalid_user_details"
    ),
    _OURS: (
        "amount_less_than_minimum_amount bank_not_enabled compliance_violation duplicate_request "
        "extra_field_sent input_validation_failed invalid_amount invalid_currency invalid_order_id "
        "invalid_request live_mode_not_enabled merchant_not_activated mismatch_in_transaction_details "
        "order_amount_mismatch order_payment_method_mismatch payment_amount_tampered "
        "payment_method_not_enabled record_not_found recurring_payment_not_enabled "
        "upi_collect_not_enabled upi_intent_not_enabled"
    ),
}
_BY_REASON: Final = {reason: sentence for sentence, reasons in _SENTENCES.items() for reason in reasons.split()}


def customer_message(reason_or_error: object) -> str:
    """A sentence that is safe to show, for a reason of Razorpay's, an error of ours, or anything else.

    An unknown reason gets a general sentence; nothing that Razorpay or the customer sent is ever repeated.
    """
    if isinstance(reason_or_error, ApiError):
        reason = reason_or_error.reason
        return _BY_REASON.get(reason if isinstance(reason, str) else "", reason_or_error.customer_message)
    if isinstance(reason_or_error, RazorpayHardenedError):
        return reason_or_error.customer_message
    if isinstance(reason_or_error, str):
        return _BY_REASON.get(reason_or_error, _AGAIN)
    return _AGAIN if reason_or_error is None else _OURS
