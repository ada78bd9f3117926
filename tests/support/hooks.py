"""A store that says where it is: it calls a hook before and after each method of its transactions.

The production code has no hooks of its own: this stands between it and a real store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from razorpay_hardened.ports.store import Store

Seen = dict[str, Any]
"""What this transaction's methods have returned so far, by name: the last result of each that was not empty."""

Hook = Callable[[str, Seen], None]
"""Told ``before claim``, ``after claim`` … ``before commit``, ``after commit``."""


class HookedTransaction:
    """A transaction whose every method of the port is announced."""

    def __init__(self, tx: Any, hook: Hook) -> None:
        self._tx = tx
        self._hook = hook
        self.seen: Seen = {}

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._tx, name)
        if name in ("connection", "execute", "savepoint"):
            return inner

        def announced(*values: Any, **named: Any) -> Any:
            self._hook(f"before {name}", self.seen)
            result = inner(*values, **named)
            self.seen[name] = result or self.seen.get(name)
            self._hook(f"after {name}", self.seen)
            return result

        return announced


class HookedStore:
    """``store`` with announced transactions; reading outside of one passes through."""

    def __init__(self, store: Store, hook: Hook) -> None:
        self._store = store
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, **chosen: Any) -> Iterator[HookedTransaction]:
        with self._store.transaction(**chosen) as tx:
            hooked = HookedTransaction(tx, self._hook)
            yield hooked
            self._hook("before commit", hooked.seen)
        self._hook("after commit", hooked.seen)
