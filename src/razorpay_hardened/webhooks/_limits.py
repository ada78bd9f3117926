"""Rate limits, through the ``limits`` library: the only module that imports it."""

from __future__ import annotations

from typing import Any, Final

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import ConfigError, ExtraMissing
from razorpay_hardened.signals import Bus

try:
    from limits import parse_many
    from limits.errors import StorageError as LimitsStorageError
    from limits.storage import storage_from_string
    from limits.strategies import FixedWindowRateLimiter
except ImportError as error:
    raise ExtraMissing("limits", "a rate limit") from error

__all__ = ["RateLimit"]

_SCOPE: Final = "razorpay-webhook"
_CLOCK: Final = SystemClock()
_WAIT_S: Final = 0.5
"""How long Redis may take. A limit that cannot be asked lets everybody through."""


class RateLimit:
    """See :class:`razorpay_hardened.webhooks.guard.Limiter`.

    ``rate`` is such as ``50/second;600/minute``, ``url`` ``memory://`` or ``redis://…``. Raises :class:`ConfigError`
    for what ``limits`` cannot read, and :class:`ExtraMissing` without the client that the URL needs.
    """

    def __init__(self, rate: str, url: str, bus: Bus) -> None:
        options: dict[str, Any] = {}
        if url.startswith("redis"):
            options = {"socket_timeout": _WAIT_S, "socket_connect_timeout": _WAIT_S}
        try:
            self._rates = parse_many(rate)
            storage = storage_from_string(url, wrap_exceptions=True, **options)
        except Exception as error:  # noqa: BLE001  # the URL may be in the text, and a password in the URL
            if type(error).__name__ == "ConfigurationError" and options:
                raise ExtraMissing("limits", "a rate limit that is kept in Redis (and pip install redis)") from None
            raise ConfigError("rate_limit or rate_limit_url cannot be read") from None
        self._strategy = FixedWindowRateLimiter(storage)
        self._bus = bus
        self.blocks = bool(options)

    def hit(self, source: str) -> float | None:
        """Count one call; gives the seconds to wait where it was one too many. Where Redis fails, nobody waits."""
        try:
            waits = [self._wait_s(rate, source) for rate in self._rates if not self._strategy.hit(rate, _SCOPE, source)]
        except LimitsStorageError as error:
            cause = error.storage_error
            self._bus.alarm("rate_limit", type(cause).__name__, "the rate limit cannot be asked: nobody is limited")
            return None
        return max(waits, default=None)

    def _wait_s(self, rate: Any, source: str) -> float:
        reset: float = self._strategy.get_window_stats(rate, _SCOPE, source).reset_time
        return max(0.0, reset - _CLOCK.now().timestamp())  # limits counts by the machine's own clock
