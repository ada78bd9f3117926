"""The example shop on Flask, as a developer copies it: imported from its folder, against an emulated Razorpay."""

from __future__ import annotations

import importlib.util
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from razorpay_hardened import SystemClock, sign_for_test
from razorpay_hardened.emulator import Emulator

FOLDER = Path(__file__).parents[2] / "examples" / "flask"
HOOK = "/razorpay/webhook"


class Site:
    """The example with an emulated Razorpay behind it and one customer's browser in front."""

    def __init__(self, shop: ModuleType, rz: Emulator) -> None:
        self.shop = shop
        self.rz = rz
        self.browser: FlaskClient = shop.app.test_client()
        self.statuses: list[int] = []
        rz.deliver.to(self.deliver)

    def deliver(self, method: str, headers: dict[str, str], body: bytes) -> int:
        """What the emulator does with a webhook: another client than the customer's, without cookies."""
        answer = self.shop.app.test_client().open(HOOK, method=method, headers=headers, data=body)
        self.statuses.append(answer.status_code)
        return answer.status_code

    def buy(self, plan: str = "gold-monthly", key: str = "cart-1") -> dict[str, Any]:
        """Press "Buy"; gives what the page hands to Checkout."""
        page = self.browser.post("/buy", data={"plan": plan, "key": key})
        assert page.status_code == 200, page.text
        found = re.search(r'id="options">(.*?)</script>', page.text)
        assert found is not None
        return dict(json.loads(found[1]))

    def pay(self, order_id: str, **wishes: Any) -> dict[str, str]:
        """Pay in Checkout; gives the form that comes back."""
        return self.rz.checkout_form(self.rz.pay(order_id, **wishes)["id"])

    def granted(self) -> list[tuple[str, str]]:
        """(owner, plan) of everything that was granted."""
        with sqlite3.connect(self.shop.DATABASE) as connection:
            rows = connection.execute("SELECT owner, plan FROM access").fetchall()
        connection.close()
        return rows

    def run(self, *words: str) -> Any:
        """A command of the example, as ``flask …`` runs it."""
        return self.shop.app.test_cli_runner().invoke(args=words)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    start = SystemClock().now().replace(microsecond=0)
    with Emulator(start=start) as rz:
        for name, value in rz.environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FLASK_SECRET_KEY", "a key that is only for this test")
        monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "shop.db"))
        monkeypatch.setenv("RAZORPAY_MAX_ATTEMPTS", "1")  # outages are told at once: nothing here waits
        shop = load(monkeypatch)
        made = Site(shop, rz)
        assert made.run("init-db").exit_code == 0
        yield made
        shop.rzp.close()


