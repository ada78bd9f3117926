"""The example project on Django, as a developer copies it, against an emulated Razorpay.

Settings can be given once per process, so each test runs in a process of its own: ``python -W error`` this file, with
the name of the test. What the child asserts is what the test asserts.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened import SystemClock, sign_for_test
from razorpay_hardened.emulator import Emulator

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDER = EXAMPLES / "django"
HOOK = "/razorpay/webhook"
SCENARIOS: dict[str, Callable[[Site], None]] = {}


class Site:
    """The example with an emulated Razorpay behind it and one customer's browser in front. Only in the child."""

    def __init__(self, rz: Emulator) -> None:
        import django

        django.setup()
        from django.core.management import call_command
        from django.test import Client
        from django.test.utils import setup_test_environment

        setup_test_environment()  # mail goes to an outbox, and the client may call itself "testserver"
        call_command("migrate", verbosity=0)
        from payments.models import Access
        from payments.rzp import rzp

        self.access = Access.objects
        self.rzp = rzp
        self.rz = rz
        self.client = partial(Client, enforce_csrf_checks=True)
        self.browser = self.client()
        self.statuses: list[int] = []
        rz.deliver.to(self.deliver)

    def deliver(self, method: str, headers: dict[str, str], body: bytes) -> int:
        """What the emulator does with a webhook: another client than the customer's, without cookies."""
        assert method == "POST"
        answer = self.client().post(HOOK, body, content_type="application/json", headers=headers)
        self.statuses.append(answer.status_code)
        return int(answer.status_code)

    def press_buy(self, plan: str = "gold-monthly", key: str = "cart-1", **more: str) -> Any:
        """Press "Buy" on the list of plans."""
        page = self.browser.get("/").content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        form = {"plan": plan, "key": key, "csrfmiddlewaretoken": token[1], **more}
        return self.browser.post("/buy", form)

    def buy(self, **choice: str) -> str:
        """The id of an order that Checkout has been given."""
        page = self.press_buy(**choice)
        assert page.status_code == 200, page.content
        found = re.search(r'id="options"[^>]*>(.*?)</script>', page.content.decode())
        assert found is not None
        return str(json.loads(found[1])["order_id"])

    def pay(self, order_id: str, **wishes: Any) -> dict[str, str]:
        """Pay in Checkout; gives the form that comes back."""
        return self.rz.checkout_form(self.rz.pay(order_id, **wishes)["id"])

    def plans(self) -> list[str]:
        """The plan of everything that was granted."""
        return [row.plan for row in self.access.all()]

    def run(self, *words: str) -> tuple[str, str | None]:
        """A command, as ``manage.py`` runs it: what it printed, and its complaint."""
        from django.core.management import CommandError, call_command

        told = StringIO()
        try:
            call_command(*words, stdout=told)
        except CommandError as error:
            return told.getvalue(), str(error)
        return told.getvalue(), None


