"""What commands work on: the store alone, or the application with its handlers."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

import typer

from razorpay_hardened.cli._hide import learn_secret, learn_url
from razorpay_hardened.clock import Clock, SystemClock
from razorpay_hardened.effects.registry import OWN
from razorpay_hardened.errors import ConfigError, SchemaMismatch

if TYPE_CHECKING:
    from razorpay_hardened.ports.store import Store
    from razorpay_hardened.wiring import Razorpay

__all__ = ["Session", "check_handlers", "refuse_password", "session_of"]

STORE_URL: Final = "sqlite:///razorpay.db"
"""Where the library itself looks without ``RAZORPAY_STORE_URL``."""


@dataclass
class Session:
    """What the global options said. ``zone`` is that of people's times; ``zone_name`` is printed with them."""

    store_url: str | None
    zone: tzinfo
    zone_name: str
    clock: Clock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        return self.clock.now()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store alone: no API key is asked for. Raises :class:`ConfigError` for a URL that it cannot be."""
        from razorpay_hardened.storage import open_store

        store = open_store(self.store_url or os.environ.get("RAZORPAY_STORE_URL") or STORE_URL)
        try:
            with _placed(store):
                yield store
        finally:
            store.close()

    @contextmanager
    def wired(self, app: str | None) -> Iterator[Razorpay]:
        """The application where there is one, else what the environment says: for commands without effects."""
        if app is not None:
            with self.application(app, "this command") as rzp:
                yield rzp
            return
        from razorpay_hardened.wiring import Razorpay

        environ = os.environ if self.store_url is None else {**os.environ, "RAZORPAY_STORE_URL": self.store_url}
        with Razorpay.from_env(environ) as rzp, _placed(rzp.store):
            yield rzp

    @contextmanager
    def application(self, app: str | None, what: str) -> Iterator[Razorpay]:
        """The application, for commands that may run its handlers.

        Raises :class:`ConfigError` when it is not named, cannot be loaded, keeps another store than ``--store`` says,
        or lacks a handler that the store still owes a call.
        """
        if app is None:
            raise ConfigError(
                f"{what} may call your handlers, so it must know them: add --app module:attribute "
                "(your Razorpay object, or a function that returns it), or set RAZORPAY_APP"
            )
        if self.store_url is not None:
            os.environ["RAZORPAY_STORE_URL"] = self.store_url  # the application reads it while it is imported
        rzp = _load(app)
        _learn(rzp)
        try:
            self._check_store(rzp)
            with _placed(rzp.store):
                check_handlers(rzp, rzp.store.effect_handlers())
                yield rzp
        finally:
            rzp.close()

    def _check_store(self, rzp: Razorpay) -> None:
        if self.store_url is None:
            return
        from razorpay_hardened.storage import open_store

        if open_store(self.store_url).status().url != rzp.store.status().url:
            raise ConfigError("--store names another store than the one that the application keeps: leave it out")


@contextmanager
def _placed(store: Store) -> Iterator[None]:
    """Say which store it is that has no tables: more often than not it is the wrong one."""
    try:
        yield
    except SchemaMismatch as error:
        url = store.status().url
        path = url.removeprefix("sqlite:///")
        if path != url and not os.path.exists(path):
            raise SchemaMismatch(
                f"there is no store at {url}: name yours with RAZORPAY_STORE_URL or --store, "
                "or make it with `razorpay-hardened db migrate`"
            ) from error
        raise SchemaMismatch(f"{url}: {error}") from error


def session_of(context: typer.Context) -> Session:
    """The session that the root command made."""
    session = context.find_root().obj
    assert isinstance(session, Session)
    return session


def refuse_password(url: str | None) -> str | None:
    """``url``, unless it holds a password: arguments are seen by everybody on the machine (FAULTS rule 16)."""
    if url is not None and "://" in url and ("@" in url or "password=" in url):
        raise typer.BadParameter("a store's URL with a user or password belongs in RAZORPAY_STORE_URL, not in --store")
    return url


def _load(reference: str) -> Razorpay:
    module_name, colon, path = reference.partition(":")
    if not (module_name and colon and path):
        raise ConfigError("an application is given as module:attribute, such as shop.payments:rzp")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` has it: the application lies where the command is run
    value = _guarded(reference, lambda: _attribute(module_name, path))
    from razorpay_hardened.wiring import Razorpay

    if not isinstance(value, Razorpay) and callable(value):
        value = _guarded(reference, value)
    if not isinstance(value, Razorpay):
        raise ConfigError(f"{reference} is neither a Razorpay object nor a function that returns one")
    return value


def _attribute(module_name: str, path: str) -> Any:
    value: Any = importlib.import_module(module_name)
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _guarded(reference: str, load: Any) -> Any:
    """What ``load`` gives. Its failure is told with the place, and with its text only where that is about names.

    The application's own exceptions may quote a connection string (FAULTS P6).
    """
    try:
        return load()
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith("<")]
        text = f": {error}" if isinstance(error, (ImportError, AttributeError, SyntaxError)) else ""
        ours = frames[-1].filename in (importlib.__file__, __file__)  # it failed to find, not to run
        at = "" if ours else f" ({frames[-1].filename}:{frames[-1].lineno})"
        raise ConfigError(f"cannot load {reference}: {type(error).__name__}{text}{at}") from error


def _learn(rzp: Razorpay) -> None:
    """The application may have its secrets from elsewhere than the environment."""
    settings = rzp.settings
    for secret in (settings.key_secret, *settings.webhook_secrets):
        learn_secret(secret.reveal(), settings.key_id)
    learn_url(settings.store_url.reveal())


def check_handlers(rzp: Razorpay, needed: set[str]) -> None:
    """Raises :class:`ConfigError` unless the application has all of these handlers."""
    # A task of ours that its setting has switched off since is nobody's to register: it waits, and blocks nothing.
    missing = sorted(name for name in needed - set(rzp.handlers.names()) if not name.startswith(OWN))
    if missing:
        raise ConfigError(
            f"the store still owes a call to handlers that this application does not have: {', '.join(missing)}; "
            "register them under these names, or name the application that has them"
        )
