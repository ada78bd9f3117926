"""The dashboard, without a browser: what it shows, what can be done there, and that nothing from outside is markup."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from razorpay_hardened.emulator import Emulator, Reply, Request

EVIL = '<img src=x onerror=alert(1)>"&'


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def order(rz: Emulator, amount: int = 50000, **more: Any) -> str:
    return str(rz.request("POST", "/v1/orders", {"amount": amount, "currency": "INR", **more}).json()["id"])


def get(rz: Emulator, path: str = "") -> Reply:
    return rz.handle(Request("GET", f"/_emulator/{path}"))


def text(rz: Emulator, path: str = "") -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", get(rz, path).body.decode()))


def do(rz: Emulator, act: str, headers: dict[str, str] | None = None, **values: str) -> str:
    """Submit a form; what the page says afterwards."""
    body = urlencode({"act": act, **values}).encode()
    reply = rz.handle(Request("POST", "/_emulator/dashboard/do", "", headers or {}, body))
    if reply.status != 303:
        return str(reply.status)
    page = get(rz, reply.headers["Location"].removeprefix("/_emulator/")).body.decode()
    found = re.search(r'<p role="(status|alert)"[^>]*>([^<]*)</p>', page)
    assert found
    return f"{found[1]}: {html.unescape(found[2])}"


class Balance(HTMLParser):
    """Raises where tags do not close in order; counts elements that could run something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.live = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.live += tag == "img" or any(name.startswith("on") or name == "style" for name, _ in attributes)
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_shows_what_the_account_has(rz: Emulator) -> None:
    """Counts, statuses, money with its currency and time with its zone."""
    order_id = order(rz, receipt="inv-42")
    payment = rz.pay(order_id)
    home = text(rz)

    for shown in (order_id, payment["id"], "INR 500.00", "captured", "inv-42", "05 Jan 2026, 09:00:00 IST"):
        assert shown in home
    assert rz.key_secret not in home + text(rz, "dashboard/webhooks")
    assert rz.webhook_secret not in home + text(rz, "dashboard/webhooks")


def test_an_entity_shows_everything_about_it(rz: Emulator) -> None:
    """All fields, what belongs to it, and the events about it."""
    payment = rz.pay(order(rz))
    refund = rz.refund(payment["id"], 1000)
    page = text(rz, f"dashboard/payment/{payment['id']}")

    assert all(name in page for name in payment)
    assert refund["id"] in page
    assert payment["order_id"] in page
    assert "refund.created" in page


def test_kinds_appear_by_themselves(rz: Emulator) -> None:
    """A kind that the dashboard has never heard of has its table, its pages and its links."""
    dispute = {"id": "disp_00000000000001", "payment_id": rz.pay(order(rz))["id"], "status": "open", "amount": 700}
    rz.world.tables["dispute"] = {dispute["id"]: {"entity": "dispute", **dispute}}

    assert "Disputes" in text(rz)
    assert "disp_00000000000001" in text(rz, "dashboard/dispute")
    assert "INR 7.00" in text(rz, "dashboard/dispute/disp_00000000000001")
    assert "disp_00000000000001" in text(rz, f"dashboard/payment/{dispute['payment_id']}")


def test_nothing_from_outside_is_markup(rz: Emulator) -> None:
    """Receipts, notes, rules, URLs, paths: all of it is text, on every page, and no page runs or styles inline."""
    order_id = order(rz, receipt=EVIL, notes={EVIL: EVIL})
    rz.pay(order_id, vpa=EVIL, notes={"a": EVIL})
    rz.deliver.register(lambda *_: 200, name=EVIL, events=[EVIL], alert_email=EVIL)
    rz.deliver.to_url("http://127.0.0.1:1/" + EVIL.replace(" ", "%20"))
    payment = next(iter(rz.world.payments))
    paths = ["", "dashboard/order", f"dashboard/order/{order_id}", f"dashboard/payment/{payment}", "dashboard/webhooks"]
    paths += ["dashboard/events", f"dashboard/events/{rz.world.events[0].id}", "dashboard/faults", f"dashboard/{EVIL}"]
    paths += [f"dashboard/order/{EVIL}", f"dashboard/events/{EVIL}"]
    for path in paths:
        page = get(rz, path)
        balance = Balance()
        balance.feed(page.body.decode())
        assert (balance.open, balance.live) == ([], 0), path
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "status" in do(rz, "add_fault", rule=f"on POST /{EVIL.replace(' ', '')}: 500")
    assert "<img" not in get(rz, "dashboard/faults").body.decode()
    assert do(rz, "pay", id=EVIL).startswith("alert")


def test_a_customer_pays_and_an_operator_refunds(rz: Emulator) -> None:
    """The whole life of a payment by forms alone."""
    order_id = order(rz)
    assert "is authorized" in do(rz, "pay", id=order_id, outcome="authorized")
    payment_id = next(iter(rz.world.payments))
    assert do(rz, "capture", id=payment_id) == f"status: {payment_id} is captured"
    assert "is pending" in do(rz, "refund", id=payment_id, amount="1000", speed="normal")
    refund_id = next(iter(rz.world.refunds))
    assert do(rz, "settle_refund", id=refund_id, outcome="failed") == f"status: {refund_id} is failed"
    late = rz.pay(order(rz), outcome="failed")["id"]
    assert do(rz, "bank", id=late, outcome="captured") == f"status: {late} is captured"


