"""A small shop's bad morning, in a store that the command line is used on: every state that people on call meet."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from razorpay_hardened import Client, Money, Razorpay, web
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing import sign_for_test
from razorpay_hardened.storage import SQLiteStore

SINCE = "2026-01-05"
"""The day on which the shop's story begins, as an option's value."""
EVENT_ID = "event\x1b[2J.id"
"""Not signed, so anybody's: an event id that would clear a terminal. It counts as none."""


APP = "shop_under_test:wired"
"""The application of a shop, where its module is known under this name."""


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document that it printed."""
        return json.loads(self.out)


class Terminal:
    """Runs commands in this process. Nothing is looked at but what a person or a script sees."""

    def __init__(self, captured: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._captured = captured
        self._monkeypatch = monkeypatch

    def __call__(self, *argv: str) -> Said:
        from razorpay_hardened.cli import main

        self._captured.readouterr()
        code = main(argv)
        return Said(code, *self._captured.readouterr())

    def columns(self, width: int) -> Terminal:
        """From now on, lines are no longer than this."""
        self._monkeypatch.setenv("COLUMNS", str(width))
        return self

    def environ(self, **variables: str) -> Terminal:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        return self


def contents(url: str) -> tuple[dict[str, int], int]:
    """How many rows each table of a store has, and how long its write-ahead log is: what any write would change."""
    path = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}
        log = path.with_name(f"{path.name}-wal")
        return rows, log.stat().st_size if log.exists() else 0


class Shop:
    """A shop, its store in ``folder`` and its Razorpay, on one clock. ``mended``: whether its handlers work."""

    def __init__(self, folder: Path, rz: Emulator | None = None) -> None:
        self.rz = rz or Emulator(in_process=True)
        self.url = f"sqlite:///{folder / 'shop.db'}"
        self.clock = FrozenClock(self.rz.clock.now())
        self.mended = False
        self.granted: list[str] = []
        self.deaf = False
        self.rzp = self.wired()
        self.rzp.store.migrate()
        self.rz.deliver.to(self.receive)

    def wired(self) -> Razorpay:
        """A new application object with the shop's handlers, as a process makes it at its start."""
        client = Client(
            self.rz.key_id,
            self.rz.key_secret,
            base_url="http://127.0.0.1:1",
            session=self.rz.session(),
            clock=self.clock,
        )
        rzp = Razorpay.from_env(
            self.environ(),
            store=SQLiteStore(self.url),
            client=client,
            clock=self.clock,
            plans={"gold": Money.inr(499), "silver": Money.inr("1234.50")},
        )
        rzp.on("order.paid", name="grant-access")(self._grant)
        rzp.on("refund.processed", name="revoke-access")(lambda change, tx: None)
        rzp.after("order.paid", name="send-receipt")(lambda change: None)
        return rzp

    def environ(self) -> dict[str, str]:
        """The shop's environment: secrets among it."""
        url = {} if self.rz.in_process else {"RAZORPAY_BASE_URL": self.rz.url}
        return {
            "RAZORPAY_KEY_ID": self.rz.key_id,
            "RAZORPAY_KEY_SECRET": self.rz.key_secret,
            "RAZORPAY_WEBHOOK_SECRET": self.rz.webhook_secret,
            "RAZORPAY_STORE_URL": self.url,
            **url,
        }

    def _grant(self, change: Any, tx: Any) -> None:
        if change.order.owner == "user:13" and not self.mended:
            raise ConnectionError(f"access service down, key {self.rz.key_secret}")
        self.granted.append(change.order.owner)

    def receive(self, method: str, headers: Mapping[str, str], body: bytes) -> int:
        """The shop's webhook endpoint; ``deaf`` loses what comes, although it says 200."""
        self.clock.set(max(self.clock.now(), self.rz.clock.now()))
        return 200 if self.deaf else self.rzp.webhooks.handle(web.Request(method, headers, body)).status

    def passes(self, seconds: float) -> None:
        self.rz.clock.advance(seconds)
        self.clock.set(max(self.clock.now(), self.rz.clock.now()))

    def order(self, owner: str, plan: str = "gold") -> str:
        """A customer orders; gives Razorpay's order id."""
        self.passes(7)
        return self.rzp.checkout.start(owner=owner, plan=plan).order_id

    def bought(self, owner: str, plan: str = "gold") -> tuple[str, str]:
        """A customer orders and pays, and the webhooks come: the order's id and the payment's."""
        order_id = self.order(owner, plan)
        payment = self.rz.pay(order_id)["id"]
        self.passes(5)
        return order_id, payment

    def signed(self, body: bytes, event_id: str = "evt_by_hand") -> int:
        """A body that Razorpay signed, whatever it holds."""
        headers = {"X-Razorpay-Signature": sign_for_test(body, self.rz.webhook_secret), "X-Razorpay-Event-Id": event_id}
        return self.receive("POST", headers, body)


class Morning(Shop):
    """What happened, by name: ids of orders, payments, refunds and events."""

    def __init__(self, folder: Path, rz: Emulator | None = None) -> None:
        super().__init__(folder, rz)
        self.plain, self.plain_payment = self.bought("user:1")
        self.given_back, self.given_back_payment = self.bought("asha.rao@example.com", "silver")
        self.refund = str(self.rz.refund(self.given_back_payment, 50000)["id"])
        self.passes(60)
        self.unpaid = self.order("user:3")
        self.rz.pay(self.unpaid, outcome="failed")
        self.passes(5)
        self.deaf = True
        self.lost, self.lost_payment = self.bought("user:4")
        self.deaf = False
        self.twice, self.first = self.bought("user:5")
        self.surplus = str(self.rz.pay(self.twice, concurrent=True)["id"])
        self.passes(5)
        self.failing, self.failing_payment = self.bought("user:13")
        self.foreign = str(self.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).json()["id"])
        self.rz.pay(self.foreign)
        self.passes(5)
        self.signed(b'{"entity":"event","event":"payment.captured"', "evt_torn")
        self.signed(self._contradiction(), "evt_contradiction")
        odd = b'{"entity":"event","event":"payment.tele\\u001b[31mported","payload":{}}'
        self.signed(odd, EVENT_ID)
        self.odd = sha256(odd).hexdigest()
        self.rzp.close()

    def _contradiction(self) -> bytes:
        payment = {**self.rz.pay(self.order("user:6"), outcome="failed"), "acquirer_data": {}}
        event = {"entity": "event", "event": "payment.captured", "payload": {"payment": {"entity": payment}}}
        return json.dumps({**event, "created_at": payment["created_at"]}).encode()
