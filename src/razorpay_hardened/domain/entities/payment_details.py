"""How a payment was paid: the objects inside a payment or a refund, per method (FACTS section 8)."""

from __future__ import annotations

from razorpay_hardened.domain.entities._base import Detail
from razorpay_hardened.domain.entities._fields import Text, Whole

__all__ = ["AcquirerData", "EmiDetails", "UpiDetails"]


class AcquirerData(Detail):
    """The references of the bank or network: what a customer's bank asks for when money is missing.

    Cards: ``auth_code``, ``authentication_reference_number``, ``rrn``, ``arn``. UPI: ``rrn``,
    ``upi_transaction_id``. Net banking: ``bank_transaction_id``. Wallets: ``transaction_id``. Refunds: one of
    ``arn``, ``rrn``, ``utr``.
    """

    auth_code: Text = None
    authentication_reference_number: Text = None
    rrn: Text = None
    arn: Text = None
    utr: Text = None
    upi_transaction_id: Text = None
    bank_transaction_id: Text = None
    transaction_id: Text = None


class UpiDetails(Detail):
    """The UPI side of a payment. ``flow`` is in_app, intent or collect; ``vpa`` can be missing on failed intents."""

    vpa: Text = None
    payer_account_type: Text = None
    flow: Text = None


class EmiDetails(Detail):
    """Instalments (``expand[]=emi``): ``rate`` in basis points, ``duration`` in months."""

    issuer: Text = None
    rate: Whole = None
    duration: Whole = None
