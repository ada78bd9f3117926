"""Which endpoint a call is for, who may call, and how an entity or a refusal becomes a reply."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from razorpay_hardened.emulator import _orders, _payments, _refunds
from razorpay_hardened.emulator.wire import Call, Entity, Reply, Request, envelope, json_reply, not_applicable, refusal
from razorpay_hardened.errors import ApiBadRequest

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["ROUTES", "Route", "answer", "match"]

Handler = Callable[["World", Call], Entity]


class Route(NamedTuple):
    """One endpoint. ``template`` is its path with ``:id`` for each id."""

    method: str
    template: str
    handler: Handler


ROUTES = (
    Route("POST", "/v1/orders", _orders.create),
    Route("GET", "/v1/orders", _orders.list_all),
    Route("GET", "/v1/orders/:id", _orders.fetch),
    Route("PATCH", "/v1/orders/:id", _orders.update),
    Route("GET", "/v1/orders/:id/payments", _orders.payments),
    Route("GET", "/v1/payments", _payments.list_all),
    Route("GET", "/v1/payments/:id", _payments.fetch),
    Route("PATCH", "/v1/payments/:id", _payments.update),
    Route("GET", "/v1/payments/:id/card", _payments.card),
    Route("POST", "/v1/payments/:id/capture", _payments.capture),
    Route("POST", "/v1/payments/:id/refund", _refunds.create),
    Route("GET", "/v1/payments/:id/refunds", _refunds.list_of_payment),
    Route("GET", "/v1/payments/:id/refunds/:id", _refunds.fetch_of_payment),
    Route("GET", "/v1/refunds", _refunds.list_all),
    Route("GET", "/v1/refunds/:id", _refunds.fetch),
    Route("PATCH", "/v1/refunds/:id", _refunds.update),
)
_ID = re.compile(r"[a-z]+_[0-9A-Za-z]{14}", re.ASCII)


def match(method: str, path: str) -> Route | None:
    """The endpoint for this call, if there is one. A trailing slash changes nothing."""
    parts = path.rstrip("/").split("/")
    for candidate in ROUTES:
        wanted = candidate.template.split("/")
        if (
            candidate.method == method
            and len(wanted) == len(parts)
            and all(w in (":id", p) for w, p in zip(wanted, parts, strict=True))
        ):
            return candidate
    return None


def answer(world: World, request: Request, endpoint: Route | None, as_of: int | None) -> Reply:
    """The account's own answer, without any fault."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        _authenticate(world, headers.get("authorization"))
        if endpoint is None:
            raise not_applicable("The requested URL was not found on the server.")
        call = Call(_ids(request.path, endpoint), parse_qs(request.query), _body(request), headers, as_of)
        return json_reply(endpoint.handler(world, call))
    except ApiBadRequest as refused:
        return envelope(refused)


def _authenticate(world: World, header: str | None) -> None:
    """HTTP Basic with the scheme spelt exactly so (FACTS section 1). All failures are 401, as most pages say."""
    if header is None or not header.startswith("Basic "):
        raise not_applicable("Authentication failed", 401)
    try:
        key, colon, secret = base64.b64decode(header[6:], validate=True).partition(b":")
    except ValueError:
        raise not_applicable("Authentication failed", 401) from None
    if not colon or not hmac.compare_digest(key, world.account.key_id.encode()):
        raise not_applicable("The api key provided is invalid", 401)
    if not hmac.compare_digest(secret, world.account.key_secret.encode()):
        raise not_applicable("The api secret provided is invalid", 401)


def _ids(path: str, endpoint: Route) -> tuple[str, ...]:
    pairs = zip(endpoint.template.split("/"), path.rstrip("/").split("/"), strict=True)
    ids = tuple(here for wanted, here in pairs if wanted == ":id")
    for one in ids:
        if not _ID.fullmatch(one):
            raise refusal(f"{one} is not a valid id")
    return ids


def _body(request: Request) -> Entity:
    if request.method == "GET" or not request.body:
        return {}
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise refusal("The request body is not valid JSON") from None  # text: not published
    if not isinstance(body, dict):  # the SDK's old refund(id, amount) sends a bare number (FACTS section 5)
        raise refusal("The request body must be an object")  # text: not published
    return body
