"""Where webhooks go: the ``main`` one that is always there, and those that were registered beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from razorpay_hardened.emulator import _hash
from razorpay_hardened.emulator._webhook import LIMIT, MAIN, Endpoint, Webhook
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["TIMEOUT_S", "Registry"]

TIMEOUT_S = 5.0


class Registry:
    """The webhooks of one account by name; what is on its way to them is its child's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._main = Webhook(MAIN, webhook_id=_new_id(world), owner=world.account.id, created_at=world.clock.unix())
        self._webhooks = {MAIN: self._main}
        self._registered = 0

    def _schedule_all(self, name: str) -> None:
        """Plan what waits for this webhook."""
        raise NotImplementedError

    def _drop(self, name: str) -> None:
        """Forget what waits for this webhook."""
        raise NotImplementedError

    def to(self, endpoint: Endpoint | None) -> Self:
        """Deliver to this callable from now on; what waits goes to it when the clock next advances."""
        with self._world.lock:
            self._main.endpoint, self._main.url = endpoint, None
            self._schedule_all(MAIN)
        return self

    def to_url(self, url: str) -> Self:
        """Deliver by HTTP POST to ``url``; an answer after 5 seconds is none."""
        self.to(_poster(url))
        self._main.url = url
        return self

    def register(
        self,
        where: str | Endpoint,
        *,
        name: str | None = None,
        secret: str | None = None,
        events: Iterable[str] | None = None,
        alert_email: str = "alerts@example.com",
        owner: str | None = None,
    ) -> Webhook:
        """One more webhook: a URL or a callable, with its own ``secret`` (made from the seed if None; empty: unsigned).

        ``events`` None is all. One event goes to all webhooks under one event id. The ``main`` webhook then gets
        events only if it has an endpoint of its own. ``owner`` is the account or one that is linked to it. Raises
        :class:`ConfigError` beyond 30, or for a name in use.
        """
        url = where if isinstance(where, str) else None
        endpoint = _poster(where) if isinstance(where, str) else where
        with self._world.lock:
            self._registered += 1
            name = name or f"webhook-{self._registered}"
            if name in self._webhooks:
                raise ConfigError(f"there is a webhook {name!r} already")
            if len(self._webhooks) >= LIMIT:
                raise ConfigError(f"an account has at most {LIMIT} webhooks")
            if secret is None:
                secret = _hash.token(self._world.seed, "webhook secret", name, length=32)
            made = Webhook(
                name,
                url=url,
                endpoint=endpoint,
                secret=secret,
                events=events,
                alert_email=alert_email,
                webhook_id=_new_id(self._world),
                owner=owner or self._world.account.id,
                created_at=self._world.clock.unix(),
            )
            self._webhooks[name] = made
        return made

    def redirect(self, name: str, url: str) -> None:
        """Deliver to another URL from now on, with what waits. Raises :class:`ConfigError`."""
        hook, endpoint = self.webhook(name), _poster(url)
        with self._world.lock:
            hook.url, hook.endpoint = url, endpoint
            self._schedule_all(name)

    def unregister(self, name: str) -> None:
        """Delete a webhook, with what was on its way to it; ``main`` only loses its endpoint. Raises
        :class:`ConfigError` for an unknown one."""
        hook = self.webhook(name)
        with self._world.lock:
            if hook is self._main:
                hook.url = hook.endpoint = None
                return
            del self._webhooks[name]
            self._drop(name)

    @property
    def webhooks(self) -> list[Webhook]:
        """All of them, ``main`` first."""
        return list(self._webhooks.values())

    def webhook(self, name: str = MAIN) -> Webhook:
        """The webhook of this name. Raises :class:`ConfigError`."""
        if name not in self._webhooks:
            raise ConfigError(f"there is no webhook {name!r}; there are: {', '.join(self._webhooks)}")
        return self._webhooks[name]

    @property
    def disabled(self) -> bool:
        """Whether the ``main`` webhook is switched off."""
        return self._main.disabled

    def disable(self, name: str = MAIN) -> None:
        """Switch a webhook off, as an operator does by hand; what happens from now on is never sent there."""
        with self._world.lock:
            self.webhook(name).disabled_at = self._world.clock.unix()

    def enable(self, name: str = MAIN) -> None:
        """Switch it on again, as an operator does by hand. What came meanwhile was never sent."""
        with self._world.lock:
            self.webhook(name).disabled_at = 0
            self._schedule_all(name)


def _new_id(world: World) -> str:
    """Fourteen characters without a prefix."""
    return world.mint("webhook").removeprefix("webhook_")


def _poster(url: str) -> Endpoint:
    from razorpay_hardened.emulator._post import poster

    return poster(url, TIMEOUT_S)
