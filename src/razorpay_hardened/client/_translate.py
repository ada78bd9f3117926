"""From an answer to a typed error: by HTTP status first, by the envelope where the status does not decide.

Texts are the last resort, used only where Razorpay documents nothing else (FACTS section 3), and always in the
direction that is safe if the text should change. ``str(error)`` holds our own words; Razorpay's are in attributes,
with credentials taken out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from razorpay_hardened.client._credentials import without
from razorpay_hardened.client._values import Answer, Call, Failed, Fate, Fault, Rule
from razorpay_hardened.errors import (
    ApiAuthError,
    ApiBadRequest,
    ApiConnectionError,
    ApiError,
    ApiRateLimited,
    ApiResponseError,
    ApiServerError,
    ApiTimeout,
    IdempotencyConflict,
    OutcomeUnknown,
)

if TYPE_CHECKING:
    from razorpay_hardened.client._credentials import Credentials
    from razorpay_hardened.clock import Clock

__all__ = ["body_of", "failed_answer", "failed_fault", "outcome_unknown", "parse_json", "request_id", "unreadable"]

_BAD_KEY = re.compile(r"(authentication failed\.?|the api .{0,40} provided is invalid\.?)", re.IGNORECASE)
"""Auth failures come with 400 on some of Razorpay's pages and with 401 on others."""
_CODE = re.compile(r"[A-Z][A-Z_]{0,63}", re.ASCII)
_NAMES = ("code", "description", "field", "source", "step", "reason")
_WAIT_MAX_S = 86_400.0


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)  # made once: json.loads would make one for every answer


def parse_json(body: bytes) -> Any:
    """The body's JSON: strict UTF-8, no NaN. ``ValueError`` for anything else, however deep or long."""
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def body_of(answer: Answer, call: Call) -> Any:
    """What a success holds: JSON, or a file's bytes; None where it is empty by its status. Raises ``ValueError``."""
    if answer.status == 204:
        return None
    return answer.body if call.operation.raw else parse_json(answer.body)


def failed_fault(fault: Fault, call: Call) -> Failed:
    """The attempt brought no answer."""
    what = f"{call.operation.method} {call.path}"
    if not fault.sent:
        error: ApiError = ApiConnectionError(f"{what} did not reach Razorpay ({fault.cause})")
        return Failed(error, Fate.NOT_SENT)
    if fault.what == "too_large":
        return unreadable(call, "the answer is larger than the limit")
    if fault.what == "timeout":
        return Failed(ApiTimeout(f"{what} was not answered in time ({fault.cause})"), Fate.UNKNOWN)
    broken = ApiConnectionError(f"{what}: the connection broke before the answer was complete ({fault.cause})")
    return Failed(broken, Fate.UNKNOWN)


def unreadable(call: Call, why: str, answer: Answer | None = None) -> Failed:
    """A success whose body is of no use: for a write, nobody knows what was done (FAULTS A5)."""
    error = ApiResponseError(
        f"{call.operation.method} {call.path}: {why}",
        status=answer.status if answer else None,
        request_id=request_id(answer),
    )
    return Failed(error, Fate.UNKNOWN if call.writes else Fate.REFUSED)


def failed_answer(answer: Answer, call: Call, credentials: Credentials, clock: Clock) -> Failed:
    """The answer is not a success."""
    envelope = _envelope(answer.body)
    kind, fate = _kind(answer.status, envelope, call)
    clean = {name: without(credentials.scrub(_text(envelope.get(name))), call.secrets) for name in _NAMES}
    metadata = envelope.get("metadata")
    code = clean["code"]
    shown = f", {code}" if code and _CODE.fullmatch(code) else ""
    error = kind(
        f"{call.operation.method} {call.path} failed (HTTP {answer.status}{shown})",
        status=answer.status,
        error_code=code,
        description=clean["description"],
        field=clean["field"],
        source=clean["source"],
        step=clean["step"],
        reason=clean["reason"],
        metadata=without(credentials.scrub(_flat(metadata)), call.secrets) if isinstance(metadata, dict) else None,
        request_id=request_id(answer),
        retry_after_s=_retry_after(answer.headers.get("retry-after"), clock),
    )
    return Failed(error, fate)


