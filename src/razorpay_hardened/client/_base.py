"""What the blocking and the asynchronous client have in common: options, clones, resources, and what stays hidden."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, Self

from razorpay_hardened.client._caller import Options, Response, Settings
from razorpay_hardened.client._options import KEEP, Keep, changed
from razorpay_hardened.client.resources import NAMES, load

__all__ = ["ClientBase"]


class ClientBase:
    """Resources are made when they are first used: each loads a module."""

    __slots__ = ("_conductor", "_connection", "_options", "_settings", *NAMES)

    _awaited: ClassVar[bool]
    _connection: Any
    _conductor: Any
    _settings: Settings
    _options: Options

    @abstractmethod
    def _begin(self, connection: Any, settings: Settings, options: Options) -> None:
        """Keep what the calls need; the conductor is the client's own."""

    def with_options(
        self,
        *,
        timeout_s: float | None = None,
        max_attempts: int | None = None,
        account_id: str | Keep | None = KEEP,
        on_response: Callable[[Response], object] | Keep | None = KEEP,
    ) -> Self:
        """The same client (connections, limits and budgets included) with other options.

        ``timeout_s`` is the total deadline in seconds. ``account_id`` (``acc_…``) makes a partner's calls in the name
        of that sub-merchant (``X-Razorpay-Account``); None ends that. ``on_response`` is called with a
        :class:`Response` for every answer that comes, whatever its status: its request id and headers. What it raises
        is a warning, and loses no result.
        """
        clone = object.__new__(type(self))
        options = changed(self._options, timeout_s, max_attempts, account_id, on_response)
        clone._begin(self._connection, self._settings, options)
        return clone

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # a crash report may ask while this is being made
            raise AttributeError(name)
        resource = load(name, awaited=self._awaited)(self._conductor)
        setattr(self, name, resource)
        return resource

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *NAMES})

    def __repr__(self) -> str:
        settings = getattr(self, "_settings", None)  # a crash report may ask while it is being made
        return f"<{type(self).__name__} {settings.credentials.shown}>" if settings else f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a client cannot be pickled: make one in the other process")
