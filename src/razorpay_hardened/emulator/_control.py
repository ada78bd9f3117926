"""The control face, for other processes: pay, let time pass, break things, look. Never part of Razorpay's API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from razorpay_hardened.emulator import _dashboard, _html, _page
from razorpay_hardened.emulator._webhook import MAIN
from razorpay_hardened.emulator.wire import Entity, Reply, Request, envelope, json_reply
from razorpay_hardened.errors import ApiBadRequest, ConfigError, RazorpayHardenedError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.deliver import Attempt, Delivery, Webhook
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["PREFIX", "control", "state"]

PREFIX = "/_emulator/"


def control(emulator: Emulator, request: Request) -> Reply:
    """Answer one control call. Mistakes are 400 with ``{"error": {"code", "description"}}``."""
    name = request.path.removeprefix(PREFIX).strip("/")
    if name in ("", "dashboard") or name.startswith("dashboard/"):
        return _dashboard.dashboard(emulator, request)
    if request.method == "GET" and name == "checkout":
        return _page.order_page(emulator, request)
    if request.method == "GET" and name.startswith("static/"):
        return _html.static(name.removeprefix("static/"))
    if not name.startswith("checkout/") and _from_another_site(request):
        return _mistake("a page of another site may not use the controls", 403)
    reply = _answer(emulator, request, name)
    if name.startswith("checkout/"):  # asked by the script in the shop's page
        return reply._replace(headers={**reply.headers, **_page.CROSS_ORIGIN})
    return reply


def _from_another_site(request: Request) -> bool:
    """Whether a browser says so. Programs say nothing; a shop on another port of this machine is the same site."""
    return any(name.lower() == "sec-fetch-site" and value == "cross-site" for name, value in request.headers.items())


def _answer(emulator: Emulator, request: Request, name: str) -> Reply:
    handler = _handler(emulator, request.method, name)
    if handler is None:
        return _mistake(f"the emulator's controls are: {_known(emulator)}", 404)
    try:
        body = json.loads(request.body or b"{}")
        if not isinstance(body, dict):
            return _mistake("the body must be a JSON object")
        return json_reply(handler(emulator, body))
    except ApiBadRequest as refused:
        return envelope(refused)
    except (RazorpayHardenedError, TypeError, ValueError, KeyError) as mistake:
        return _mistake(f"{type(mistake).__name__}: {mistake}")


def _mistake(text: str, status: int = 400) -> Reply:
    return json_reply({"error": {"code": "EMULATOR", "description": text}}, status)


def _clock(emulator: Emulator, _: Entity) -> Entity:
    return {"now": emulator.clock.now().isoformat(), "unix": emulator.clock.unix()}


def _advance(emulator: Emulator, body: Entity) -> Entity:
    emulator.clock.advance(float(body["seconds"]))
    return _clock(emulator, body)


def _pay(emulator: Emulator, body: Entity) -> Entity:
    return emulator.pay(body.pop("order_id", None), **body)


def _form(emulator: Emulator, body: Entity) -> Entity:
    return dict(emulator.checkout_form(body["payment_id"]))


def _add_faults(emulator: Emulator, body: Entity) -> Entity:
    if body.get("clear"):
        emulator.faults.clear()
    if "add" in body:
        emulator.faults.add(str(body["add"]))
    return _list_faults(emulator, body)


def _list_faults(emulator: Emulator, _: Entity) -> Entity:
    return {"faults": [rule.text for rule in emulator.faults.rules]}


def _webhook_url(emulator: Emulator, body: Entity) -> Entity:
    url = body["url"]
    if url is None:
        emulator.deliver.to(None)
    else:
        emulator.deliver.to_url(str(url))
    return {"url": url}


def _webhooks(emulator: Emulator, _: Entity) -> Entity:
    return {"webhooks": [_webhook(one) for one in emulator.deliver.webhooks]}


def _webhook(hook: Webhook) -> Entity:
    """Everything but its secret."""
    return {
        "name": hook.name,
        "url": hook.url,
        "events": None if hook.events is None else sorted(hook.events),
        "secret_exists": hook.secret != "",
        "alert_email": hook.alert_email,
        "disabled": hook.disabled,
    }


def _register(emulator: Emulator, body: Entity) -> Entity:
    """The one answer that holds a secret: somebody has to learn the one that was made."""
    if not isinstance(body.get("url"), str):
        raise ConfigError("a webhook needs a url")
    hook = emulator.deliver.register(body.pop("url"), **body)
    return {**_webhook(hook), "secret": hook.secret}


def _enable(emulator: Emulator, body: Entity) -> Entity:
    emulator.deliver.enable(body.get("name", MAIN))
    return _webhooks(emulator, body)


def _disable(emulator: Emulator, body: Entity) -> Entity:
    emulator.deliver.disable(body.get("name", MAIN))
    return _webhooks(emulator, body)


def _replay(emulator: Emulator, body: Entity) -> Entity:
    emulator.deliver.replay(body.pop("event_id"), **body)
    return {"pending": [_delivery(one) for one in emulator.deliver.pending()]}


def _act(name: str) -> Callable[[Emulator, Entity], Entity]:
    """A method of the emulator, called with the body's fields; null where nothing came of it."""

    def run(emulator: Emulator, body: Entity) -> Entity:
        told = getattr(emulator, name)(**body)
        return dict(told) if told is not None else {"result": None}

    return run


