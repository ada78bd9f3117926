"""Months of an emulated account in which everything happens every day, and how many records they leave."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from razorpay_hardened.emulator import Deliveries, Emulator, Options
from razorpay_hardened.emulator._terms import IdempotentAnswer, Terms
from support.emulator_api import DAY_S, Api, account

_ITEM = {"name": "Gold", "amount": 69_900, "currency": "INR"}
_QR = {"type": "upi_qr", "usage": "multiple_use", "fixed_amount": False, "name": "Store_1"}
_TEXT = {"amount": 5_000, "currency": "INR"}


class Life:
    """``day()`` after ``day()``: customers who pay in every way, or begin and go away, and shops that do their part."""

    def __init__(self) -> None:
        bad_days = Deliveries(lost=0.02, doubled=0.05, late=0.05, tampered=0.05, wrong_secret=0.05)
        self.rz = Emulator(in_process=True, options=Options(forget_after_s=5 * DAY_S), deliveries=bad_days)
        self.api = Api(self.rz)
        self.nth = 0
        self.rz.deliver.to(lambda method, headers, body: 200)
        self.rz.deliver.register(lambda method, headers, body: None, name="broken")
        self.rz.deliver.register("http://127.0.0.1:9/", name="nobody", events=["order.paid"])
        self.rz.deliver.webhook("nobody").endpoint = None
        self.rz.faults.add("on POST /orders: 502 once each\non EVENT order.paid: doubled once each")
        self.linked = account(self.api)
        self.customer = self.api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
        self.qr = self.api.post("/payments/qr_codes", _QR)["id"]
        receivers = {"receivers": {"types": ["bank_account", "vpa"]}}
        self.virtual = self.api.post("/virtual_accounts", receivers)["id"]
        self.plan = self.api.post("/plans", {"period": "daily", "interval": 7, "item": _ITEM})["id"]
        self.token = self.rz.save_token(self.customer)["id"]

    def day(self, payments: int) -> None:
        """One day: this many plain payments, and one of everything else."""
        for _ in range(payments):
            self._plain()
        self._wandering()
        self._received()
        self._owed()
        self.rz.deliver.enable("broken")
        self.rz.clock.advance(DAY_S)

    def order(self, **more: Any) -> Any:
        self.nth += 1
        body = {"amount": 50_000, "currency": "INR", "receipt": f"r-{self.nth}", **more}
        self.rz.request("POST", "/v1/orders", body)  # the rule: the first try of each order fails
        return self.api.post("/orders", body)

    def _plain(self) -> None:
        payment = self.rz.pay(self.order()["id"], outcome="authorized")["id"]
        self.api.post(f"/payments/{payment}/capture", {"amount": 50_000, "currency": "INR"})
        headers = {"X-Refund-Idempotency": f"refund-{self.nth:08}"}
        self.rz.request("POST", f"/v1/payments/{payment}/refund", {"amount": 100}, headers=headers)

    def _wandering(self) -> None:
        """Those who do not finish: no order here is ever paid."""
        rz = self.rz
        rz.begin(self.order()["id"], "card")
        rz.pay(self.order()["id"], "card", outcome="failed")
        rz.pay(self.order()["id"], "netbanking", outcome="late")
        rz.pay(self.order(payment_capture=0)["id"])
        expiry = rz.clock.unix() + 30 * DAY_S
        block = {"max_amount": 500_000, "expire_at": expiry, "frequency": "monthly"}
        self.order(customer_id=self.customer, method="card", token=block)
        self.order(notification={"token_id": self.token})
        self.order(transfers=[{"account": self.linked, "amount": 20_000, "currency": "INR"}])
        link = self.api.post("/payment_links", {**_TEXT, "expire_by": rz.clock.unix() + DAY_S})["id"]
        rz.pay_link(link, outcome="failed")
        line = {"name": "Book", "amount": 500}
        bill = {"type": "invoice", "customer_id": self.customer, "line_items": [line]}
        self.api.post("/invoices", {**bill, "expire_by": rz.clock.unix() + DAY_S})
        self.api.send("DELETE", f"/items/{self.api.post('/items', _ITEM)['id']}")
        self._at_the_counter()
        self._by_api()

    def _at_the_counter(self) -> None:
        """A device shows a checkout that nobody pays; a webhook comes and goes."""
        said = {"name": "Acme", "amount": 500, "currency": "INR", "description": "POS", "type": "in_person"}
        checkout = {**said, "order_id": self.order()["id"], "method": "upi"}
        body = {"action": "initiate_checkout", "initiate_checkout": checkout}
        headers = {"X-Razorpay-Device-Mode": "wireless"}
        assert self.rz.request("POST", "/v1/devices/activity", body, headers=headers).status == 200
        hook = self.api.post("/webhooks", {"url": "http://127.0.0.1:9/", "active": False})["id"]
        self.api.send("DELETE", f"/v2/accounts/{self.rz.account_id}/webhooks/{hook}")

    def _by_api(self) -> None:
        """A card and an app from which nothing is heard, a check whether somebody may pay later, a bank account."""
        person = {"email": "gaurav@example.com", "contact": "9000090000", "customer_id": self.customer}
        said = {"amount": 50_000, "currency": "INR", **person}
        card = {"number": "4100280000001007", "name": "Gaurav", "expiry_month": 11, "expiry_year": 30, "cvv": "100"}
        body = {**said, "order_id": self.order()["id"], "method": "card", "card": card, "save": 1}
        self.api.post(f"/payments/{self.api.post('/payments/create/json', body)['razorpay_payment_id']}/otp/resend")
        app = {"flow": "collect", "vpa": "gauravkumar@exampleupi", "expiry_time": 5}
        self.api.post("/payments/create/upi", {**said, "order_id": self.order()["id"], "method": "upi", "upi": app})
        check = {"inquiry": "affordability", "amount": 500_000, "currency": "INR", "customer": {"id": self.customer}}
        self.api.post("/customers/eligibility", check)
        bank = {"account_number": 11214311215411, "beneficiary_name": "Gaurav Kumar", "ifsc_code": "ICIC0001207"}
        account = self.api.post(f"/customers/{self.customer}/bank_account", bank)["id"]
        self.api.send("DELETE", f"/customers/{self.customer}/bank_account/{account}")

    def _received(self) -> None:
        rz = self.rz
        rz.credit_qr(self.qr, 900)
        rz.credit_virtual_account(self.virtual, 5000, "bank_transfer")
        rz.credit_virtual_account(self.virtual, 5000, "upi")
        rz.pay_link(self.api.post("/payment_links", _TEXT)["id"])
        rz.debits_fail(rz.save_token(self.customer)["id"])
        subscription = self.api.post("/subscriptions", {"plan_id": self.plan, "total_count": 1})["id"]
        self.api.post(f"/subscriptions/{subscription}/addons", {"item": {**_ITEM, "name": "Extra"}})
        rz.authenticate(subscription, customer_id=self.customer)
        for one in self.api.get(f"/customers/{self.customer}/tokens")["items"]:
            if one["id"] != self.token:
                self.api.send("DELETE", f"/customers/{self.customer}/tokens/{one['id']}")

    def _owed(self) -> None:
        """Disputes, transfers and what comes back of them."""
        rz = self.rz
        payment = rz.pay(self.order()["id"], "card")["id"]
        rz.decide_dispute(rz.dispute(payment, 500)["id"], "lost")
        share = {"account": self.linked, "amount": 20_000, "currency": "INR"}
        paid = rz.pay(self.order(transfers=[share])["id"])["id"]
        transfer = self.api.get(f"/payments/{paid}/transfers")["items"][0]["id"]
        self.api.post(f"/transfers/{transfer}/reversals", {"amount": 5000})
        self.api.post("/settlements/ondemand", {"amount": 20_000})
        downtime = rz.downtime("netbanking", bank="HDFC")["id"]
        rz.downtime_changes(downtime)


def census(rz: Emulator) -> dict[str, int]:
    """Every container that can be reached from the emulator, by its name: how much it holds, lists within included."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting: deque[tuple[str, Any]] = deque([("rz", rz)])
    while waiting:
        name, value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict | list | set):
            found[name] = _held(value)
            few = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(f"{name}[{key}]", one) for key, one in few if _is_ours(one) or _is_table(name, one)]
        elif _is_ours(value):
            waiting += [(f"{name}.{key}", one) for key, one in _attributes(value)]
    return found


def _is_ours(value: object) -> bool:
    ours = type(value).__module__.startswith("razorpay_hardened.emulator")
    return ours and not isinstance(value, tuple | type | ModuleType | Terms | IdempotentAnswer)


def _is_table(name: str, value: object) -> bool:
    return name.endswith(".tables") and isinstance(value, dict)


def _held(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value
    return len(value) + sum(len(child) for child in children if isinstance(child, list | set))


def _attributes(value: object) -> Iterator[tuple[str, Any]]:
    names = [*getattr(value, "__dict__", ()), *(slot for kind in type(value).__mro__ for slot in _slots(kind))]
    for name in names:
        if hasattr(value, name):
            yield name, getattr(value, name)


def _slots(kind: type) -> tuple[str, ...]:
    return tuple(getattr(kind, "__slots__", ()))
