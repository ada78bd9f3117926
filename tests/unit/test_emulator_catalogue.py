"""The emulator's endpoints and events: found by path, named once, and all of them happen."""

from __future__ import annotations

import pytest

from razorpay_hardened.emulator import Emulator
from razorpay_hardened.emulator._catalogue import EVENTS, ROUTES
from razorpay_hardened.emulator._router import match
from support.emulator_tour import Tour


@pytest.fixture(scope="module")
def tour() -> Tour:
    return Tour()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_every_endpoint_is_found_by_its_path(route: object) -> None:
    """A path with ids in place of ``:id`` leads to its own endpoint: words go before ids."""
    method, template = route.method, route.template  # type: ignore[attr-defined]
    path = template.replace(":id", "pay_29QQoUBi66xm2f").replace(":medium", "sms")

    assert match(method, path) is route
    assert match(method, path + "/") is route
    assert match("BREW", path) is None


def test_no_endpoint_is_there_twice() -> None:
    """Method and path name one endpoint."""
    named = [(route.method, route.template) for route in ROUTES]
    assert len(named) == len(set(named))


def test_every_event_happens_and_carries_what_it_says(tour: Tour) -> None:
    """The tour sees each event in the catalogue and no other, and ``contains`` is one of those listed, and true."""
    contains = {event.name: event.contains for event in EVENTS}

    assert {name for name, _ in tour.events} == set(contains)
    for name, body in tour.events:
        assert tuple(body["contains"]) in contains[name]
        assert list(body["payload"]) == body["contains"]


def test_same_seed_same_calls_same_world(tour: Tour) -> None:
    """The same life told twice gives the same bytes, ids and amounts; another seed gives other ids."""

    def told(one: Tour) -> list[bytes]:
        return [event.body for event in one.rz.world.events]

    again, other = Tour(), Tour(8)
    assert told(again) == told(tour)
    assert again.rz.world.tables == tour.rz.world.tables
    assert list(again.rz.world.books.rows()) == list(tour.rz.world.books.rows())
    assert not set(other.rz.world.payments) & set(tour.rz.world.payments)


def test_ids_have_fourteen_characters_after_their_prefix(tour: Tour) -> None:
    """Every id in every table has the published form."""
    for table in tour.rz.world.tables.values():
        for entity_id in table:
            assert len(entity_id.rpartition("_")[2]) == 14


def test_an_unrouted_path_is_the_gateways_answer() -> None:
    """Outside ``/v1`` and ``/v2`` a gateway answers, not the API."""
    reply = Emulator(in_process=True).request("GET", "/orders")

    assert reply.status == 404
    assert reply.json() == {"message": "no Route matched with those values"}
