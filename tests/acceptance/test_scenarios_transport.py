"""Scenarios B9: limits, faults of the server, paging, keys."""

from __future__ import annotations

from base64 import b64encode

import pytest

from razorpay_hardened.emulator import Reply
from support.stage import DAY_S, TRIO, Stage, hmac_hex, scenario


@scenario("RH-125")
def test_burst_is_throttled() -> None:
    """429 to the calls over the limit: nothing is done by them, and the next one passes."""
    stage = Stage()
    stage.rz.faults.add("on * *: 429 3 times")
    body = {"amount": 50_000, "currency": "INR"}
    replies = [stage.rz.request("POST", "/v1/orders", body) for _ in range(4)]

    assert [reply.status for reply in replies] == [429, 429, 429, 200]
    assert "Retry-After" not in replies[0].headers
    assert stage.get("/orders")["count"] == 1


@pytest.mark.parametrize("fault", ["500", "502", "503", "504"])
@pytest.mark.parametrize("done", [False, True])
@scenario("RH-126")
def test_server_fails_before_or_after(fault: str, done: bool) -> None:
    """The same status, and the order exists or does not: only a fetch can tell."""
    stage = Stage()
    stage.rz.faults.add(f"on POST /orders: {'do_then_' if done else ''}{fault} once")
    reply = stage.rz.request("POST", "/v1/orders", {"amount": 50_000, "currency": "INR", "receipt": "r-1"})

    assert reply.status == int(fault)
    if fault == "500":
        assert reply.json()["error"]["code"] == "SERVER_ERROR"
    else:
        assert reply.body.startswith(b"<html>")
    assert stage.get("/orders", receipt="r-1")["count"] == int(done)


@scenario("RH-127")
def test_rows_shift_between_pages() -> None:
    """A hundred at most; a new row between two pages moves the old ones, so that one is seen twice and none missed."""
    stage = Stage()
    orders = [stage.order() for _ in range(130)]
    first = stage.get("/orders", count=100)["items"]
    orders.append(stage.order())
    second = stage.get("/orders", count=100, skip=100)["items"]
    seen = [order["id"] for order in first + second]

    assert (len(first), len(second)) == (100, 31)
    assert first[-1]["id"] == second[0]["id"]
    assert set(seen) == set(orders[:-1])
    assert stage.error("GET", "/orders", query={"count": 101})["field"] == "count"


@scenario("RH-128")
def test_expand_is_unknown() -> None:
    """The refusal lists what can be expanded."""
    error = Stage().error("GET", "/payments", query={"expand[]": "nope"})
    known = "card, emi, transaction, refunds, offers, token, transaction.settlement"
    assert error["description"] == f"Value of each expand must be one of following types: {known}"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/payments/create/recurring/now"), ("GET", "/payments/pay_00000000000000/refund"), ("POST", "/nowhere")],
)
@scenario("RH-129")
def test_wrong_url(method: str, path: str) -> None:
    """A POST endpoint asked by GET, and a path that is not there."""
    error = Stage().error(method, path)
    assert (error["code"], error["description"]) == (
        "BAD_REQUEST_ERROR",
        "The requested URL was not found on the server.",
    )


@scenario("RH-130")
def test_id_of_another_mode() -> None:
    """What the test key made does not exist for the live one."""
    test, live = Stage(seed=1), Stage(seed=2)
    order, payment = test.order(), test.captured()

    for path in (f"/orders/{order}", f"/payments/{payment}"):
        assert live.error("GET", path)["description"] == "The id provided does not exist"
        assert test.get(path)["id"] in path


def _asked_with(stage: Stage, key_id: str, secret: str) -> Reply:
    header = {"Authorization": "Basic " + b64encode(f"{key_id}:{secret}".encode()).decode()}
    return stage.rz.request("GET", "/v1/orders", headers=header)


@scenario("RH-131", "RH-132")
def test_key_is_regenerated() -> None:
    """The old pair works for a day where the account was told so, and dies at once where it was not."""
    stage = Stage()
    first = stage.rz.key_id, stage.rz.key_secret
    order = stage.order()
    payment = stage.rz.pay(order)["id"]
    signed_before = stage.rz.checkout_form(payment)["razorpay_signature"]
    stage.rz.regenerate_key(old_lives_s=DAY_S)
    second = stage.rz.key_id, stage.rz.key_secret
    stage.rz.clock.advance(DAY_S - 1)

    assert _asked_with(stage, *first).status == _asked_with(stage, *second).status == 200
    assert signed_before == hmac_hex(f"{order}|{payment}", first[1])
    assert stage.rz.checkout_form(payment)["razorpay_signature"] == hmac_hex(f"{order}|{payment}", second[1])
    stage.rz.clock.advance(1)
    dead = _asked_with(stage, *first)
    assert (dead.status, dead.json()["error"]["description"]) == (401, "The api key provided is invalid")
    stage.rz.regenerate_key()
    assert _asked_with(stage, *second).status == 401
    assert stage.get(f"/orders/{order}")["status"] == "paid"
    assert stage.fired() == TRIO


@scenario("RH-135")
def test_fields_and_statuses_to_come() -> None:
    """A field and a status that nobody knows yet are answered, and told, like all others."""
    stage = Stage()
    order = stage.order()
    entity = stage.rz.world.orders[order]
    entity.update(mood="sunny", status="on_ice")
    stage.rz.world.save(entity)
    stage.rz.send_event({"event": "order.iced", "contains": ["order"], "payload": {"order": {"entity": entity}}})
    hook = stage.hook()
    stage.rz.clock.advance(1)
    found = stage.get(f"/orders/{order}")

    assert (found["mood"], found["status"], found["amount"]) == ("sunny", "on_ice", 50_000)
    assert hook.names == ["order.iced"]
    assert b'"status":"on_ice"' in hook.got[0][1]
