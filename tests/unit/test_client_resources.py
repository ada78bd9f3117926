"""What holds for every resource of the client."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from razorpay_hardened.client import Client
from razorpay_hardened.client.aio import AsyncClient
from razorpay_hardened.client.resources import NAMES, load


def methods(resource: type) -> dict[str, Any]:
    return {name: value for name, value in vars(resource).items() if not name.startswith("_")}


@pytest.mark.parametrize("name", NAMES)
def test_the_awaited_methods_are_the_same(name: str) -> None:
    """Same names, same parameters, same words; what differs is that they are awaited."""
    blocking, awaited = methods(load(name)), methods(load(name, awaited=True))

    assert list(blocking) == list(awaited)
    for method in blocking:
        one, other = blocking[method], awaited[method]
        assert inspect.signature(one).parameters == inspect.signature(other).parameters
        assert one.__doc__ == other.__doc__
        assert one.__doc__, f"{name}.{method} tells nothing"


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_every_resource_is_an_attribute_that_type_checkers_know(client: type) -> None:
    """Resources are made at the first use, so only annotations can tell."""
    assert {name for name in client.__annotations__ if not name.startswith("_")} == set(NAMES)