def load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example's own file, imported anew."""
    spec = importlib.util.spec_from_file_location("example_flask_shop", FOLDER / "shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module.__name__, module)  # Flask finds its templates through it
    spec.loader.exec_module(module)
    return module


def heading(page: TestResponse) -> str:
    """What the page says, in its own words."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text)
    assert found is not None, page.text
    return unescape(found[1])


def test_bought_paid_and_granted_once(site: Site) -> None:
    """The webhook grants, the browser's return adds nothing, and the plan is on the customer's page."""
    options = site.buy()
    form = site.pay(options["order_id"])
    site.rz.deliver.flush()
    page = site.browser.post("/confirm", data=form)

    assert (page.status_code, heading(page)) == (200, "Thank you, it is yours")
    assert set(site.statuses) == {200}
    assert [plan for _, plan in site.granted()] == ["gold-monthly"]
    assert "You have: Gold, one month" in " ".join(site.browser.get("/").text.split())


def test_the_browser_may_be_first(site: Site) -> None:
    """The same the other way round, and every webhook a second time."""
    form = site.pay(site.buy()["order_id"])
    assert site.browser.post("/confirm", data=form).status_code == 200
    assert len(site.granted()) == 1
    site.rz.deliver.flush()
    for event in site.rz.world.events:
        site.rz.deliver.replay(event.id)
    site.rz.deliver.flush()

    assert site.browser.post("/confirm", data=form).status_code == 200
    assert set(site.statuses) == {200}
    assert len(site.statuses) == 2 * len(site.rz.world.events)
    assert len(site.granted()) == 1


def test_a_double_click_is_one_purchase(site: Site) -> None:
    """The form's key makes it the same order; the price is ours whatever else the form says."""
    first = site.buy(key="cart-7")
    again = site.browser.post("/buy", data={"plan": "gold-monthly", "key": "cart-7", "amount": "100"})

    assert first["order_id"] in again.text
    assert [order["amount"] for order in site.rz.world.orders.values()] == [49900]
    assert site.rz.key_secret not in again.text


def test_a_forged_webhook(site: Site) -> None:
    """Without the secret, or about other bytes: 401, nothing is granted, nothing is kept."""
    site.pay(site.buy()["order_id"])
    paid = next(event for event in site.rz.world.events if event.name == "order.paid")
    client = site.shop.app.test_client()
    forged = sign_for_test(paid.body, "not-the-webhook-secret")
    right = sign_for_test(paid.body, site.rz.webhook_secret)
    for body, headers in (
        (paid.body, {}),
        (paid.body, {"X-Razorpay-Signature": forged}),
        (paid.body + b" ", {"X-Razorpay-Signature": right}),
    ):
        answer = client.post(HOOK, data=body, headers=headers, content_type="application/json")
        assert (answer.status_code, answer.data) == (401, b"")

    assert site.granted() == []
    assert list(site.shop.rzp.store.deliveries(limit=10)) == []
    assert client.get(HOOK).status_code == 405
    for path in (HOOK, "/confirm"):
        assert client.post(path, data=b"x" * ((1 << 20) + 1)).status_code == 413


def test_a_tampered_form(site: Site) -> None:
    """Another payment, another order, another customer's order: refused in words that tell nothing, nothing granted."""
    cheap = site.pay(site.buy(key="one")["order_id"])
    dear = site.buy("gold-yearly", key="two")["order_id"]
    stranger = site.shop.app.test_client()
    stranger.get("/")
    for browser, form, status in (
        (site.browser, {**cheap, "razorpay_order_id": dear}, 400),
        (site.browser, {**cheap, "razorpay_signature": "0" * 64}, 400),
        (site.browser, {**cheap, "razorpay_payment_id": "pay_AAAAAAAAAAAAAA"}, 400),
        (site.browser, {**cheap, "razorpay_order_id": "order_AAAAAAAAAAAAAA"}, 404),
        (site.browser, {name: cheap[name] for name in list(cheap)[:2]}, 400),
        (stranger, cheap, 403),
    ):
        page = browser.post("/confirm", data=form)
        assert (page.status_code, heading(page)) == (status, "That did not work")
        assert "ignature" not in page.text

    assert site.granted() == []


def test_another_customers_order_page(site: Site) -> None:
    """A page of somebody else's order looks like none."""
    site.buy()
    (held,) = site.shop.rzp.store.orders(limit=2)
    stranger = site.shop.app.test_client()

    assert site.browser.get(f"/orders/{held.local_id}").status_code == 200
    assert stranger.get(f"/orders/{held.local_id}").status_code == 404
    assert stranger.get("/orders/local_none").status_code == 404


def test_a_post_from_checkouts_own_site(site: Site) -> None:
    """Where the browser leaves the session's cookie at home, our page posts the same fields again, with it."""
    form = site.pay(site.buy()["order_id"])
    page = site.shop.app.test_client().post("/confirm", data={**form, "more": '"><script>'})
    assert site.granted() == []
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)}
    assert fields == {**form, "more": '"><script>'}

    assert heading(site.browser.post("/confirm?again=1", data=fields)) == "Thank you, it is yours"
    assert site.shop.app.test_client().post("/confirm?again=1", data=form).status_code == 403