def _deliver(emulator: Emulator, body: Entity) -> Entity:
    """What is due now; with ``{"flush": true}`` everything outstanding."""
    before = len(emulator.deliver.log)
    if body.get("flush"):
        emulator.deliver.flush()
    else:
        emulator.clock.advance(0)
    return {"attempts": [_attempt(one) for one in emulator.deliver.log[before:]]}


def _attempt(attempt: Attempt) -> Entity:
    return {**attempt._asdict(), "at": attempt.at.isoformat()}


def _delivery(delivery: Delivery) -> Entity:
    return {
        "event_id": delivery.event_id,
        "event": delivery.event,
        "copy": delivery.copy,
        "attempt": delivery.attempt,
        "due": delivery.due.isoformat(),
        "webhook": delivery.webhook,
        "damage": delivery.damage,
    }


def state(emulator: Emulator, _: Entity | None = None) -> dict[str, Any]:
    """The world's objects, its events, what waits and what was tried. No secret is among them."""
    world, deliver = emulator.world, emulator.deliver
    with world.lock:
        return {
            "seed": world.seed,
            "now": world.clock.unix(),
            "account_id": world.account.id,
            **{f"{kind}s": {key: dict(value) for key, value in table.items()} for kind, table in world.tables.items()},
            "events": [{"id": event.id, **json.loads(event.body)} for event in world.events],
            "pending": [_delivery(one) for one in deliver.pending()],
            "attempts": [_attempt(one) for one in deliver.log],
            "lost": [event.id for event in deliver.lost],
            "disabled": deliver.disabled,
            "webhooks": [_webhook(one) for one in deliver.webhooks],
            "notices": [{**one._asdict(), "at": one.at.isoformat()} for one in deliver.notices],
            "faults": [rule.text for rule in emulator.faults.rules],
        }


_ACTS = (
    *("begin", "finish", "bank_answers", "capture", "refund", "settle_refund"),
    *("settle", "settlement_arrives", "dispute", "decide_dispute", "downtime", "downtime_changes"),
    *("pay_link", "pay_invoice", "credit_qr", "credit_virtual_account", "collect_cash"),
    *("authenticate", "charge", "charges_fail", "change_card", "save_token", "token_becomes", "offer"),
)
"""Methods of the emulator that customers, banks and operators have; of some kinds, only where it knows them."""

_CONTROLS: dict[tuple[str, str], Callable[[Emulator, Entity], Entity]] = {
    ("GET", "state"): state,
    ("GET", "clock"): _clock,
    ("GET", "faults"): _list_faults,
    ("POST", "pay"): _pay,
    ("POST", "checkout_form"): _form,
    ("POST", "checkout/order"): _page.order_shown,
    ("POST", "checkout/instruments"): _page.instruments_shown,
    ("POST", "checkout/begin"): _page.begin_in_browser,
    ("POST", "checkout/finish"): _page.finish_in_browser,
    ("POST", "checkout/pay"): _page.pay_in_browser,
    ("POST", "clock/advance"): _advance,
    ("POST", "faults"): _add_faults,
    ("POST", "webhook_url"): _webhook_url,
    ("POST", "deliver"): _deliver,
    ("POST", "deliver/replay"): _replay,
    ("GET", "webhooks"): _webhooks,
    ("POST", "webhooks"): _register,
    ("POST", "webhooks/enable"): _enable,
    ("POST", "webhooks/disable"): _disable,
}


def _handler(emulator: Emulator, method: str, name: str) -> Callable[[Emulator, Entity], Entity] | None:
    if method == "POST" and name in _ACTS and hasattr(emulator, name):
        return _act(name)
    return _CONTROLS.get((method, name))


def _known(emulator: Emulator) -> str:
    acts = [("POST", name) for name in _ACTS if hasattr(emulator, name)]
    return ", ".join(f"{method} {PREFIX}{name}" for method, name in (*_CONTROLS, *acts))