def test_forms_are_offered_where_they_fit(rz: Emulator) -> None:
    """A captured payment can be refunded and not captured; an authorised one the other way round."""
    captured, held = rz.pay(order(rz))["id"], rz.pay(order(rz), outcome="authorized")["id"]
    acts = [
        set(re.findall(r'name="act" value="(\w+)"', get(rz, f"dashboard/payment/{one}").body.decode()))
        for one in (captured, held)
    ]

    assert [{"refund", "capture"} & offered for offered in acts] == [{"refund"}, {"capture"}]


def test_webhooks_are_disabled_resent_and_registered(rz: Emulator) -> None:
    """The acts around webhooks, and each delivery with its answer."""
    seen: list[str] = []

    def endpoint(method: str, headers: dict[str, str], body: bytes) -> int:
        seen.append(headers["X-Razorpay-Event-Id"])
        return 500 if len(seen) == 1 else 200

    rz.deliver.to(endpoint)
    rz.pay(order(rz), outcome="failed")
    do(rz, "advance", seconds="2")
    assert "500" in text(rz, "dashboard/webhooks")
    assert "the last answer was 200" in do(rz, "resend", id=seen[0], webhook="main")
    assert seen == [seen[0]] * 2
    do(rz, "disable", webhook="main")
    assert rz.deliver.disabled
    assert "Enable" in text(rz, "dashboard/webhooks")
    do(rz, "enable", webhook="main")
    assert not rz.deliver.disabled
    assert "1 webhook attempts" in do(rz, "flush")
    assert "its secret is" in do(rz, "register", url="http://127.0.0.1:1/", events="order.paid, payment.failed")
    assert rz.deliver.webhook("webhook-1").events == {"order.paid", "payment.failed"}


def test_faults_and_time(rz: Emulator) -> None:
    """Rules are added and cleared; the clock goes forward."""
    before = rz.clock.unix()
    do(rz, "add_fault", rule="on POST /orders: 502 once")
    assert rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).status == 502
    assert "on POST /orders: 502 once" in text(rz, "dashboard/faults")
    do(rz, "clear_faults")
    assert rz.faults.rules == []
    assert "86,400 seconds" in do(rz, "advance", seconds="86400")
    assert rz.clock.unix() == before + 86_400


@pytest.mark.parametrize(
    ("act", "values"),
    [
        ("teapot", {}),
        ("pay", {}),
        ("pay", {"id": "order_00000000000000"}),
        ("advance", {"seconds": "-1"}),
        ("refund", {"id": "pay_00000000000000", "amount": "ten"}),
        ("add_fault", {"rule": "nonsense"}),
        ("register", {"url": "nowhere"}),
        ("resend", {"id": "nothing"}),
    ],
)
def test_mistakes_are_said(rz: Emulator, act: str, values: dict[str, str]) -> None:
    """As an alert on the page; a reload says nothing more."""
    said = do(rz, act, **values)

    assert said.startswith("alert: ")
    assert len(said) > 10
    assert 'role="alert"' not in get(rz).body.decode()


def test_other_sites_may_not_act(rz: Emulator) -> None:
    """A form on somebody else's page is refused, and no act leads away from the dashboard."""
    assert do(rz, "advance", {"Sec-Fetch-Site": "cross-site"}, seconds="60") == "403"
    assert rz.clock.monotonic() == 0
    body = urlencode({"act": "advance", "seconds": "1", "back": "https://example.com/"}).encode()
    reply = rz.handle(Request("POST", "/_emulator/dashboard/do", "", {}, body))
    assert reply.headers["Location"] == "/_emulator/"


@pytest.mark.parametrize("path", ["dashboard/teapot", "dashboard/order/order_00000000000000", "dashboard/events/none"])
def test_what_is_not_there(rz: Emulator, path: str) -> None:
    """Is 404, in words."""
    assert get(rz, path).status == 404


def test_long_lists_are_cut(rz: Emulator) -> None:
    """To the newest hundred, and the page says so."""
    for number in range(103):
        order(rz, receipt=f"r-{number}")
    page = text(rz, "dashboard/order")

    assert "The newest 100 of 103." in page
    assert "r-102" in page
    assert "r-2 " not in page


@pytest.mark.skipif(
    not hasattr(Emulator, "dispute"), reason="this emulator has no disputes, downtimes, settlements yet"
)
def test_disputes_downtimes_and_settlements(rz: Emulator) -> None:
    """The acts that come from banks and networks, each with its page."""
    payment_id = rz.pay(order(rz))["id"]
    assert "is open" in do(rz, "dispute", id=payment_id, phase="fraud")
    (dispute_id,) = rz.world.tables["dispute"]
    assert dispute_id in text(rz, "dashboard/dispute")
    assert do(rz, "decide_dispute", id=dispute_id, outcome="closed") == f"status: {dispute_id} is closed"
    assert "is started" in do(rz, "downtime", method="netbanking", severity="high")
    (downtime_id,) = rz.world.tables["payment.downtime"]
    assert "downtime_changes" in get(rz, f"dashboard/payment.downtime/{downtime_id}").body.decode()
    assert do(rz, "downtime_changes", id=downtime_id, severity="") == f"status: {downtime_id} is resolved"
    assert "is processed" in do(rz, "settle", outcome="processed")
    (settlement_id,) = rz.world.tables["settlement"]
    assert settlement_id in text(rz, "dashboard/settlement")
