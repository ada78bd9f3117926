"""The field types that entities share: strict where the ledger reads, else as sent (FAULTS rule 9).

A wrong type in a field that moves money quarantines the body; a wrong type in a field that nobody here reads
must not, because the customer has paid all the same. So ids, statuses, currencies and amounts are checked, and
the rest is kept as sent. What is kept has the static type that Razorpay documents (:data:`Text`, :data:`Flag`,
:data:`Whole`, :data:`At`, :data:`Loose`): where Razorpay sends something else, that is what the field holds.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from razorpay_hardened.domain.ids import OrderId, PaymentId, RefundId, is_id
from razorpay_hardened.domain.money import AMOUNT_MAX, EXPONENTS, Money

__all__ = [
    "Amount",
    "AsSent",
    "At",
    "Currency",
    "Flag",
    "Id",
    "Kept",
    "Loose",
    "LooseList",
    "Notes",
    "NotesField",
    "OpenCurrency",
    "OrderIdField",
    "PaymentIdField",
    "Ref",
    "RefundIdField",
    "Signed",
    "Status",
    "Text",
    "Texts",
    "Whole",
    "money_or_none",
]

AsSent = Any
"""Razorpay's value, untouched and unchecked: no rule of ours depends on it."""


class _AsSent:
    """A static type for readers and checkers; the value itself is Razorpay's, untouched."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()


class _Loose:
    """A typed object where it fits; else Razorpay's value, untouched. All in compiled code: nothing to pay for."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema([handler(source), core_schema.any_schema()], mode="left_to_right")


T = TypeVar("T")

Kept = Annotated[T | None, _AsSent()]
"""``Kept[dict[str, bool]]``: documented as this type, not checked, kept as sent."""

Text = Annotated[str | None, _AsSent()]
"""Text, by Razorpay's documents; any other value is kept as it came."""

Flag = Annotated[bool | None, _AsSent()]
"""A boolean, by Razorpay's documents; 0 and 1 occur, and are kept as they came."""

Whole = Annotated[int | None, _AsSent()]
"""A count or another whole number, by Razorpay's documents; digits in text occur, and are kept as they came."""

At = Annotated[int | None, _AsSent()]
"""Unix seconds, UTC. None, or 0 in payment links, is "not yet"; another value is kept as it came."""

Texts = Annotated[list[str] | None, _AsSent()]
"""A list of texts, by Razorpay's documents; another value is kept as it came."""

Loose = Annotated[T | None, _Loose()]
"""``Loose[Card]``: a ``Card`` where the value fits one, else the value as sent (``[]``, for one)."""

LooseList = Annotated[list[Annotated[T, _Loose()]] | None, _Loose()]
"""``LooseList[LineItem]``: a list in which each item is a ``LineItem`` where it fits, else as sent."""

Id = Annotated[str, Field(strict=True)]
"""An id: text, in whatever form. ``domain.ids`` checks the form where an id reaches a URL or a query."""

Ref = Annotated[str | None, Field(strict=True)]
"""The id of an order, a payment or a refund inside another kind of entity: text, in whatever form, or null."""

Status = Annotated[str | None, Field(strict=True)]
"""A status as Razorpay names it. The set is open: a new status is no error."""

OpenCurrency = Annotated[str | None, Field(strict=True)]
"""A currency code as sent; it is checked when :class:`Money` is made of it."""

Signed = Annotated[int, Field(strict=True, ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
"""Subunits that may be below zero: balances, and fees that were given back."""

Amount = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX)]
"""Subunits. ``true``, ``100.0``, ``1e2``, ``"100"`` and anything below zero are refused."""


def _id_check(kind: str) -> AfterValidator:
    def check(value: str) -> str:
        if not is_id(kind, value):
            raise PydanticCustomError("id_malformed", "not a well-formed id")
        return value

    return AfterValidator(check)


OrderIdField = Annotated[OrderId, Field(strict=True), _id_check("order")]
PaymentIdField = Annotated[PaymentId, Field(strict=True), _id_check("payment")]
RefundIdField = Annotated[RefundId, Field(strict=True), _id_check("refund")]


def _currency(value: str) -> str:
    if value not in EXPONENTS:
        raise PydanticCustomError("currency_refused", "not a currency code that Razorpay takes")
    return value


Currency = Annotated[str, Field(strict=True), AfterValidator(_currency)]
"""Three upper-case letters from Razorpay's list; ``inr`` is refused."""


class Notes(dict[str, Any]):
    """Notes as a dict, whatever was sent: an empty map comes as ``[]`` (FACTS section 1). ``as_sent`` keeps that."""

    __slots__ = ("as_sent",)

    def __init__(self, as_sent: Any = None) -> None:
        super().__init__(as_sent if isinstance(as_sent, dict) else {})
        self.as_sent = as_sent

    def __reduce__(self) -> tuple[Any, ...]:
        return (Notes, (self.as_sent,))


def _notes(value: Any) -> Notes:
    return value if isinstance(value, Notes) else Notes(value)


NotesField = Annotated[
    Any,
    BeforeValidator(_notes),
    PlainSerializer(lambda notes: notes.as_sent if isinstance(notes, Notes) else notes),
]


def money_or_none(subunits: int | None, currency: str | None) -> Money | None:
    """:class:`Money`, or None where Razorpay said no amount or no currency. Raises :class:`CurrencyError`."""
    return None if subunits is None or currency is None else Money(subunits, currency)
