"""Every error this package raises, in one tree. Each class answers: what can the caller do now?

    RazorpayHardenedError
    ├── ConfigError                 fix the setting it names; nothing has run
    ├── ExtraMissing                install the extra it names
    ├── SignatureError              refuse the request (401); the text never says more than the class
    │   ├── SignatureMissing
    │   ├── SignatureMalformed
    │   └── SignatureMismatch       .explain() diagnoses on demand
    ├── RawBodyRequired             hand over the bytes as received; something parsed or consumed them
    ├── PayloadError                signed or answered by Razorpay, but not usable: quarantine it
    │   ├── PayloadTooLarge · EncodingRefused · PayloadMalformed · PayloadInvalid
    │   └── InconsistentEvent · AccountMismatch
    ├── SourceRefused               the sender's address is not on the list (403)
    ├── FormMalformed · FieldInvalid · IdMalformed
    ├── AmountError · CurrencyError · CurrencyMismatch · AmountMismatch · OverRefund
    ├── BindingError                the news does not belong to this order, owner or account
    │   └── OwnershipMismatch · OrderMismatch · OrderUnknown · OrderBindingMissing · OwnerRequired
    ├── TransitionRefused · UnknownStatus · PlanUnknown · EventUnknown · BodyErased
    ├── StorageError
    │   ├── StorageUnavailable      try again later; nothing was committed
    │   │   └── StorageConflict · CommitUnknown · DeliveryInWork
    │   └── StorageReadOnly · SchemaMismatch · TransactionMisuse · AuditBroken
    ├── ApiError                    .status .code .field .source .step .reason .request_id .retryable
    │   ├── ApiConnectionError      the request did not reach Razorpay
    │   ├── ApiTimeout · ApiRateLimited · ApiServerError · ApiAuthError · ApiBadRequest · ApiResponseError
    │   ├── IdempotencyConflict     the key was used with another body: never retried
    │   ├── OutcomeUnknown          it may or may not have happened: look before you repeat
    │   └── CircuitOpen
    └── ReconcileStalled · ReconcileBusy

This module imports nothing, so that catching an error costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AccountMismatch",
    "AmountError",
    "AmountMismatch",
    "ApiAuthError",
    "ApiBadRequest",
    "ApiConnectionError",
    "ApiError",
    "ApiRateLimited",
    "ApiResponseError",
    "ApiServerError",
    "ApiTimeout",
    "AuditBroken",
    "BindingError",
    "BodyErased",
    "CircuitOpen",
    "CommitUnknown",
    "ConfigError",
    "CurrencyError",
    "CurrencyMismatch",
    "DeliveryInWork",
    "EncodingRefused",
    "EventUnknown",
    "ExtraMissing",
    "FieldInvalid",
    "FormMalformed",
    "IdMalformed",
    "IdempotencyConflict",
    "InconsistentEvent",
    "OrderBindingMissing",
    "OrderMismatch",
    "OrderUnknown",
    "OutcomeUnknown",
    "OverRefund",
    "OwnerRequired",
    "OwnershipMismatch",
    "PayloadError",
    "PayloadInvalid",
    "PayloadMalformed",
    "PayloadTooLarge",
    "PlanUnknown",
    "RawBodyRequired",
    "RazorpayHardenedError",
    "ReconcileBusy",
    "ReconcileStalled",
    "SchemaMismatch",
    "SignatureError",
    "SignatureMalformed",
    "SignatureMismatch",
    "SignatureMissing",
    "SourceRefused",
    "StorageConflict",
    "StorageError",
    "StorageReadOnly",
    "StorageUnavailable",
    "TransactionMisuse",
    "TransitionRefused",
    "UnknownStatus",
]


class RazorpayHardenedError(Exception):
    """Anything this package raises on purpose. The docstring of a class is its default message."""

    retryable: bool = False
    """True when the same call may be made again, as it is, with a chance of success."""

    customer_message: str = "Something went wrong on our side. You have not been charged twice."
    """A sentence that is safe to show to the person paying."""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The stable name of this error, for records and counters."""
        return type(self).__name__


