"""Our errors as the SDK's: classes that are both, so that code written for the SDK catches them."""

from __future__ import annotations

from typing import Any

from razorpay import errors as theirs
from requests import exceptions as transport

from razorpay_hardened.errors import (
    ApiConnectionError,
    ApiError,
    ApiTimeout,
    CircuitOpen,
    OutcomeUnknown,
    RazorpayHardenedError,
    SignatureError,
)

__all__ = ["as_theirs"]

_BY_CODE: dict[str, type[Exception]] = {
    "BAD_REQUEST_ERROR": theirs.BadRequestError,
    "GATEWAY_ERROR": theirs.GatewayError,
    "SERVER_ERROR": theirs.ServerError,
}


def as_theirs(error: RazorpayHardenedError) -> RazorpayHardenedError:
    """The same error, all of its attributes kept, as an instance of what the SDK would have raised too."""
    found = _both(type(error), _kinds(error))
    text = error.description if isinstance(error, ApiError) and error.description else error.message
    both: RazorpayHardenedError = found.__new__(found, text)
    both.__dict__.update(error.__dict__)
    both.args = (text,)
    return both


def _kinds(error: RazorpayHardenedError) -> tuple[type[Exception], ...]:
    if isinstance(error, SignatureError):
        return (theirs.SignatureVerificationError,)
    if not isinstance(error, ApiError):
        return (theirs.BadRequestError,)  # we refused what Razorpay would have refused
    if error.status is not None:
        return _of_an_answer(error)
    if isinstance(error, ApiTimeout):
        return (transport.Timeout,)
    if isinstance(error, ApiConnectionError | CircuitOpen):
        return (transport.ConnectionError,)
    if isinstance(error, OutcomeUnknown):
        return (transport.ConnectionError, transport.Timeout)  # code for the SDK caught one of the two, or both
    return (transport.RequestException,)


def _of_an_answer(error: ApiError) -> tuple[type[Exception], ...]:
    """By the code, as the SDK does it; what is no JSON came out of it as an error of requests."""
    if error.error_code is not None:
        return (_BY_CODE.get(error.error_code.upper(), theirs.ServerError),)
    if error.description is not None:
        return (theirs.ServerError,)
    return (theirs.ServerError, transport.RequestException)


_made: dict[tuple[str, tuple[str, ...]], Any] = {}


def _both(ours: type[RazorpayHardenedError], kinds: tuple[type[Exception], ...]) -> Any:
    """The class that is ``ours`` and all of ``kinds``; one for each combination, so that it can be compared."""
    key = (ours.__name__, tuple(kind.__qualname__ for kind in kinds))
    if key not in _made:
        _made[key] = type(ours.__name__, (ours, *kinds), {"__doc__": ours.__doc__, "__module__": ours.__module__})
    return _made[key]
