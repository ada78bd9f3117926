"""Which handler wants which milestone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple, TypeVar

from razorpay_hardened.domain.kinds import ALIASES, ENTITY_MILESTONES
from razorpay_hardened.domain.lifecycle import MILESTONES
from razorpay_hardened.effects.backoff import Retry
from razorpay_hardened.errors import ConfigError
from razorpay_hardened.ports.store import EffectMode, EffectRow

__all__ = ["OWN", "Handler", "Registry"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
_NAME_MAX: Final = 200
OWN: Final = "razorpay_hardened."
"""The names of this package's own tasks begin with it."""
_KNOWN: Final = (*MILESTONES, *ENTITY_MILESTONES)


class Handler(NamedTuple):
    """One function for one milestone. ``name`` is stored in the effect's row: renaming it makes it another handler."""

    name: str
    milestone: str
    mode: EffectMode
    function: Callable[..., Any]
    unbound: bool = False
    """Whether it wants milestones of payments that belong to no order of ours. Those of other kinds it always gets."""
    retry: Retry | None = None
    """Its own pace, or None for everybody's."""
    own: bool = False
    """Whether it is a task of this package's: called with the effect's row, by workers only."""


def matching(milestone: str) -> tuple[str, ...]:
    """The milestones that ``milestone`` names: itself, or those that it matches as a shell pattern (``*``, ``?``,
    ``[…]``).

    Upper and lower case differ. In the order in which first attempts run. Raises :class:`ConfigError` where it names
    none, which is how a slip of the pen is found at start.
    """
    name = ALIASES.get(milestone, milestone)
    if name in _KNOWN:
        return (name,)
    found = tuple(one for one in _KNOWN if fnmatchcase(one, name))
    if not found:  # by Razorpay's names, where those differ from ours: ``payment.dispute.*``
        found = tuple(dict.fromkeys(ours for event, ours in ALIASES.items() if fnmatchcase(event, name)))
    if not found:
        what = "matches" if set(milestone) & set("*?[") else "is called"
        raise ConfigError(f"no milestone {what} {milestone!r}; there are: {', '.join(_KNOWN)}")
    return found


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


class Registry:
    """The application's handlers. Filled at start, read ever after."""

    def __init__(self) -> None:
        self._wanting: dict[str, tuple[Handler, ...]] = {}
        self._named: dict[tuple[str, str], Handler] = {}

    def on(self, milestone: str, *, name: str | None = None, unbound: bool = False) -> Callable[[FunctionT], FunctionT]:
        """Call ``handler(change, tx)`` in the transaction that records the milestone: its writes through ``tx`` happen
        exactly once. ``milestone`` may be a pattern, such as ``"payment.*"``: see :func:`matching`.

        Raises :class:`ConfigError` for an unknown milestone, a name taken, or a coroutine function.
        """
        return self._adder(milestone, "on", name, unbound, None)

    def after(
        self, milestone: str, *, name: str | None = None, unbound: bool = False, retry: Retry | None = None
    ) -> Callable[[FunctionT], FunctionT]:
        """Call ``handler(change)`` once the milestone has committed: at least once, with retries. For mails and other
        people's APIs; give them ``change.key``. A coroutine function is run to its end.

        ``retry``: its own pace, in place of eight attempts over 20 hours. Raises what :meth:`on` raises, except that it
        may be async, and :class:`ConfigError` for a ``retry`` that is no :class:`Retry`.
        """
        if retry is not None and not isinstance(retry, Retry):
            raise ConfigError("retry= is a Retry, such as Retry(attempts=5, first_s=30)")
        return self._adder(milestone, "after", name, unbound, retry)

    def own(self, milestone: str, name: str, task: Callable[[EffectRow], None]) -> None:
        """Register a task of this package's, which workers run like an ``after`` handler: with the effect's row."""
        handler = Handler(OWN + name, milestone, "after", task, own=True)
        self._named[milestone, handler.name] = handler
        self._wanting[milestone] = (*self._wanting.get(milestone, ()), handler)

    def _adder(
        self, milestone: str, mode: EffectMode, name: str | None, unbound: bool, retry: Retry | None
    ) -> Callable[[FunctionT], FunctionT]:
        milestones = matching(milestone)

        def add(function: FunctionT) -> FunctionT:
            chosen = name or f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
            handlers = [Handler(chosen, one, mode, function, unbound, retry) for one in milestones]
            for handler in handlers:
                self._check(handler)
            for handler in handlers:  # all of a pattern's milestones, or none
                self._named[handler.milestone, handler.name] = handler
                self._wanting[handler.milestone] = (*self._wanting.get(handler.milestone, ()), handler)
            return function

        return add

    def _check(self, handler: Handler) -> None:
        if len(handler.name) > _NAME_MAX:
            raise ConfigError(f"a handler's name has at most {_NAME_MAX} characters")
        if handler.name.startswith(OWN):
            raise ConfigError(f"names that begin with {OWN} are this package's own: pass another name=")
        if (handler.milestone, handler.name) in self._named:
            raise ConfigError(f"{handler.milestone} already has a handler named {handler.name!r}: pass another name=")
        if handler.mode == "on" and _is_async(handler.function):
            raise ConfigError(f"{handler.name}: a handler inside the transaction cannot be async; use after()")

    def wanting(self, milestone: str) -> tuple[Handler, ...]:
        """The handlers of a milestone, in the order in which they were registered."""
        return self._wanting.get(milestone, ())

    def find(self, milestone: str, name: str) -> Handler | None:
        """One handler, or None where this process does not have it."""
        return self._named.get((milestone, name))

    def names(self, mode: EffectMode | None = None, *, own: bool = True) -> list[str]:
        """The names of all handlers, sorted; without ``own``, of the application's only."""
        return sorted({one.name for one in self._named.values() if mode in (None, one.mode) and (own or not one.own)})
