"""From the SDK's requests to operations and their rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Work
from razorpay_hardened.client._checks import check_path
from razorpay_hardened.client._values import Call, File, Operation, Rule
from razorpay_hardened.compat._settling import SETTLED
from razorpay_hardened.errors import RazorpayHardenedError

__all__ = ["asked", "operation_of"]

_UPSERTS: Final = {"/v1/customers": ("fail_existing", "0", op.CUSTOMER_ENSURE)}
"""A field whose value makes a repeat of the request safe."""


def _pattern(operation: Operation) -> re.Pattern[str]:
    return re.compile(re.escape(operation.path).replace(r"\{\}", "([A-Za-z0-9_-]+)"), re.ASCII)


# Literal paths first: /v1/settlements/ondemand is no settlement's id.
_ROUTES: Final = sorted(
    ((operation.method, _pattern(operation), operation) for operation in op.OPERATIONS),
    key=lambda route: route[2].path.count("{}"),
)


def asked(
    method: str, path: str, data: Mapping[str, Any], headers: Mapping[str, str], file: File | None = None
) -> Ask[Any]:
    """What to ask for a request of the SDK's: its rule, and how a doubt about it is settled."""
    path = _versioned(path)
    found = _found(method, path)
    if found is not None:
        return _of(*found, data, headers, file)
    unknown = Operation("request", method, path, Rule.READ if method == "GET" else Rule.ONCE)
    return Ask(Call(unknown, data=data, headers=headers, file=file), _plain)


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that a request of the SDK's is, or None for a request that is nowhere documented."""
    found = _found(method, _versioned(path))
    return None if found is None else found[0]


def _versioned(path: str) -> str:
    return "/v1/methods" if path == "/methods" else check_path(path)  # the SDK forgets the version of this one


def _found(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    for verb, pattern, operation in _ROUTES:
        found = pattern.fullmatch(path) if verb == method else None
        if found:
            return operation, found.groups()
    return None


def _of(
    operation: Operation, ids: tuple[str, ...], data: Mapping[str, Any], headers: Mapping[str, str], file: File | None
) -> Ask[Any]:
    if operation.key_header is not None:
        return _keyed(operation, ids, data, headers)
    settled = SETTLED.get((operation.method, operation.path))
    typed = None if settled is None else _or_none(settled, ids, data)
    if typed is not None:
        # The typed request's rule and its way to settle a doubt; the caller's own body, and an answer as it was sent.
        call = Call(typed.call.operation, ids, data, receipt=typed.call.receipt, headers=headers)
        return Ask(call, _checked(typed.parse), typed.settle)
    return Ask(Call(_repeatable(operation, data), ids, data, headers=headers, file=file), _plain)


def _keyed(operation: Operation, ids: tuple[str, ...], data: Mapping[str, Any], headers: Mapping[str, str]) -> Ask[Any]:
    """One key for all sends of the call: the caller's header, or one made for it."""
    import uuid

    given = {name.lower(): value for name, value in headers.items()}
    name = (operation.key_header or "").lower()
    key = given.pop(name, None) or str(uuid.uuid4())
    rest = {header: value for header, value in headers.items() if header.lower() != name}
    return Ask(Call(operation, ids, data, key=key, headers=rest), _plain)


def _or_none(build: Callable[..., Work[Any]], ids: tuple[str, ...], data: Mapping[str, Any]) -> Ask[Any] | None:
    """None where the typed client would refuse the request: Razorpay is to judge it, and it is sent once."""
    try:
        work = build(*ids, data)
        return work if isinstance(work, Ask) else next(work)  # a delete's plan asks once, and throws the answer away
    except (RazorpayHardenedError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _checked(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The answer as it was sent, once the typed client would believe it."""

    def read(answer: Any) -> Any:
        parse(answer)
        return _plain(answer)

    return read


def _repeatable(operation: Operation, data: Mapping[str, Any]) -> Operation:
    """The operation, or the same with the rule ``ONCE`` where its own rule needs what is not there."""
    upsert = _UPSERTS.get(operation.path) if operation.method == "POST" else None
    if upsert is not None:
        field, value, safe = upsert
        return safe if str(data.get(field)) == value else op.CUSTOMER_CREATE
    if operation.rule in (Rule.SETTLE, Rule.LOOK_UP):
        return Operation(operation.name, operation.method, operation.path, Rule.ONCE)
    return operation


def _plain(answer: Any) -> Any:
    return {} if answer is None else answer
