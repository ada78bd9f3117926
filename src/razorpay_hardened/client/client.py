"""The client: one object, three resources, and the limits under which they work."""

from __future__ import annotations

import json
import math
import os
import random as random_module
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import urlsplit

from razorpay_hardened.client._caller import Caller, Settings
from razorpay_hardened.client._checks import check_path
from razorpay_hardened.client._credentials import Credentials
from razorpay_hardened.client._values import Call, Operation, Rule
from razorpay_hardened.client.resources import Orders, Payments, Refunds
from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import ConfigError, FieldInvalid
from razorpay_hardened.signing.keys import Secret, as_secret

if TYPE_CHECKING:
    from razorpay_hardened.client._gateway import Gateway
    from razorpay_hardened.clock import Clock
    from razorpay_hardened.signals import Bus

if TYPE_CHECKING:
    from razorpay_hardened.ports.gateway import Gateway as GatewayPort

    def _satisfies(client: Client) -> GatewayPort:  # checked by the type checker, never run
        return client


__all__ = ["Client"]

LIVE_URL = "https://api.razorpay.com"
ATTEMPTS_MAX = 20
TIMEOUT_MAX_S = 600.0
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Connection:
    """The gateway, made at the first call and again after a fork: a child must not share its parent's sockets."""

    __slots__ = ("_base_url", "_credentials", "_gateway", "_session")

    def __init__(self, base_url: str, credentials: Credentials, session: Any) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._session = session
        self._gateway: Gateway | None = None

    def get(self) -> Gateway:
        # No lock: two threads that race here make one pool too many, which the garbage collector takes back.
        gateway = self._gateway
        if gateway is None or gateway.pid != os.getpid():
            gateway = self._gateway = self._make()
        return gateway

    def _make(self) -> Gateway:
        from razorpay_hardened.client._gateway import Gateway

        if self._session is not None:
            from razorpay_hardened.client._requests import SessionTransport

            return Gateway(self._credentials, self._base_url, SessionTransport(self._session))
        from razorpay_hardened.client._transport import UrllibTransport

        return Gateway(self._credentials, self._base_url, UrllibTransport(self._base_url))

    def close(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is not None and gateway.pid == os.getpid():
            gateway.close()


class Client:
    """Razorpay's API: typed, bounded in time, and never charging twice.

        client = Client("rzp_test_…", secret)
        order = client.orders.create(amount=Money.inr("499.00"), receipt="inv-42")

    Times are seconds: ``connect_timeout_s`` for one connection, ``read_timeout_s`` between two bytes,
    ``total_timeout_s`` for a call with all its attempts and waits. ``max_attempts`` counts the first one. ``session``
    is a ``requests.Session`` of yours; without it, a thin session over urllib3 is made at the first call, which
    honours proxy variables and ``REQUESTS_CA_BUNDLE``. ``clock`` makes waits testable, ``bus`` hears an
    ``ApiAttempt`` per request, ``random`` makes jitter repeatable.

    Safe to share between threads, and to use on both sides of a fork. ``repr`` shows the key id, never the secret; it
    cannot be pickled. After :meth:`close` the next call opens connections again. Raises :class:`ConfigError` for
    settings that are missing or unsafe: a live key goes to Razorpay and nowhere else (FAULTS rule 11).
    """

    __slots__ = ("_caller", "_connection", "_max_attempts", "_settings", "_timeout_s", "orders", "payments", "refunds")

    orders: Orders
    payments: Payments
    refunds: Refunds

    def __init__(
        self,
        key_id: str,
        key_secret: str | Secret,
        *,
        base_url: str = LIVE_URL,
        session: Any = None,
        clock: Clock | None = None,
        bus: Bus | None = None,
        connect_timeout_s: float = 5,
        read_timeout_s: float = 20,
        total_timeout_s: float = 30,
        max_attempts: int = 4,
        random: random_module.Random | None = None,
    ) -> None:
        # Rebound at once: were an error raised below, a crash report would show this frame's variables.
        key_secret = as_secret(key_secret, name="key_secret")
        credentials = Credentials(_check_key_id(key_id), key_secret)
        self._connection = _Connection(_check_base_url(base_url, key_id), credentials, session)
        self._settings = Settings(
            gateway=self._connection.get,
            credentials=credentials,
            clock=clock or SystemClock(),
            bus=bus,
            connect_s=_check_timeout("connect_timeout_s", connect_timeout_s),
            read_s=_check_timeout("read_timeout_s", read_timeout_s),
            random=random or random_module.SystemRandom(),  # no state that a forked child would copy
        )
        self._limit(total_timeout_s, max_attempts)

    def _limit(self, timeout_s: float, max_attempts: int) -> None:
        self._timeout_s = _check_timeout("timeout_s", timeout_s)
        self._max_attempts = _check_attempts(max_attempts)
        self._caller = Caller(self._settings, total_s=self._timeout_s, attempts_max=self._max_attempts)
        self.orders = Orders(self._caller)
        self.payments = Payments(self._caller)
        self.refunds = Refunds(self._caller)

    def with_options(self, *, timeout_s: float | None = None, max_attempts: int | None = None) -> Client:
        """The same client (connections included) with another total deadline, in seconds, or number of attempts."""
        clone = object.__new__(Client)
        clone._connection = self._connection
        clone._settings = self._settings
        clone._limit(
            self._timeout_s if timeout_s is None else timeout_s,
            self._max_attempts if max_attempts is None else max_attempts,
        )
        return clone

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Any other endpoint: the answer's JSON as plain values; ``{}`` for an empty answer.

        ``path`` is ``/v1/…`` or ``/v2/…`` without a query. A GET is retried; anything else is sent once and raises
        :class:`OutcomeUnknown` when its answer is lost. Raises :class:`FieldInvalid` for a path that is not plain.
        """
        method = method.upper()
        if method not in _METHODS:
            raise FieldInvalid(f"the method must be one of {', '.join(sorted(_METHODS))}")
        reads = method == "GET"
        if reads and body is not None:
            raise FieldInvalid("a GET has no body; use params")
        _check_json(body)
        operation = Operation("request", method, check_path(path), None, Rule.READ if reads else Rule.ONCE)
        call = Call(operation, data=dict((params if reads else body) or {}), params=None if reads else params)
        make = self._caller.read if reads else self._caller.write
        return make(call, _plain)

    def close(self) -> None:
        """Close idle connections; a session that you gave stays open."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        settings = getattr(self, "_settings", None)  # a crash report may ask while it is being made
        return f"<Client {settings.credentials.key_id!r}>" if settings else "<Client>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Client cannot be pickled: make one in the other process")


