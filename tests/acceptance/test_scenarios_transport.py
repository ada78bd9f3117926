"""Scenarios B9: limits, faults of the server, paging, keys."""

from __future__ import annotations

import pytest

from support.stage import TRIO, Stage, scenario


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


@scenario("RH-132")
def test_key_is_regenerated() -> None:
    """The old key is unknown at once, the new one works, and Checkout is signed with the new secret."""
    stage = Stage()
    old_id, old_secret = stage.rz.key_id, stage.rz.key_secret
    order = stage.order()
    stage.rz.regenerate_key()
    from base64 import b64encode

    header = {"Authorization": "Basic " + b64encode(f"{old_id}:{old_secret}".encode()).decode()}
    error = stage.error("GET", f"/orders/{order}", status=401, headers=header)

    assert stage.rz.key_id != old_id
    assert stage.rz.key_secret != old_secret
    assert error["description"] == "The api key provided is invalid"
    assert stage.get(f"/orders/{order}")["id"] == order
    stage.rz.pay(order)
    assert stage.fired() == TRIO