def _kind(status: int, envelope: Mapping[str, Any], call: Call) -> tuple[type[ApiError], Fate]:
    text = _text(envelope.get("description")) or ""
    if status == 429:
        return ApiRateLimited, Fate.BUSY
    if status >= 500:
        return ApiServerError, Fate.UNKNOWN
    if status == 408:
        return ApiTimeout, Fate.UNKNOWN
    if status < 400:
        return ApiResponseError, Fate.REFUSED  # a redirect, which is not followed
    if status in {401, 403} or _BAD_KEY.fullmatch(text):
        return ApiAuthError, Fate.REFUSED
    return _refusal(status, text.lower(), call)


def _refusal(status: int, text: str, call: Call) -> tuple[type[ApiError], Fate]:
    # Both answers about a used key are documented as 409, and the conflict in prose as 400 too (FACTS section 7.1).
    if "idempoten" in text and "different request" in text:
        return IdempotencyConflict, Fate.REFUSED
    if status == 409 and (call.operation.rule is Rule.KEYED or "in progress" in text):
        # The first is still running. With the same key, asking again is safe even if the text means something new.
        return ApiServerError, Fate.UNKNOWN
    return ApiBadRequest, Fate.REFUSED


def _envelope(body: bytes) -> dict[str, Any]:
    """Razorpay's error object; empty where a proxy answered, or where ``error`` is something else."""
    try:
        value = parse_json(body)
    except ValueError:
        return {}
    error = value.get("error") if isinstance(value, dict) else None
    return error if isinstance(error, dict) else {}


def _flat(metadata: dict[str, Any]) -> dict[str, Any]:
    """The plain values of the metadata, such as the payment's id: nothing nested, nothing endless."""
    plain = {name: value for name, value in metadata.items() if value is None or isinstance(value, str | int | float)}
    return dict(list(plain.items())[:20])


def _text(value: Any) -> str | None:
    """Text as sent; the literal ``NA`` and anything that is not text is None (FACTS section 3)."""
    return value[:2000] if isinstance(value, str) and value != "NA" else None


def request_id(answer: Answer | None) -> str | None:
    """Razorpay's id of the request, for its support; None where none was sent."""
    if answer is None:
        return None
    value = answer.headers.get("x-razorpay-request-id") or answer.headers.get("request-id")
    return value[:128] if value else None


def _retry_after(value: str | None, clock: Clock) -> float | None:
    """Seconds to wait as the server asks; nonsense, the past and more than a day are ignored (FAULTS rule 13)."""
    if value is None:
        return None
    text = value.strip()
    plain = text.isascii() and text.isdigit() and len(text) < 8
    seconds = float(text) if plain else _seconds_until(text, clock)
    return seconds if 0 < seconds <= _WAIT_MAX_S else None


def _seconds_until(text: str, clock: Clock) -> float:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return (moment - clock.now()).total_seconds() if moment.tzinfo is not None else 0.0


def outcome_unknown(error: ApiError, call: Call) -> OutcomeUnknown:
    """The error that says so, with all that is known of the last attempt."""
    hint = {
        Rule.KEYED: "repeat it with the same idempotency key",
        Rule.LOOK_UP: "look it up by its receipt",
        Rule.SETTLE: "fetch it and look at its state",
        Rule.STATE: "it can be sent again as it is",
    }.get(call.operation.rule, "look before you repeat it")
    return OutcomeUnknown(
        f"{call.operation.method} {call.path} may have been carried out ({type(error).__name__}): {hint}",
        idempotency_key=call.key,
        receipt=call.receipt,
        status=error.status,
        error_code=error.error_code,
        description=error.description,
        field=error.field,
        source=error.source,
        step=error.step,
        reason=error.reason,
        metadata=error.metadata,
        request_id=error.request_id,
        retry_after_s=error.retry_after_s,
        attempts=error.attempts,
    )
