"""The installed SDK, asked what it can do: every method, and what it sends for it."""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Callable
from typing import Any

import razorpay
import requests
from razorpay.client import RESOURCE_CLASSES

__all__ = ["METHODS", "called", "inherited", "recorded"]

METHODS: list[tuple[str, str]] = [
    (name, method)
    for name, made in sorted(RESOURCE_CLASSES.items())
    for method, _ in inspect.getmembers(made, inspect.isfunction)
    if not method.startswith("_") and not method.endswith("_url")
]
"""Attribute of the client and name of the method, inherited ones too."""

_GIVEN = {"amount": 100, "medium": "sms", "account_id": "acc_GRWKk7qQsLnDjX", "product_name": "route"}
_ID = "pay_29QQoUBi66xm2f"


def inherited(name: str, method: str) -> bool:
    """Whether the resource has the method from its base class only, which makes up paths that Razorpay may not have."""
    return method not in vars(RESOURCE_CLASSES[name])


def called(method: Callable[..., Any]) -> None:
    """Call it with an id for each id, and with data where it takes data."""
    required = [
        parameter.name
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    uploads = "upload" in method.__name__ or method.__qualname__ == "Document.create"
    data: dict[str, Any] = {"file": b"x"} if uploads else {}
    arguments = [{"data": data, **_GIVEN}.get(name, _ID) for name in required]
    if data and "data" not in required:
        arguments.append(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's own, of its own methods
        method(*arguments)


def recorded(name: str, method: str) -> tuple[str, str, Any]:
    """Verb, path, and query or body, as the SDK itself sends them for this method."""
    session = _Recorder()
    sdk: Any = razorpay.Client(session=session, auth=("rzp_test_x", "secret"))  # type: ignore[no-untyped-call]
    called(getattr(getattr(sdk, name), method))
    [sent] = session.seen
    return sent


class _Recorder:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []

    def __getattr__(self, verb: str) -> Any:
        def send(url: str, **options: Any) -> requests.Response:
            body = options.get("data")
            plain = json.loads(body) if isinstance(body, str) else body
            content = (options.get("params") or {}) if verb == "get" else plain
            self.seen.append((verb.upper(), url.removeprefix("https://api.razorpay.com"), content))
            answer = requests.Response()
            answer.status_code, answer._content = 200, b"{}"
            return answer

        return send