def test_a_payment_that_is_not_settled(site: Site) -> None:
    """Razorpay cannot be asked: 202, a page that looks again, and the webhook settles it."""
    form = site.pay(site.buy()["order_id"])
    site.rz.faults.add("on GET /payments/:id: 502")
    page = site.browser.post("/confirm", data=form)
    assert (page.status_code, heading(page)) == (202, "Not settled yet")
    found = re.search(r'content="5; url=([^"]+)"', page.text)
    assert found is not None
    assert heading(site.browser.get(found[1])) == "Not settled yet"

    site.rz.deliver.flush()
    assert heading(site.browser.get(found[1])) == "Thank you, it is yours"


def test_a_payment_that_is_only_authorised(site: Site) -> None:
    """Money that may still go back to the customer buys nothing."""
    page = site.browser.post("/confirm", data=site.pay(site.buy()["order_id"], outcome="authorized"))
    site.rz.deliver.flush()

    assert (page.status_code, heading(page)) == (200, "Not settled yet")
    assert site.statuses == [200]
    assert site.granted() == []


def test_a_customer_who_comes_back_without_paying(site: Site) -> None:
    """The failure form of a redirect says nothing about the ledger."""
    site.buy()
    page = site.browser.post("/confirm", data={"error[code]": "BAD_REQUEST_ERROR", "error[description]": "no"})

    assert (page.status_code, heading(page)) == (200, "Not paid")
    assert "try again" in page.text


def test_what_is_not_on_offer(site: Site) -> None:
    """A plan that does not exist is 404; Razorpay's outage is 503, and the order is on record."""
    assert site.browser.post("/buy", data={"plan": "gold-free", "key": "k"}).status_code == 404
    site.rz.faults.add("on POST /orders: 503")
    assert site.browser.post("/buy", data={"plan": "gold-monthly", "key": "k"}).status_code == 503
    assert len(site.shop.rzp.store.orders(limit=2)) == 1


def test_a_lost_webhook_is_found_and_repaired(site: Site) -> None:
    """``flask reconcile`` alarms, ``--repair`` grants, and then both sides agree."""
    site.pay(site.buy()["order_id"])
    looked = site.run("reconcile", "--limit", "500")
    assert (looked.exit_code, site.granted()) == (1, [])
    repaired = site.run("reconcile", "--limit", "500", "--repair")
    assert (repaired.exit_code, len(site.granted())) == (0, 1)

    assert site.run("reconcile").exit_code == 0
    site.rz.deliver.flush()
    assert set(site.statuses) == {200}
    assert len(site.granted()) == 1


def test_the_mail_goes_out_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """With the webhook, or with cron when the webhook never came."""
    caplog.set_level("INFO")
    site.browser.post("/confirm", data=site.pay(site.buy()["order_id"]))
    for _ in range(2):
        assert site.run("process-pending", "--limit", "10").exit_code == 0
    site.rz.deliver.flush()

    assert caplog.text.count("thank you for gold-monthly") == 1


def test_pages_allow_checkout_and_nothing_else(site: Site) -> None:
    """The policy names the script that the page loads; no page has an inline script that would need more."""
    page = site.browser.post("/buy", data={"plan": "gold-monthly", "key": "k"})
    policy = page.headers["Content-Security-Policy"]

    assert f'src="{site.rz.url}/v1/checkout.js"' in page.text
    assert site.rz.url in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    inline = re.findall(r"<script(?![^>]* src=)([^>]*)>", page.text)
    assert inline == [' type="application/json" id="options"']


def test_it_stays_thin() -> None:
    """An adapter that needs more would mean that the library's interface is wrong."""
    lines = [line.strip() for line in (FOLDER / "shop.py").read_text().splitlines()]

    assert 0 < len([line for line in lines if line and not line.startswith("#")]) < 120