def in_its_own_process(scenario: Callable[[Site], None]) -> Callable[[Path], None]:
    """A test that runs ``scenario`` in a fresh interpreter, where every warning is an error."""
    SCENARIOS[scenario.__name__] = scenario

    def test(tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-W", "error", __file__, scenario.__name__, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{scenario.__name__}: passed" in done.stdout

    test.__name__ = scenario.__name__
    test.__doc__ = inspect.getdoc(scenario)
    return test


def heading(page: Any) -> str:
    """What the page says, in its own words."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.content.decode())
    assert found is not None, page.content
    return unescape(found[1])


@in_its_own_process
def test_bought_paid_and_granted_once(site: Site) -> None:
    """Webhooks, each of them twice, and the browser's return twice: one grant, one mail, one line on the page."""
    from django.core import mail

    form = site.pay(site.buy())
    site.rz.deliver.flush()
    for event in site.rz.world.events:
        site.rz.deliver.replay(event.id)
    site.rz.deliver.flush()
    for _ in range(2):
        page = site.browser.post("/confirm", form)
        assert (page.status_code, heading(page)) == (200, "Thank you, it is yours")

    assert site.statuses == [200] * 2 * len(site.rz.world.events)
    assert site.plans() == ["gold-monthly"]
    assert [message.subject for message in mail.outbox] == ["Sold: gold-monthly"]
    assert "You have: Gold, one month" in site.browser.get("/").content.decode()


@in_its_own_process
def test_the_browser_may_be_first(site: Site) -> None:
    """The grant is there when the page is shown; cron sends the mail, once."""
    from django.core import mail

    page = site.browser.post("/confirm", site.pay(site.buy()))
    assert (page.status_code, heading(page)) == (200, "Thank you, it is yours")
    assert site.plans() == ["gold-monthly"]
    for _ in range(2):
        told, complaint = site.run("process_payments", "--limit", "10")
        assert (bool(told), complaint) == (True, None)
    assert len(mail.outbox) == 1
    (held,) = site.rzp.store.orders(limit=2)
    assert heading(site.browser.get(f"/orders/{held.local_id}")) == "Thank you, it is yours"

    site.rz.deliver.flush()
    assert set(site.statuses) == {200}
    assert site.plans() == ["gold-monthly"]


@in_its_own_process
def test_a_forged_webhook(site: Site) -> None:
    """Without the secret, or about other bytes: 401, nothing is granted, nothing is kept. Too large: not even read."""
    site.pay(site.buy())
    paid = next(event for event in site.rz.world.events if event.name == "order.paid")
    right = sign_for_test(paid.body, site.rz.webhook_secret)
    for body, signature in (
        (paid.body, None),
        (paid.body, sign_for_test(paid.body, "not-the-webhook-secret")),
        (paid.body + b" ", right),
    ):
        headers = {} if signature is None else {"X-Razorpay-Signature": signature}
        answer = site.client().post(HOOK, body, content_type="application/json", headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")
    assert site.client().get(HOOK).status_code == 405
    large = b"x" * ((1 << 20) + 1)
    assert site.client().post(HOOK, large, content_type="application/json").status_code == 400

    assert list(site.rzp.store.deliveries(limit=10)) == []
    assert site.plans() == []


@in_its_own_process
def test_a_tampered_form(site: Site) -> None:
    """Another payment, another order, another customer's order: refused in words that tell nothing, nothing granted."""
    cheap = site.pay(site.buy(key="one"))
    dear = site.buy(plan="gold-yearly", key="two")
    stranger = site.client()
    stranger.get("/")
    for browser, form, status in (
        (site.browser, {**cheap, "razorpay_order_id": dear}, 400),
        (site.browser, {**cheap, "razorpay_signature": "0" * 64}, 400),
        (site.browser, {**cheap, "razorpay_order_id": "order_AAAAAAAAAAAAAA"}, 404),
        (site.browser, {name: cheap[name] for name in list(cheap)[:2]}, 400),
        (stranger, cheap, 403),
    ):
        page = browser.post("/confirm", form)
        assert (page.status_code, heading(page)) == (status, "That did not work")
        assert b"ignature" not in page.content
    for held in site.rzp.store.orders(limit=5):
        assert stranger.get(f"/orders/{held.local_id}").status_code == 404

    site.run("process_payments")
    assert site.plans() == []


@in_its_own_process
def test_a_payment_that_is_only_authorised(site: Site) -> None:
    """Money that may still go back to the customer buys nothing."""
    page = site.browser.post("/confirm", site.pay(site.buy(), outcome="authorized"))
    site.rz.deliver.flush()

    assert (page.status_code, heading(page)) == (200, "Not settled yet")
    assert site.statuses == [200]
    assert site.plans() == []


@in_its_own_process
def test_buying(site: Site) -> None:
    """A double click is one order at our price; other sites cannot press "Buy"; pages load Checkout and no more."""
    first = site.buy()
    again = site.press_buy(amount="100")
    policy = again.headers["Content-Security-Policy"]

    assert first in again.content.decode()
    assert [order["amount"] for order in site.rz.world.orders.values()] == [49900]
    assert site.rz.key_secret not in again.content.decode()
    assert f'src="{site.rz.url}/v1/checkout.js"' in again.content.decode()
    assert site.rz.url in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert site.browser.post("/buy", {"plan": "gold-monthly", "key": "x"}).status_code == 403
    assert site.press_buy(plan="gold-free", key="x").status_code == 404
    site.rz.faults.add("on POST /orders: 503")
    assert site.press_buy(key="other").status_code == 503


@in_its_own_process
def test_a_post_from_checkouts_own_site(site: Site) -> None:
    """Where the browser leaves the session's cookie at home, our page posts the same fields again, with it."""
    form = {**site.pay(site.buy()), "more": '"><script>'}
    page = site.client().post("/confirm", form).content.decode()
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
    assert fields == form

    answer = site.browser.post("/confirm?again=1", fields)
    assert (answer.status_code, answer.context["outcome"]) == (200, "paid")
    assert site.client().post("/confirm?again=1", form).status_code == 403


@in_its_own_process
def test_a_lost_webhook_is_found_and_repaired(site: Site) -> None:
    """``reconcile_payments`` alarms, ``--repair`` grants, and then both sides agree."""
    site.pay(site.buy())
    told, complaint = site.run("reconcile_payments", "--limit", "500")
    assert told.count("open: ") == int(str(complaint).split()[0]) > 0
    assert site.plans() == []
    told, complaint = site.run("reconcile_payments", "--limit", "500", "--repair")
    assert ("repaired: " in told, complaint) == (True, None)
    assert site.plans() == ["gold-monthly"]

    assert site.run("reconcile_payments", "--limit", "500") == ("", None)
    site.rz.deliver.flush()
    assert set(site.statuses) == {200}
    assert site.plans() == ["gold-monthly"]


@in_its_own_process
def test_a_grant_that_fails_is_tried_again(site: Site) -> None:
    """Its half-done work is undone and the payment stays on record; the redelivery grants, once."""
    from unittest.mock import patch

    from payments import handlers

    create = site.access.create

    def half(**values: Any) -> None:
        create(**values)
        raise OSError("the disk is full")

    site.pay(site.buy())
    with patch.object(handlers.Access.objects, "create", side_effect=half):
        site.rz.deliver.flush()
    assert 500 in site.statuses
    assert site.plans() == []
    (waiting,) = site.rzp.store.effects(states=("waiting",), limit=5)
    assert waiting.handler == "grant-access"
    assert site.rzp.store.payments()[0].captured
    for event in site.rz.world.events:
        site.rz.deliver.replay(event.id)
    site.rz.deliver.flush()
    assert site.statuses[-1] == 200
    assert site.plans() == ["gold-monthly"]


@in_its_own_process
def test_what_django_rolls_back_never_happened(site: Site) -> None:
    """D11: ATOMIC_REQUESTS around the webhook, and an error after our answer: the redelivery does all of it, once."""
    from django.core import mail
    from django.db import transaction

    site.pay(site.buy())
    paid = next(event for event in site.rz.world.events if event.name == "order.paid")
    headers = {"X-Razorpay-Signature": sign_for_test(paid.body, site.rz.webhook_secret)}
    for _ in range(2):
        try:
            with transaction.atomic():
                answer = site.client().post(HOOK, paid.body, content_type="application/json", headers=headers)
                assert (answer.status_code, site.plans()) == (200, ["gold-monthly"])
                raise OSError("a middleware of the application's own")
        except OSError:
            pass
        assert (site.plans(), mail.outbox, list(site.rzp.store.deliveries(limit=9))) == ([], [], [])
    site.rz.deliver.flush()
    assert set(site.statuses) == {200}
    assert (site.plans(), len(mail.outbox)) == (["gold-monthly"], 1)


@in_its_own_process
def test_an_order_is_committed_before_razorpay_hears_of_it(site: Site) -> None:
    """Inside a transaction of the application's, buying is refused: no order at Razorpay without its row here."""
    from django.db import transaction

    from razorpay_hardened.errors import TransactionMisuse

    with transaction.atomic(), pytest.raises(TransactionMisuse, match="non_atomic_requests"):
        site.rzp.checkout.start(owner="user:7", plan="gold-monthly", key="cart-9")
    assert site.rz.world.orders == {}


def test_it_stays_thin() -> None:
    """What Django needs of us is fewer than 120 lines; with the app's model, routes and commands it is still small."""

    def lines(*paths: Path) -> int:
        every = [line.strip() for path in paths for line in path.read_text().splitlines()]
        return len([line for line in every if line and not line.startswith("#")])

    payments = FOLDER / "payments"
    whole = [path for path in payments.rglob("*.py") if "migrations" not in path.parts]

    assert 0 < lines(*(payments / name for name in ("rzp.py", "handlers.py", "views.py"))) < 120
    assert len(whole) > 5
    assert lines(*whole) < 190


def test_what_the_customer_gets_is_in_the_transaction_that_records_paid() -> None:
    """The grant is ``on``, the mail is ``after``."""
    code = (FOLDER / "payments" / "handlers.py").read_text()

    assert re.findall(r"^@rzp\.(\w+)", code, re.MULTILINE) == ["on", "after"]


def test_both_shops_have_the_same_scripts() -> None:
    """What was tried in a browser for one is true of the other."""
    for name in ("pay.js", "return.js", "shop.css"):
        ours = FOLDER / "payments" / "static" / "payments" / name
        assert ours.read_bytes() == (EXAMPLES / "flask" / "static" / name).read_bytes()


def main(name: str, folder: str) -> None:
    """Run one scenario in this process."""
    with Emulator(start=SystemClock().now().replace(microsecond=0)) as rz:
        os.environ.update(rz.environ())
        os.environ.update(
            DJANGO_SETTINGS_MODULE="shop.settings",
            DJANGO_SECRET_KEY="a key that is only for this test and that protects nothing",
            DJANGO_DATABASE=f"{folder}/db.sqlite3",
            RAZORPAY_MAX_ATTEMPTS="1",  # outages are told at once: nothing here waits
        )
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(FOLDER))
        site = Site(rz)
        SCENARIOS[name](site)
        site.rzp.close()
    print(f"{name}: passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
