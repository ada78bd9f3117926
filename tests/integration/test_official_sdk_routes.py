"""Every method of the official SDK has an endpoint of the emulator behind it."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
import razorpay
from razorpay.resources.base import Resource

from razorpay_hardened.emulator._router import match

WORDS = {"medium": "sms", "product_name": "payments", "token_iin": "410028", "amount": 100, "device_mode": "wired"}


class Recorder:
    """In the place of a session: remembers what was asked, and says yes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __getattr__(self, verb: str) -> Any:
        def call(url: str, **_: object) -> object:
            self.asked.append((verb.upper(), url))
            return SimpleNamespace(status_code=200, json=dict, headers={}, text="{}")

        return call


def argument(name: str) -> Any:
    if name == "data":
        return {}
    return WORDS.get(name, "acc_29QQoUBi66xm2f" if name == "account_id" else "pay_29QQoUBi66xm2f")


@pytest.mark.filterwarnings("ignore:Will be Deprecated")
def test_every_method_leads_to_an_endpoint() -> None:
    """Each is called with whatever it takes; the path that it then asks for is one that the emulator answers."""
    recorder = Recorder()
    sdk: Any = razorpay
    client = sdk.Client(session=recorder, auth=("rzp_test_x", "secret"), base_url="")
    called, nowhere = 0, set()
    resources = {name: one for name, one in vars(client).items() if isinstance(one, Resource)}
    for name, resource in resources.items():
        for method, function in inspect.getmembers(type(resource), inspect.isfunction):
            if method.startswith("_") or method not in vars(type(resource)):
                continue
            parameters = inspect.signature(function).parameters.values()
            wanted = [one.name for one in parameters if one.kind != one.VAR_KEYWORD]
            getattr(resource, method)(*map(argument, wanted[1:]))
            called += 1
            if match(*recorder.asked[-1]) is None:
                nowhere.add(f"{name}.{method}")

    assert called > 140
    assert nowhere == set()
