"""The emulator's Checkout and dashboard in a real browser, at the size of a desk and of a phone.

Needs Debian's ``chromium`` (or ``CHROMIUM``, its path) and ``pip install playwright``. ``SCREENSHOTS``, a folder,
keeps a picture of every step. The same flows without a browser are in ``tests/unit/test_emulator_page.py`` and
``test_emulator_dashboard.py``.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing import verify_checkout

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no Chromium on this machine: apt-get install chromium", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="needs: pip install playwright")

pytestmark = [pytest.mark.slow]

SIZES = {"desktop": (1280, 800, "light"), "phone": (390, 844, "dark")}


class Site(ThreadingHTTPServer):
    """A shop of another origin: one page that opens Checkout with ``options``, and a callback that remembers."""

    daemon_threads = True

    def __init__(self, rz: Emulator) -> None:
        self.rz = rz
        self.options: dict[str, Any] = {}
        self.posted: list[dict[str, str]] = []
        self.origins: list[str | None] = []
        super().__init__(("127.0.0.1", 0), Pages)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        if self.path == "/shop.js":
            self.answer(SHOP.encode(), "text/javascript")
            return
        rz = self.server.rz
        page = PAGE.format(url=rz.url, options=html.escape(json.dumps(self.server.options)))
        policy = f"default-src 'none'; script-src 'self' {rz.url}; connect-src {rz.url}; form-action 'self'"
        self.answer(page.encode(), "text/html", {"Content-Security-Policy": policy})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append({name: values[-1] for name, values in parse_qs(body.decode()).items()})
        self.server.origins.append(self.headers["Origin"])
        self.answer(b"<!doctype html><title>done</title><p id=done>thank you</p>", "text/html")

    def answer(self, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


PAGE = """<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>shop</title><body data-options="{options}"><h1>Shop</h1><button id=buy>Buy</button>
<script src="{url}/v1/checkout.js"></script><script src="/shop.js"></script></body></html>"""

SHOP = """
window.told = [];
const options = JSON.parse(document.body.dataset.options);
if (!options.callback_url) options.handler = (fields) => told.push(["paid", fields]);
options.modal = { ...options.modal, ondismiss: () => told.push(["dismissed"]) };
const checkout = new Razorpay(options);
checkout.on("payment.failed", ({ error }) => told.push(["failed", error]));
document.getElementById("buy").addEventListener("click", () => checkout.open());
document.addEventListener("securitypolicyviolation", (event) => told.push(["csp", event.violatedDirective]));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        opened = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def site(rz: Emulator) -> Iterator[Site]:
    made = Site(rz)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


class Looked:
    """A page of one size; errors in its console fail the test at the end."""

    def __init__(self, page: Any, name: str) -> None:
        self.page, self.name = page, name
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    def picture(self, what: str) -> None:
        """Keep it for people, and see that nothing is wider than the screen."""
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=str(Path(folder) / f"{what}-{self.name}.png"))
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{what} is {wide} pixels too wide"

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def told(self) -> list[Any]:
        found: list[Any] = self.page.evaluate("window.told")
        return found

    def wait_told(self, count: int) -> list[Any]:
        self.page.wait_for_function("count => window.told.length >= count", arg=count)
        return self.told()

    def focused(self) -> str:
        """The text or name of what has the focus, inside shadow roots too."""
        script = "() => { let e = document.activeElement; while (e?.shadowRoot) e = e.shadowRoot.activeElement; "
        return str(self.page.evaluate(script + "return e ? e.name || e.textContent : ''; }"))


@pytest.fixture(params=SIZES)
def looked(browser: Any, request: pytest.FixtureRequest) -> Iterator[Looked]:
    width, height, scheme = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=request.param == "phone"
    )
    context.set_default_timeout(20_000)
    made = Looked(context.new_page(), request.param)
    yield made
    context.close()
    assert made.errors == []


def new_order(rz: Emulator) -> str:
    return str(rz.request("POST", "/v1/orders", {"amount": 49900, "currency": "INR"}).json()["id"])


def opened(site: Site, looked: Looked, **options: Any) -> str:
    """The shop's page with Checkout open; gives the order's id."""
    order_id = new_order(site.rz)
    site.options = {
        "key": site.rz.key_id,
        "amount": "49900",
        "currency": "INR",
        "name": "Acme <b>Books</b>",
        "description": "Gold, monthly",
        "order_id": order_id,
        "prefill": {"name": "Gaurav", "email": "gaurav@example.com", "contact": "+919000090000"},
        "notes": {"cart": "7"},
        "theme": {"color": "#0b7a5a"},
        **options,
    }
    looked.page.goto(site.url)
    looked.page.click("#buy")
    looked.page.wait_for_selector("dialog")
    return order_id


