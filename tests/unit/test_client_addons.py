"""Add-ons through the client; they are made by ``subscriptions.create_addon``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import FieldInvalid, IdMalformed
from support.billing import ADDON_ID, WINDOW, Case, addon, ids, refuses, rejects, tried

CASES = {
    "fetch": Case(
        lambda client: client.addons.fetch(ADDON_ID).money, f"GET /v1/addons/{ADDON_ID}", {}, addon(), Money(49900)
    ),
    "delete": Case(lambda client: client.addons.delete(ADDON_ID), f"DELETE /v1/addons/{ADDON_ID}", {}, [], None),
    "list": Case(
        lambda client: ids(client.addons.list(skip=20, **WINDOW)),
        "GET /v1/addons",
        {"from": 1_700_000_000, "to": 1_700_000_100, "count": 100, "skip": 20},
        collection(addon()),
        [ADDON_ID],
    ),
    "iter": Case(
        lambda client: ids(client.addons.iter()),
        "GET /v1/addons",
        {"count": 100, "skip": 0},
        collection(addon()),
        [ADDON_ID],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is an add-on."""
    tried(CASES[name])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.addons.fetch("item_00000000000001"), IdMalformed),
        (lambda client: client.addons.delete("ao_x/../y"), IdMalformed),
        (lambda client: client.addons.list(count=0), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """Ids and pages are checked first."""
    refuses(call, error)


def test_an_answer_about_something_else_is_an_error() -> None:
    """The add-on is the one that was asked for."""
    rejects(lambda client: client.addons.fetch(ADDON_ID), addon(id="ao_00000000000002"), "id")


def test_a_delete_in_doubt_is_looked_at() -> None:
    """Gone is done."""
    client, session, *_ = rig(requests.ReadTimeout, (400, refusal("The id provided does not exist.")))

    client.addons.delete(ADDON_ID)

    assert [sent.method for sent in session.sent] == ["DELETE", "GET"]
