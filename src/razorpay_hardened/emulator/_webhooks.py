"""Webhooks by API: what a merchant registers under ``/v1/webhooks``, and a partner for an account (FACTS section 10).

The partners' page is the documented one. That of merchants is known from the official WooCommerce plugin, which sends
and reads ``events`` as an object of names; both shapes are taken at both. What is registered here is delivered to like
what :meth:`Deliverer.register` makes, and the other way round: what that made with a URL is listed here. There is one
ledger, so a linked account's webhook gets every event that it asks for. The texts of refusals are not published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from razorpay_hardened.emulator import _checks
from razorpay_hardened.emulator._accounts import linked
from razorpay_hardened.emulator._listing import collection, page
from razorpay_hardened.emulator._route import EventKind, Route
from razorpay_hardened.emulator._webhook import MAIN, Webhook
from razorpay_hardened.emulator.wire import Call, Entity, not_applicable, refusal
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.deliver import Deliverer
    from razorpay_hardened.emulator.world import World

__all__ = ["EVENTS", "ROUTES"]

_FIELDS = {"url", "alert_email", "secret", "events", "active"}
_URL_MAX, _SECRET_MAX, _EMAIL_MAX = 255, 255, 255
_NAME = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)+", re.ASCII)
_SERVICE = "beta-api-test"  # that of samples in test mode


def create(world: World, call: Call) -> Entity:
    """``POST /v1/webhooks`` and ``POST /v2/accounts/:id/webhooks``. Without ``events`` it is for all of them."""
    owner, deliverer, body = _owner(world, call), _deliverer(world), call.body
    _checks.known_fields(body, _FIELDS)
    url = _url(body)
    secret = _checks.text_in(body, "secret", _SECRET_MAX) or ""
    events, email = _events(body), _checks.text_in(body, "alert_email", _EMAIL_MAX)
    active = _checks.flag_in(body, "active", default=True)
    try:
        hook = deliverer.register(
            url, secret=secret, events=events, owner=owner, **({} if email is None else {"alert_email": email})
        )
    except ConfigError as error:  # the limit of an account, or no URL at all
        raise refusal(str(error), field="url") from None
    if not active:
        deliverer.disable(hook.name)
    return _shown(call, hook)


def _deliverer(world: World) -> Deliverer:
    if world.deliverer is None:  # a world by itself has no way out
        raise not_applicable("The requested URL was not found on the server.")
    return world.deliverer


def _owner(world: World, call: Call) -> str:
    """Whose webhooks: this account's, or those of the one in the path, where the account may name itself too."""
    account_id = call.ids[0] if _of_partner(call) else world.account.id
    return account_id if account_id == world.account.id else str(linked(world, account_id)["id"])


def _of_partner(call: Call) -> bool:
    return bool(call.ids) and call.ids[0].startswith("acc_")


def _url(body: Entity) -> str:
    return _checks.text_in(body, "url", _URL_MAX, needed=True) or ""


def _events(body: Entity) -> list[str] | None:
    """The names that are asked for; None where nothing is said. An object names those whose value is true."""
    said = body.get("events")
    if said is None:
        return None
    names = [name for name in said if _checks.flag_in(said, name)] if isinstance(said, dict) else said
    if not isinstance(names, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise refusal("The selected events is invalid", field="events")
    return names


def _shown(call: Call, hook: Webhook) -> Entity:
    names: Iterable[str] = _every_event() if hook.events is None else sorted(hook.events)
    return {
        "id": hook.id,
        "created_at": hook.created_at,
        "updated_at": hook.updated_at,
        "service": _SERVICE,
        "owner_id": hook.owner.removeprefix("acc_"),
        "owner_type": "merchant",
        "context": [],
        "disabled_at": hook.disabled_at,
        "url": hook.url,
        "alert_email": hook.alert_email,
        "secret_exists": hook.secret != "",
        "entity": "webhook",
        "active": not hook.disabled,
        "events": list(names) if _of_partner(call) else dict.fromkeys(names, True),
    }


def _every_event() -> list[str]:
    from razorpay_hardened.emulator._catalogue import EVENTS as ALL  # which collects this module too

    return [event.name for event in ALL]


def list_all(world: World, call: Call) -> Entity:
    """``GET /v1/webhooks`` and ``GET /v2/accounts/:id/webhooks``, newest first."""
    owner = _owner(world, call)
    mine = [_shown(call, hook) for hook in reversed(_hooks(world)) if hook.owner == owner]
    return collection(page(mine, call.query))


def _hooks(world: World) -> list[Webhook]:
    return [hook for hook in _deliverer(world).webhooks if hook.url is not None]


def _find(world: World, call: Call) -> Webhook:
    owner, wanted = _owner(world, call), call.ids[-1]
    hook = next((one for one in _hooks(world) if (one.id, one.owner) == (wanted, owner)), None)
    if hook is None:
        raise refusal("The id provided does not exist")
    return hook


def fetch(world: World, call: Call) -> Entity:
    """``GET /v1/webhooks/:webhook`` and ``GET /v2/accounts/:id/webhooks/:webhook``."""
    return _shown(call, _find(world, call))


def update(world: World, call: Call) -> Entity:
    """``PUT /v1/webhooks/:webhook`` and ``PATCH /v2/accounts/:id/webhooks/:webhook``: what is named changes.

    What is on its way keeps its signature. ``active`` switches a webhook on that had been disabled, or off.
    """
    hook, deliverer, body = _find(world, call), _deliverer(world), call.body
    _checks.known_fields(body, _FIELDS)
    url = _url(body) if "url" in body else None
    events, email = _events(body), _checks.text_in(body, "alert_email", _EMAIL_MAX)
    secret = _checks.text_in(body, "secret", _SECRET_MAX)
    active = _checks.flag_in(body, "active", default=not hook.disabled)
    if url is not None and url != hook.url:
        try:
            deliverer.redirect(hook.name, url)
        except ConfigError as error:
            raise refusal(str(error), field="url") from None
    if events is not None:
        hook.events = frozenset(events)
    if email is not None:
        hook.alert_email = email
    if secret is not None:
        _sign_with(world, hook, secret)
    if active != (not hook.disabled):
        (deliverer.enable if active else deliverer.disable)(hook.name)
    hook.updated_at = world.clock.unix()
    return _shown(call, hook)


def _sign_with(world: World, hook: Webhook, secret: str) -> None:
    if hook.name == MAIN:  # whose secret is the account's
        world.account.webhook_secret = secret
    else:
        hook.secret = secret


def delete(world: World, call: Call) -> list[object]:
    """``DELETE /v2/accounts/:id/webhooks/:webhook``, with what was on its way to it."""
    _deliverer(world).unregister(_find(world, call).name)
    return []


ROUTES = (
    Route("POST", "/v1/webhooks", create),
    Route("GET", "/v1/webhooks", list_all),
    Route("GET", "/v1/webhooks/:webhook", fetch),
    Route("PUT", "/v1/webhooks/:webhook", update),
    Route("POST", "/v2/accounts/:id/webhooks", create),
    Route("GET", "/v2/accounts/:id/webhooks", list_all),
    Route("GET", "/v2/accounts/:id/webhooks/:webhook", fetch),
    Route("PATCH", "/v2/accounts/:id/webhooks/:webhook", update),
    Route("DELETE", "/v2/accounts/:id/webhooks/:webhook", delete),
)
EVENTS: tuple[EventKind, ...] = ()