def test_pay(site: Site, looked: Looked) -> None:
    """Details, bank, handler: the three signed fields; prefill and notes are on the payment; focus comes back."""
    order_id = opened(site, looked)
    assert looked.page.locator("dialog h2").text_content() == "Acme <b>Books</b>"
    looked.picture("details")
    looked.page.get_by_text("Card", exact=True).click()
    looked.page.get_by_label("Razorpay's test cards").select_option("5500670000001002")
    assert looked.page.get_by_label("Card number").input_value() == "5500670000001002"
    looked.picture("card")
    looked.press("Pay ₹499.00")
    looked.page.get_by_label("One-time password").fill("1234")
    looked.picture("bank")
    looked.page.keyboard.press("Enter")
    ((what, fields),) = looked.wait_told(1)

    assert what == "paid"
    assert set(fields) == {"razorpay_payment_id", "razorpay_order_id", "razorpay_signature"}
    assert verify_checkout(
        order_id=order_id,
        payment_id=fields["razorpay_payment_id"],
        signature=fields["razorpay_signature"],
        secret=site.rz.key_secret,
    )
    payment = site.rz.world.payments[fields["razorpay_payment_id"]]
    assert (payment["email"], payment["notes"], payment["method"]) == ("gaurav@example.com", {"cart": "7"}, "card")
    assert looked.page.locator("dialog").count() == 0
    assert looked.focused() == "Buy"


def test_fail_and_retry(site: Site, looked: Looked) -> None:
    """A failure is told to the page and said aloud; the window stays, and the next attempt succeeds."""
    order_id = opened(site, looked)
    looked.page.get_by_label("UPI id").fill("failure@razorpay")
    looked.press("Pay ₹499.00")
    looked.press("Success")
    ((what, error),) = looked.wait_told(1)
    assert what == "failed"
    assert set(error) == {"code", "description", "source", "step", "reason", "metadata"}
    assert error["metadata"]["order_id"] == order_id
    assert "payment_failed" in looked.page.get_by_role("alert").text_content()
    looked.picture("failed")
    looked.page.get_by_label("UPI id").fill("success@razorpay")
    looked.press("Pay ₹499.00")
    looked.press("Success")
    told = looked.wait_told(2)

    assert [one[0] for one in told] == ["failed", "paid"]
    assert told[1][1]["razorpay_payment_id"] != error["metadata"]["payment_id"]
    assert site.rz.world.orders[order_id]["attempts"] == 2


def test_close_and_reopen(site: Site, looked: Looked) -> None:
    """Escape dismisses; opened again, it pays. Left at the bank, the first payment stays created."""
    order_id = opened(site, looked)
    looked.press("Pay ₹499.00")
    looked.page.get_by_role("heading", name="Your bank").wait_for()
    looked.page.keyboard.press("Escape")
    assert looked.wait_told(1) == [["dismissed"]]
    assert looked.focused() == "Buy"
    (left,) = site.rz.world.payments.values()
    assert left["status"] == "created"
    looked.page.click("#buy")
    looked.press("Pay ₹499.00")
    looked.press("Cancel")  # of a UPI payment: success, in test mode
    told = looked.wait_told(2)

    assert told[1][0] == "paid"
    assert site.rz.world.orders[order_id]["status"] == "paid"
    site.rz.clock.advance(601)
    assert site.rz.world.payments[left["id"]]["status"] == "failed"


def test_leaving_is_asked_about(site: Site, looked: Looked) -> None:
    """With confirm_close it asks first; with escape false the key does nothing; without retry a failure closes."""
    opened(site, looked, modal={"confirm_close": True, "escape": False}, retry={"enabled": False})
    looked.page.keyboard.press("Escape")
    assert looked.page.locator("dialog").count() == 1
    looked.press("Close")
    looked.picture("leaving")
    looked.press("Go on paying")
    looked.page.get_by_label("UPI id").fill("failure@razorpay")
    looked.press("Pay ₹499.00")
    looked.press("Success")

    assert [one[0] for one in looked.wait_told(2)] == ["failed", "dismissed"]


def test_callback_url(site: Site, looked: Looked) -> None:
    """The browser posts the three fields, as with Razorpay; without redirect a failure stays in the page."""
    order_id = opened(site, looked, callback_url=f"{site.url}/callback?cart=7")
    looked.press("Pay ₹499.00")
    looked.press("Failure")
    looked.wait_told(1)
    assert site.posted == []
    looked.press("Pay ₹499.00")
    looked.press("Success")
    looked.page.wait_for_selector("#done")

    (fields,) = site.posted
    assert verify_checkout(
        order_id=order_id,
        payment_id=fields["razorpay_payment_id"],
        signature=fields["razorpay_signature"],
        secret=site.rz.key_secret,
    )


