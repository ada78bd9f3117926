"""One registered webhook: where to, signed with what, for which events, and whether it is switched on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from razorpay_hardened.errors import ConfigError

__all__ = ["LIMIT", "MAIN", "Endpoint", "Notice", "Webhook"]

Endpoint = Callable[[str, dict[str, str], bytes], "int | None"]
"""(method, headers, body) to an HTTP status; None where no answer came in time."""

MAIN = "main"
"""The webhook that is always there: it signs with the account's webhook secret."""

LIMIT = 30
"""URLs per account (FACTS section 10; older pages say 10)."""


class Webhook:
    """``url`` is None where a callable takes the deliveries; without an ``endpoint`` they wait.

    ``secret`` signs new events and may be replaced at any time: what is on its way keeps its signature. Empty means
    unsigned, as Razorpay allows; None means the account's. ``events`` None means all of them. ``id``, ``owner`` (an
    account) and the times (Unix seconds; ``disabled_at`` is 0 while it is on) are what the API says of it.
    """

    __slots__ = (
        "alert_email",
        "created_at",
        "disabled_at",
        "endpoint",
        "events",
        "id",
        "name",
        "owner",
        "secret",
        "updated_at",
        "url",
    )

    def __init__(
        self,
        name: str,
        *,
        url: str | None = None,
        endpoint: Endpoint | None = None,
        secret: str | None = None,
        events: Iterable[str] | None = None,
        alert_email: str = "alerts@example.com",
        webhook_id: str = "",
        owner: str = "",
        created_at: int = 0,
    ) -> None:
        if isinstance(events, str):
            raise ConfigError("events is a list of event names, such as ['order.paid']")
        self.name = name
        self.url = url
        self.endpoint = endpoint
        self.secret = secret
        self.events = None if events is None else frozenset(events)
        self.alert_email = alert_email
        self.id = webhook_id
        self.owner = owner
        self.created_at = self.updated_at = created_at
        self.disabled_at = 0

    def __repr__(self) -> str:
        return f"<Webhook {self.name} {'disabled' if self.disabled else 'active'}>"

    @property
    def disabled(self) -> bool:
        """Whether it is switched off."""
        return self.disabled_at != 0

    def wants(self, event: str) -> bool:
        """Whether this webhook is subscribed to the event."""
        return self.events is None or event in self.events


class Notice(NamedTuple):
    """The e-mail about a webhook that was switched off. That it is sent is published; its words are ours."""

    at: datetime
    webhook: str
    to: str
    subject: str
    text: str