def _check_json(body: Mapping[str, Any] | None) -> None:
    try:
        json.dumps(dict(body or {}), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FieldInvalid(f"the body is not JSON ({type(error).__name__})") from None


def _plain(answer: Any) -> Any:
    return {} if answer is None else answer


def _check_key_id(key_id: str) -> str:
    if type(key_id) is not str or not key_id or not key_id.isascii() or not key_id.isprintable():
        raise ConfigError("the key id is missing, or holds characters that no key id has")
    if ":" in key_id or " " in key_id:
        raise ConfigError("the key id must not contain ':' or spaces")
    return key_id


def _check_base_url(base_url: object, key_id: str) -> str:
    url = base_url.rstrip("/") if isinstance(base_url, str) else ""
    if key_id.startswith("rzp_live_"):
        if url != LIVE_URL:
            raise ConfigError(f"a live key is sent to {LIVE_URL} and nowhere else")
        return url
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise ConfigError("the base URL is not a URL") from None
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    plain = plain and url.isascii() and url.isprintable() and " " not in url
    host = parts.hostname or ""
    # Names under .invalid never resolve (RFC 6761): an emulator without a socket may be called so.
    here = host in _LOOPBACK or host.endswith(".invalid")
    if not plain or not host or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise ConfigError("the base URL must be https://host, or http:// on this machine for the emulator")
    return url


def _check_timeout(name: str, seconds: float) -> float:
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or not 0 < seconds <= TIMEOUT_MAX_S:
        raise ConfigError(f"{name} must be a number of seconds, more than 0 and at most {TIMEOUT_MAX_S:g}")
    return float(seconds)


def _check_attempts(attempts: int) -> int:
    if type(attempts) is not int or not 1 <= attempts <= ATTEMPTS_MAX:
        raise ConfigError(f"max_attempts must be an int from 1 to {ATTEMPTS_MAX}")
    return attempts