def test_callback_url_with_redirect(site: Site, looked: Looked) -> None:
    """With redirect a failure is posted too, as error fields."""
    opened(site, looked, callback_url=f"{site.url}/callback", redirect=True)
    looked.press("Pay ₹499.00")
    looked.press("Failure")
    looked.page.wait_for_selector("#done")

    assert site.posted[0]["error[code]"] == "BAD_REQUEST_ERROR"
    assert json.loads(site.posted[0]["error[metadata]"])["order_id"] == site.options["order_id"]


def test_readonly_hidden_and_timeout(site: Site, looked: Looked) -> None:
    """Options about fields are kept, the method can be preselected, and the time-out closes the window."""
    opened(
        site,
        looked,
        readonly={"contact": True},
        hidden={"email": True},
        prefill={"contact": "+919000090000", "method": "netbanking"},
        timeout=2,
    )
    assert looked.page.get_by_label("Phone").get_attribute("readonly") is not None
    assert not looked.page.get_by_label("E-mail").is_visible()
    assert looked.page.get_by_label("Netbanking").is_checked()
    assert looked.wait_told(1) == [["dismissed"]]


def test_an_order_of_another_account(site: Site, looked: Looked) -> None:
    """What Razorpay says to a wrong key or order is shown, and nothing can be paid."""
    opened(site, looked, order_id="order_00000000000000")

    assert looked.page.get_by_role("alert").text_content() == "The id provided does not exist"
    assert looked.page.get_by_role("button", name="Pay", exact=True).is_disabled()
    looked.errors.clear()  # the browser itself reports the 400
    assert looked.told() == []


def test_the_hosted_page(site: Site, looked: Looked) -> None:
    """A form without any script of the shop: paid or failed, the answer is posted; who leaves comes back by GET."""
    rz, site.options = site.rz, {"key": site.rz.key_id}
    fields = {"key_id": rz.key_id, "order_id": new_order(rz), "name": "Acme", "callback_url": f"{site.url}/callback"}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    form = f'<form method=post action="{rz.url}/v1/checkout/embedded">{inputs}'
    looked.page.set_content(f'{form}<input name="cancel_url" value="{site.url}/left"><button>Go</button></form>')
    looked.press("Go")
    looked.page.wait_for_selector("dialog")
    looked.picture("hosted")
    looked.press("Close")
    looked.page.wait_for_url(f"{site.url}/left")
    looked.page.goto("about:blank")  # the shop's own page allows forms to itself only
    looked.page.set_content(f"{form}<button>Go</button></form>")
    looked.press("Go")
    looked.press("Pay ₹499.00")
    looked.press("Success")
    looked.page.wait_for_selector("#done")

    assert site.posted[0]["razorpay_order_id"] == fields["order_id"]


def test_the_dashboard(rz: Emulator, looked: Looked) -> None:
    """Pay an order from its page, refund it, let time pass, break something, and resend a webhook: by hand."""
    seen: list[str] = []
    rz.deliver.to(lambda method, headers, body: seen.append(headers["X-Razorpay-Event-Id"]) or 200)
    order_id, page = new_order(rz), looked.page
    page.goto(f"{rz.url}/_emulator/")
    looked.picture("overview")
    page.get_by_role("link", name=order_id).first.click()
    page.get_by_role("link", name="Pay it in Checkout").click()
    looked.press("Pay ₹499.00")
    looked.press("Success")
    page.get_by_text("razorpay_signature").wait_for()
    looked.picture("paid")
    (payment_id,) = rz.world.payments
    page.goto(f"{rz.url}/_emulator/dashboard/payment/{payment_id}")
    page.get_by_label("Amount in subunits; empty is the rest").fill("1000")
    looked.press("Refund")
    assert "pending" in page.get_by_role("status").text_content()
    looked.picture("refunded")
    page.goto(f"{rz.url}/_emulator/")
    looked.press("1 hour")
    assert "3,600 seconds" in page.get_by_role("status").text_content()
    page.get_by_role("link", name="Webhooks", exact=True).click()
    before = len(seen)
    page.get_by_role("button", name="Resend").first.click()
    assert "the last answer was 200" in page.get_by_role("status").text_content()
    assert len(seen) == before + 1
    looked.picture("webhooks")
    page.get_by_role("link", name="Faults", exact=True).click()
    page.get_by_label("Rule").fill("on POST /orders: teapot")
    looked.press("Add a fault")
    assert "not a fault rule" in page.get_by_role("alert").text_content()
    looked.picture("faults")

    assert rz.world.refunds
    assert rz.clock.monotonic() == 3600