class ConfigError(RazorpayHardenedError):
    """A setting is missing or unsafe."""


class ExtraMissing(RazorpayHardenedError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, feature: str) -> None:
        self.extra = extra
        self.feature = feature
        RazorpayHardenedError.__init__(
            self, f"{feature} needs an optional dependency: pip install 'razorpay-hardened[{extra}]'"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.extra, self.feature))  # an error crosses process boundaries in worker pools


# --- proof ------------------------------------------------------------------------------------------------


class SignatureError(RazorpayHardenedError):
    """The request does not prove that it comes from Razorpay."""


class SignatureMissing(SignatureError):
    """The signature is missing."""


class SignatureMalformed(SignatureError):
    """The signature is not 64 lower-case hexadecimal digits in exactly one place."""


class SignatureMismatch(SignatureError):
    """The signature does not match."""

    def __init__(self, message: str | None = None, *, explain: Any = None) -> None:
        super().__init__(message)
        self._explain = explain

    def explain(self) -> tuple[str, ...]:
        """Likely causes, most likely first, in words. Costs several hashes: for people, not for the request path."""
        return tuple(self._explain()) if self._explain is not None else ()

    def __reduce__(self) -> tuple[Any, ...]:
        # The diagnosis closes over keys: it must not travel with the error.
        return (type(self), (self.message,))


class RawBodyRequired(RazorpayHardenedError, TypeError):
    """The body must be the raw bytes as received: a parsed or re-encoded body cannot be verified."""


# --- payloads ---------------------------------------------------------------------------------------------


class PayloadError(RazorpayHardenedError):
    """The body is rightly signed, but cannot be used."""


class PayloadTooLarge(PayloadError):
    """The body is larger than the limit."""


class EncodingRefused(PayloadError):
    """The body has a content coding; Razorpay sends none, and we never inflate."""


class PayloadMalformed(PayloadError):
    """The body is not JSON in UTF-8."""


class PayloadInvalid(PayloadError):
    """The body is JSON, but a field that the ledger uses is missing or of the wrong type."""


class InconsistentEvent(PayloadError):
    """The event contradicts the entity that it carries."""


class AccountMismatch(PayloadError):
    """The event belongs to another Razorpay account."""


class SourceRefused(RazorpayHardenedError):
    """The sender's address is not allowed."""


# --- fields -----------------------------------------------------------------------------------------------


class FormMalformed(RazorpayHardenedError, ValueError):
    """The form must hold each of its fields exactly once, as plain text."""

    customer_message = "The payment page sent an incomplete answer. Please try again."


class FieldInvalid(RazorpayHardenedError, ValueError):
    """A field has a value that Razorpay would refuse."""


class IdMalformed(FieldInvalid):
    """This is not an id of the kind that is needed here."""


class AmountError(RazorpayHardenedError, ValueError):
    """This is not an amount of money that can be held exactly."""


class CurrencyError(RazorpayHardenedError, ValueError):
    """This is not a currency code that Razorpay takes."""


class CurrencyMismatch(RazorpayHardenedError, ValueError):
    """Amounts of different currencies cannot be added or compared."""


class AmountMismatch(RazorpayHardenedError):
    """The amount differs from the one on record."""


class OverRefund(RazorpayHardenedError):
    """The refund is larger than what is left to refund."""


# --- binding ----------------------------------------------------------------------------------------------


class BindingError(RazorpayHardenedError):
    """The payment does not belong to this order, owner or account."""


class OwnershipMismatch(BindingError):
    """The order belongs to somebody else."""


class OrderMismatch(BindingError):
    """The payment belongs to another order."""


class OrderUnknown(BindingError):
    """No such order is on record."""


