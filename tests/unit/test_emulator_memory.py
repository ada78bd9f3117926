"""A world that forgets stays small: nothing that it holds grows with the payments that it has seen."""

from __future__ import annotations

import pytest

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ApiBadRequest
from support.emulator_api import DAY_S, Api
from support.emulator_life import Life, census

DAYS, A_DAY = 20, 8
SMALL = 10  # less than one a day: what a container may gain without having to explain itself

DATED = {"rz.clock._inside": 3 * DAYS}  # a link is looked at again after six months, gone or not


def peaks(life: Life) -> dict[str, int]:
    """Twenty days, and the most that each container held on an evening of the last ten: what swings, such as a webhook
    that is switched off and on, has swung by then."""
    found: dict[str, int] = {}
    for day in range(DAYS):
        life.day(A_DAY)
        if day >= DAYS // 2:
            for name, held in census(life.rz).items():
                found[name] = max(held, found.get(name, 0))
    return found


@pytest.mark.slow
def test_no_container_grows_with_the_payments_it_has_seen() -> None:
    """Whatever can be reached from the emulator holds as much after forty days as after twenty, give or take a day."""
    life = Life()
    first, second = (peaks(life) for _ in range(2))
    grown = {
        name: (before, second[name])
        for name, before in first.items()
        if second.get(name, 0) > before * 1.3 + DATED.get(name, SMALL)
    }

    assert grown == {}
    assert first["rz.world.versions"] > 0
    assert len(first) > 40  # the census went through tables, books, clock, deliveries and faults
    assert {name for name in second if name not in first} == set()


def world() -> Api:
    return Api(Emulator(in_process=True, options=Options(forget_after_s=5 * DAY_S)))


def test_a_retry_is_not_forgotten_while_it_goes_on() -> None:
    """``once each`` fires once for an order, although the world forgets between its first try and the second."""
    api = world()
    (rule,) = api.rz.faults.add("on POST /orders: 502 once each")
    body = {"amount": 5000, "currency": "INR", "receipt": "r-1"}

    assert api.rz.request("POST", "/v1/orders", body).status == 502
    api.rz.faults.forget()
    assert api.rz.request("POST", "/v1/orders", body).status == 200
    for _ in range(2):
        api.rz.faults.forget()
    assert sum(rule.fired.values()) == 1  # what it did is still counted, only not to whom
    assert api.rz.request("POST", "/v1/orders", body).status == 502


def test_events_that_nobody_takes_are_given_up() -> None:
    """Without an endpoint they wait as long as they are remembered; at one that is reached they are tried as ever."""
    api = world()
    api.paid()
    api.rz.clock.advance(4 * DAY_S)
    assert len(api.rz.deliver.pending()) >= 3
    api.rz.clock.advance(4 * DAY_S)

    assert api.rz.deliver.pending() == []


def test_an_order_stays_with_its_open_link_and_goes_with_a_closed_one() -> None:
    """A link that can still be paid keeps its order; one that ended leaves an order that nobody is told of."""
    api = world()
    body = {"amount": 30_000, "currency": "INR", "accept_partial": True}
    link, gone = (api.post("/payment_links", body)["id"] for _ in range(2))
    for one in (link, gone):
        api.rz.pay_link(one, amount=10_000, outcome="failed")
    api.post(f"/payment_links/{gone}/cancel")
    api.rz.clock.advance(20 * DAY_S)

    assert len(api.rz.world.orders) == 1
    assert api.rz.pay_link(link, amount=10_000)["status"] == "captured"
    assert api.get(f"/payment_links/{link}")["status"] == "partially_paid"


def test_a_payment_that_nobody_finished_cannot_be_finished_later() -> None:
    """The bank's page of a forgotten payment is no more."""
    api = world()
    order = api.post("/orders", {"amount": 5000, "currency": "INR"})["id"]
    payment = api.rz.begin(order, "card")["id"]
    api.rz.clock.advance(20 * DAY_S)

    with pytest.raises(ApiBadRequest, match="does not wait"):
        api.rz.finish(payment)
