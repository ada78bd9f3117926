"""Razorpay's objects as it sends them: typed where the ledger reads them, unknown fields kept.

In: JSON objects, or bytes as part of an envelope model (``model_validate_json``).
Out: ``Order``, ``Payment``, ``Refund``, ``UnknownEntity``: frozen values that dump back to the same JSON.

- ``parse_entity``      one object, by its kind
- ``parse_collection``  a page of a listing
- ``invalid``           pydantic's findings as one of our errors
"""

from razorpay_hardened.domain.entities._base import Entity, UnknownEntity
from razorpay_hardened.domain.entities._errors import invalid
from razorpay_hardened.domain.entities.collection import AnyEntity, parse_as, parse_collection, parse_entity
from razorpay_hardened.domain.entities.order import Order
from razorpay_hardened.domain.entities.payment import Payment
from razorpay_hardened.domain.entities.refund import Refund

__all__ = [
    "AnyEntity",
    "Entity",
    "Order",
    "Payment",
    "Refund",
    "UnknownEntity",
    "invalid",
    "parse_as",
    "parse_collection",
    "parse_entity",
]
