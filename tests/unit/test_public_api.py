"""The public list: lazy, complete, typed, and what the documents say it is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import razorpay_hardened
from bodies import Shop, settings
from razorpay_hardened import Client, MemoryStore, Money, PlanCatalog, Razorpay
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ConfigError, PlanUnknown


def test_every_public_name_is_there() -> None:
    """And dir() tells them."""
    for name in razorpay_hardened.__all__:
        assert getattr(razorpay_hardened, name) is not None
    assert dir(razorpay_hardened) == sorted(razorpay_hardened.__all__)


def test_what_is_not_public_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        razorpay_hardened.Nothing  # noqa: B018


def test_importing_the_package_loads_none_of_what_it_stands_on() -> None:
    """Lazy: no pydantic, SDK, requests, tenacity, sqlite3 or extra before a name is used."""
    code = (
        "import sys, razorpay_hardened\n"
        "heavy = {'pydantic','razorpay','requests','urllib3','tenacity','sqlite3','typer','rich','logging'}\n"
        "heavy |= {'pydantic_settings','psycopg','limits','prometheus_client','opentelemetry','sentry_sdk','duckdb'}\n"
        "heavy |= {'aiohttp','asyncio','celery','kombu','dramatiq','rq','redis'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_verifying_a_signature_loads_no_model() -> None:
    """The signature-only path stays light."""
    code = (
        "import sys\n"
        "from razorpay_hardened import verify_webhook, sign_for_test\n"
        "verify_webhook(b'{}', sign_for_test(b'{}', 'secret'), secret='secret')\n"
        "print(sorted({'pydantic','razorpay','requests','logging','dataclasses'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wiring_opens_nothing() -> None:
    """Made at import time, before a fork, in a process that only sends mail."""
    rzp = Razorpay(settings())
    assert repr(rzp).startswith("<Razorpay test rzp_test_")
    with rzp:
        pass
    assert "client" not in rzp.__dict__


def test_from_env_reads_the_environment_and_arguments_win() -> None:
    """The store and the client that are given are used."""
    environ = {
        "RAZORPAY_KEY_ID": "rzp_test_1DP5mmOlF5G5ag",
        "RAZORPAY_KEY_SECRET": "thisisnotthekey-9f8e7d",
        "RAZORPAY_WEBHOOK_SECRET": "whsec-0123456789-abcdef",
    }
    store = MemoryStore()
    rzp = Razorpay.from_env(environ, store=store, plans={"gold": Money.inr(499)})
    assert rzp.store is store
    assert rzp.plans["gold"].amount == Money.inr(499)
    assert rzp.client is rzp.client
    rzp.close()
    catalogue = PlanCatalog()
    assert Razorpay.from_env(environ, store=store, plans=catalogue).plans is catalogue
    with pytest.raises(PlanUnknown):
        catalogue["gold"]


def test_a_typo_in_ack_is_told_at_start() -> None:
    """Not at the first delivery."""
    with pytest.raises(ConfigError):
        Razorpay(settings(), ack="effects")  # type: ignore[arg-type]


def test_rooms_are_made_once() -> None:
    """The same processor for every request."""
    ours = Shop(MemoryStore(), client=object())
    assert ours.rzp.webhooks is ours.rzp.webhooks
    assert ours.rzp.checkout is ours.rzp.checkout
    assert ours.rzp.reconciler is ours.rzp.reconciler


@pytest.mark.parametrize(("ack", "granted"), [("effect", 1), ("stored", 0)])
def test_repairs_leave_effects_to_a_worker_where_webhooks_do(ack: Any, granted: int) -> None:
    """One setting for both: with ack="stored" no handler runs in the reconciling process."""
    rz = Emulator(in_process=True)
    client = Client(rz.key_id, rz.key_secret, base_url="http://127.0.0.1:1", session=rz.session(), clock=rz.clock)
    rzp = Razorpay(settings(), store=MemoryStore(), client=client, clock=rz.clock, ack=ack)
    grants: list[str] = []
    rzp.on("order.paid", name="grant")(lambda change, tx: grants.append(change.key))
    rz.pay(rzp.checkout.start(owner="user:7", amount=Money.inr("499.00")).order_id)  # and no webhook comes
    rzp.reconciler.run(repair=True)
    assert len(grants) == granted
    rzp.webhooks.process_pending()
    assert len(grants) == 1
