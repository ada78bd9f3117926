"""Which endpoint a call is for, who may call, and how an entity or a refusal becomes a reply."""

from __future__ import annotations

import base64
import hmac
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from razorpay_hardened.emulator import _multipart
from razorpay_hardened.emulator._catalogue import ROUTES
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator.wire import Call, Entity, Reply, Request, envelope, json_reply, not_applicable, refusal
from razorpay_hardened.errors import ApiBadRequest

if TYPE_CHECKING:
    from razorpay_hardened.emulator.world import World

__all__ = ["ROUTES", "Route", "answer", "match"]

_ID = re.compile(r"[a-z]+_[0-9A-Za-z]{14}", re.ASCII)
_ROUTE = ""  # the key in a node of the tree under which its routes stand; no segment of a path is empty

_Tree = dict[str, Any]


def _grow(routes: tuple[Route, ...]) -> _Tree:
    """The endpoints as a tree of path segments, with ``:`` for whatever is filled in."""
    root: _Tree = {}
    for route in routes:
        node = root
        for segment in _segments(route.template):
            node = node.setdefault(":" if segment.startswith(":") else segment, {})
        node.setdefault(_ROUTE, {})[route.method] = route
    return root


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


_TREE = _grow(ROUTES)


def match(method: str, path: str) -> Route | None:
    """The endpoint for this call, if there is one. A trailing slash changes nothing; words go before ids."""
    return _descend(_TREE, _segments(path), 0, method)


def _descend(node: _Tree, segments: list[str], depth: int, method: str) -> Route | None:
    if depth == len(segments):
        found: Route | None = node.get(_ROUTE, {}).get(method)
        return found
    for key in (segments[depth], ":"):
        if key and (below := node.get(key)) is not None:
            route = _descend(below, segments, depth + 1, method)
            if route is not None:
                return route
    return None


def answer(world: World, request: Request, endpoint: Route | None, as_of: int | None) -> Reply:
    """The account's own answer, without any fault."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if endpoint is None and not request.path.startswith(("/v1", "/v2")):
        # status and shape of this body are UNCONFIRMED (FACTS section 3)
        return json_reply({"message": "no Route matched with those values"}, 404)
    try:
        _authenticate(world, headers, public=endpoint is not None and endpoint.public)
        if endpoint is None:
            raise not_applicable("The requested URL was not found on the server.")
        query = parse_qs(request.query) if request.query else {}
        call = Call(_ids(request.path, endpoint), query, _body(request, headers), headers, as_of)
        told = endpoint.handler(world, call)
        return told if isinstance(told, Reply) else json_reply(told)
    except ApiBadRequest as refused:
        return envelope(refused)


def _authenticate(world: World, headers: dict[str, str], *, public: bool) -> None:
    """Basic with key or partner credentials, or an OAuth token as Bearer (FACTS section 1).

    The scheme is spelt exactly so. All failures are 401, as most pages say.
    """
    header = headers.get("authorization", "")
    account = world.account
    mine = [account.basic, *(basic for basic, until_ms in account.retired if world.clock.ms < until_ms)]
    if any(hmac.compare_digest(header.encode(), basic) for basic in mine):
        _acts_for(world, headers, needed=False)
        return
    if header.startswith("Bearer "):
        if not hmac.compare_digest(header[7:].encode(), account.access_token.encode()):
            raise not_applicable("Authentication failed", 401)
        return
    if not header.startswith("Basic "):
        raise not_applicable("Authentication failed", 401)
    try:
        key, colon, secret = base64.b64decode(header[6:], validate=True).partition(b":")
    except ValueError:
        raise not_applicable("Authentication failed", 401) from None
    if colon and hmac.compare_digest(key, account.partner_id.encode()):
        if not hmac.compare_digest(secret, account.partner_secret.encode()):
            raise not_applicable("The api secret provided is invalid", 401)
        _acts_for(world, headers, needed=True)
        return
    if not colon or not hmac.compare_digest(key, account.key_id.encode()):
        raise not_applicable("The api key provided is invalid", 401)
    if not (public and not secret) and not hmac.compare_digest(secret, account.key_secret.encode()):
        raise not_applicable("The api secret provided is invalid", 401)
    _acts_for(world, headers, needed=False)


def _acts_for(world: World, headers: dict[str, str], *, needed: bool) -> None:
    """``X-Razorpay-Account``: this account, or one that is linked to it. What a partner without it gets told, and
    the text for a foreign account, are not published."""
    wanted = headers.get("x-razorpay-account")
    if wanted is None:
        if needed:
            raise not_applicable("Authentication failed", 401)
    elif wanted != world.account.id and wanted not in world.table("account"):
        raise refusal("The id provided does not exist")


def _ids(path: str, endpoint: Route) -> tuple[str, ...]:
    ids = []
    for wanted, here in zip(_segments(endpoint.template), _segments(path), strict=True):
        if wanted == ":id" and not _ID.fullmatch(here):
            raise refusal(endpoint.bad_id.format(here))
        if wanted.startswith(":"):
            ids.append(here)
    return tuple(ids)


def _body(request: Request, headers: dict[str, str]) -> Entity:
    if request.method == "GET" or not request.body:
        return {}
    if headers.get("content-type", "").startswith("multipart/form-data"):
        return _multipart.fields(headers["content-type"], request.body)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise refusal("The request body is not valid JSON") from None  # text: not published
    if body is None:  # the SDK's delete calls send the word null where there is nothing to send
        return {}
    if not isinstance(body, dict):  # the SDK's old refund(id, amount) sends a bare number (FACTS section 5)
        raise refusal("The request body must be an object")  # text: not published
    return body