class OrderBindingMissing(BindingError):
    """The order has no Razorpay order id yet."""


class OwnerRequired(BindingError):
    """An owner must be given: None never means 'any owner'."""


class TransitionRefused(RazorpayHardenedError):
    """The status cannot change in this way."""


class UnknownStatus(RazorpayHardenedError):
    """Razorpay sent a status that this version does not know."""


class PlanUnknown(RazorpayHardenedError, KeyError):
    """No such plan is on offer."""

    def __str__(self) -> str:  # KeyError would show repr()
        return self.message


class EventUnknown(RazorpayHardenedError):
    """No such event is on record."""


class BodyErased(RazorpayHardenedError):
    """Retention has erased the body of this delivery: it is known, and cannot be processed again."""


# --- storage ----------------------------------------------------------------------------------------------


class StorageError(RazorpayHardenedError):
    """The store failed."""


class StorageUnavailable(StorageError):
    """The store cannot be reached, is locked, or is full. Nothing was committed."""

    retryable = True


class StorageConflict(StorageUnavailable):
    """Another transaction was in the way, and the database undid this one: run it again from its start."""


class CommitUnknown(StorageUnavailable):
    """The answer to COMMIT was lost: it may have been committed. Do the same again: keys make it one."""


class DeliveryInWork(StorageUnavailable):
    """The very same delivery is being processed by somebody else, who has not ended in time: send it again later."""


class StorageReadOnly(StorageError):
    """The store is read-only."""


class SchemaMismatch(StorageError):
    """The database schema is older or newer than this version of the package."""


class TransactionMisuse(StorageError):
    """The transaction was used in a way that would break exactly-once effects."""


class AuditBroken(StorageError):
    """The audit trail is not as it was written, and going on would hide where: run ``audit verify``."""


# --- the API ----------------------------------------------------------------------------------------------


class ApiError(RazorpayHardenedError):
    """Razorpay's API refused or failed. The answer's text is kept out of ``str()``: see the attributes.

    ``status`` is the HTTP status (None where no answer came); ``error_code``, ``description``, ``field``,
    ``source``, ``step``, ``reason`` and ``metadata`` are Razorpay's own error envelope (FACTS section 3).
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        error_code: str | None = None,
        description: str | None = None,
        field: str | None = None,
        source: str | None = None,
        step: str | None = None,
        reason: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.description = description
        self.field = field
        self.source = source
        self.step = step
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.attempts = attempts


class ApiConnectionError(ApiError):
    """The request did not reach Razorpay."""

    retryable = True


class ApiTimeout(ApiError):
    """Razorpay did not answer in time."""

    retryable = True


class ApiRateLimited(ApiError):
    """Razorpay asks us to slow down."""

    retryable = True


class ApiServerError(ApiError):
    """Razorpay or a gateway in front of it failed."""

    retryable = True


class ApiAuthError(ApiError):
    """Razorpay refused the API key."""


class ApiBadRequest(ApiError):
    """Razorpay refused the request as it is; repeating it will not help."""


class ApiResponseError(ApiError):
    """Razorpay's answer could not be understood, or does not echo what was asked."""


class IdempotencyConflict(ApiError):
    """The idempotency key was already used with a different request."""


class OutcomeUnknown(ApiError):
    """The request may have been carried out. Do not repeat it blindly: look it up, or repeat with the same key."""

    def __init__(
        self,
        message: str | None = None,
        *,
        idempotency_key: str | None = None,
        receipt: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.idempotency_key = idempotency_key
        self.receipt = receipt


class CircuitOpen(ApiError):
    """Razorpay has been failing; this call was not sent."""

    retryable = True


# --- reconciliation ---------------------------------------------------------------------------------------


class ReconcileStalled(RazorpayHardenedError):
    """A listing did not advance: the same page came again."""


class ReconcileBusy(RazorpayHardenedError):
    """Another reconciliation is running."""

    retryable = True
