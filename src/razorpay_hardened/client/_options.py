"""What both clients are made of: checked settings, and what they share with their clones."""

from __future__ import annotations

import json
import math
import random as random_module
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._caller import Options, Response, Settings
from razorpay_hardened.client._checks import check_path
from razorpay_hardened.client._circuit import Circuits
from razorpay_hardened.client._credentials import Credentials, Token
from razorpay_hardened.client._pace import Pace
from razorpay_hardened.client._retry_budget import RetryBudget
from razorpay_hardened.client._values import Call, Operation, Rule
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import ConfigError, FieldInvalid
from razorpay_hardened.signing.keys import Secret, as_secret

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock
    from razorpay_hardened.signals import Bus

__all__ = [
    "LIVE_URL",
    "KEEP",
    "Keep",
    "changed",
    "check_base_url",
    "credentials_from",
    "free_request",
    "hidden",
    "settings_from",
]

LIVE_URL: Final = "https://api.razorpay.com"
ATTEMPTS_MAX: Final = 20
TIMEOUT_MAX_S: Final = 600.0
BURST: Final = 10
"""Bulk reads that may follow each other at once after a pause."""
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Keep:
    """The type of ``KEEP``: an option that ``with_options`` leaves as it is, where None would say something."""

    __slots__ = ()


KEEP: Final = Keep()


def hidden(secret: str | Secret | None, name: str) -> Secret | None:
    """The secret in its wrapper, at once: were an error raised later, a crash report would show the caller's frame."""
    return None if secret is None else as_secret(secret, name=name)


def credentials_from(key_id: str | None, key_secret: Secret | None, token: Secret | None) -> Credentials:
    """Basic authentication with the account's key, or a partner's OAuth token. Raises :class:`ConfigError`."""
    if token is not None:
        if key_id is not None or key_secret is not None:
            raise ConfigError("give a key id and its secret, or an access token, not both")
        return Token(token)
    if key_secret is None:
        raise ConfigError("the key secret is missing")
    return Credentials(_check_key_id(key_id), key_secret)


def settings_from(
    credentials: Credentials,
    *,
    clock: Clock | None,
    bus: Bus | None,
    connect_timeout_s: float,
    read_timeout_s: float,
    bulk_reads_per_s: float,
    retries_per_call: float,
    random: random_module.Random | None,
) -> Settings:
    """What a client shares with its clones."""
    clock = clock or SystemClock()
    return Settings(
        credentials=credentials,
        clock=clock,
        bus=bus,
        circuits=Circuits(clock),
        retries=RetryBudget(clock, ratio=retries_per_call),
        pace=Pace(clock, bulk_reads_per_s, BURST),
        connect_s=check_timeout("connect_timeout_s", connect_timeout_s),
        read_s=check_timeout("read_timeout_s", read_timeout_s),
        random=random or random_module.SystemRandom(),  # no state that a forked child would copy
    )


def changed(
    before: Options | None,
    timeout_s: float | None,
    max_attempts: int | None,
    account_id: str | Keep | None = KEEP,
    on_response: Callable[[Response], object] | Keep | None = KEEP,
) -> Options:
    """The options of a clone; of a new client where there were none before."""
    return Options(
        total_s=before.total_s if timeout_s is None and before else check_timeout("timeout_s", timeout_s),
        attempts_max=before.attempts_max if max_attempts is None and before else _check_attempts(max_attempts),
        account_id=(before.account_id if before else None) if isinstance(account_id, Keep) else _account(account_id),
        on_response=(before.on_response if before else None) if isinstance(on_response, Keep) else on_response,
    )


def _account(account_id: str | None) -> str | None:
    return None if account_id is None else check_id("account", account_id)


def free_request(method: str, path: str, params: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> Ask[Any]:
    """What ``client.request`` asks."""
    method = method.upper()
    if method not in _METHODS:
        raise FieldInvalid(f"the method must be one of {', '.join(sorted(_METHODS))}")
    reads = method == "GET"
    if reads and body is not None:
        raise FieldInvalid("a GET has no body; use params")
    _check_json(body)
    operation = Operation("request", method, check_path(path), Rule.READ if reads else Rule.ONCE)
    call = Call(operation, data=dict((params if reads else body) or {}), params=None if reads else params)
    return Ask(call, _plain)


def _check_json(body: Mapping[str, Any] | None) -> None:
    try:
        json.dumps(dict(body or {}), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FieldInvalid(f"the body is not JSON ({type(error).__name__})") from None


def _plain(answer: Any) -> Any:
    return {} if answer is None else answer


def _check_key_id(key_id: object) -> str:
    if type(key_id) is not str or not key_id or not key_id.isascii() or not key_id.isprintable():
        raise ConfigError("the key id is missing, or holds characters that no key id has")
    if ":" in key_id or " " in key_id:
        raise ConfigError("the key id must not contain ':' or spaces")
    return key_id


def check_base_url(base_url: object, credentials: Credentials) -> str:
    """Where requests go: what may be live goes to Razorpay and nowhere else (FAULTS rule 11)."""
    url = base_url.rstrip("/") if isinstance(base_url, str) else ""
    if url != LIVE_URL and not credentials.may_go_to(here=_is_here(url)):
        raise ConfigError(f"{credentials.kind} is sent to {LIVE_URL} and nowhere else")
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise ConfigError("the base URL is not a URL") from None
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    plain = plain and url.isascii() and url.isprintable() and " " not in url
    host = parts.hostname or ""
    if not plain or not host or not (parts.scheme == "https" or (parts.scheme == "http" and _is_here(url))):
        raise ConfigError("the base URL must be https://host, or http:// on this machine for the emulator")
    return url


def _is_here(url: str) -> bool:
    """On this machine. Names under .invalid never resolve (RFC 6761): an emulator without a socket may be called so."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in _LOOPBACK or host.endswith(".invalid")


def check_timeout(name: str, seconds: float | None) -> float:
    """A number of seconds that ends."""
    if (
        seconds is None
        or type(seconds) not in (int, float)
        or not math.isfinite(seconds)
        or not 0 < seconds <= TIMEOUT_MAX_S
    ):
        raise ConfigError(f"{name} must be a number of seconds, more than 0 and at most {TIMEOUT_MAX_S:g}")
    return float(seconds)


def _check_attempts(attempts: object) -> int:
    if type(attempts) is not int or not 1 <= attempts <= ATTEMPTS_MAX:
        raise ConfigError(f"max_attempts must be an int from 1 to {ATTEMPTS_MAX}")
    return attempts
