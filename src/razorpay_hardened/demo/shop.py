"""A small shop, as a user of this library would write it: a webhook endpoint, a checkout, three handlers.

``python -m razorpay_hardened.demo.shop`` is a supervisor that starts it, again and again, as a process that serves HTTP
on a free loopback port. The same :class:`Shop` runs inside the simulation without a socket.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

from razorpay_hardened.checkout import http_status
from razorpay_hardened.client import Client
from razorpay_hardened.demo.day import PLANS
from razorpay_hardened.demo.faults import grant_breaks, mail_breaks
from razorpay_hardened.demo.points import Points, watched
from razorpay_hardened.domain.money import Money
from razorpay_hardened.domain.plans import PlanCatalog
from razorpay_hardened.domain.state import RefundState
from razorpay_hardened.effects import Change, EffectTransaction
from razorpay_hardened.errors import RazorpayHardenedError
from razorpay_hardened.storage import SQLiteStore
from razorpay_hardened.web import Reply, Request
from razorpay_hardened.wiring import Razorpay

__all__ = ["KILL_HEADER", "SCHEMA", "Mailbox", "Shop", "WorldClock"]

KILL_HEADER: Final = "X-Demo-Kill"
"""Names the point at which this request is the shop's last. Only the demo's own shop reads it."""

SCHEMA: Final = (
    # Without UNIQUE on purpose: a second grant must be possible, or its absence would prove nothing.
    "CREATE TABLE IF NOT EXISTS demo_grants (order_id TEXT, owner TEXT, plan TEXT, key TEXT, at TEXT)",
    "CREATE TABLE IF NOT EXISTS demo_bookings (refund_id TEXT, amount INTEGER, key TEXT, at TEXT)",
)


class WorldClock:
    """The shop's clock is the world's, asked once for each request. Waiting costs no real time: it is only counted."""

    def __init__(self, ask: Callable[[], datetime]) -> None:
        self._ask = ask
        self._now = self._start = ask()
        self._waited = 0.0

    def refresh(self) -> None:
        """Ask the world what time it is."""
        self._now = self._ask()

    def now(self) -> datetime:
        """The world's time at the beginning of this request."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the shop was opened, waits included."""
        return (self._now - self._start).total_seconds() + self._waited

    def sleep(self, seconds: float) -> None:
        """Count the wait."""
        self._waited += seconds


class Mailbox:
    """The mail provider: a file with one line for each mail that it was given."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, key: str, to: str) -> None:
        """Take one mail. Appended in a single write, so that a kill leaves a whole line or none."""
        line = json.dumps({"key": key, "to": to}) + "\n"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def keys(self) -> list[str]:
        """The key of every mail that was sent, repeats included."""
        if not self._path.exists():
            return []
        return [str(json.loads(line)["key"]) for line in self._path.read_text().splitlines()]


class Shop:
    """The shop's code. ``folder`` holds its database and its outgoing mail; ``die`` is what a kill does."""

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: Path,
        *,
        seed: int,
        clock: WorldClock,
        die: Callable[[], NoReturn],
        client: Client | None = None,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.points = Points(die)
        self.mailbox = Mailbox(folder / "mails.jsonl")
        self._store = SQLiteStore(folder / "shop.db")
        self.rzp = Razorpay.from_env(
            environ, store=watched(self._store, self.points), client=client, clock=clock, plans=_plans()
        )
        self._store.migrate()
        with self._store.transaction() as tx:
            for statement in SCHEMA:
                tx.execute(statement)
        self._register()
        self._routes: dict[str, Callable[[Request], Reply]] = {
            "/webhook": self.rzp.webhooks.handle,
            "/start": self._start,
            "/confirm": self._confirm,
            "/refund": self._refund,
            "/process-pending": self._process_pending,
        }

    # --- what the shop does for its money

    def _register(self) -> None:
        self.rzp.on("order.paid", name="grant")(self._grant)
        self.rzp.after("order.paid", name="mail")(self._mail)
        self.rzp.on("refund.processed", name="book")(self._book)
        self.rzp.after("payment.surplus", name="give-back")(self._give_back)

    def _grant(self, change: Change, tx: EffectTransaction) -> None:
        assert change.order is not None
        order = change.order
        values = (order.order_id, order.owner, order.plan, change.key, change.at.isoformat())
        tx.execute("INSERT INTO demo_grants VALUES (?, ?, ?, ?, ?)", values)
        self.points.reach("in_handler")
        if grant_breaks(self.seed, order.owner, change.attempt):
            raise RuntimeError("a bug in the shop's own code")

    def _mail(self, change: Change) -> None:
        assert change.order is not None
        if mail_breaks(self.seed, change.key, change.attempt):
            raise ConnectionError("the mail provider does not answer")
        self.mailbox.send(change.key, change.order.owner)
        self.points.reach("mailed")

    def _book(self, change: Change, tx: EffectTransaction) -> None:
        refund = change.entity
        assert isinstance(refund, RefundState)
        values = (change.key.partition(":")[2], refund.amount, change.key, change.at.isoformat())
        tx.execute("INSERT INTO demo_bookings VALUES (?, ?, ?, ?)", values)

    def _give_back(self, change: Change) -> None:
        payment = change.key.partition(":")[2]
        self.rzp.checkout.refund(payment, key=f"surplus-{payment}")

    # --- its endpoints

    def answer(self, request: Request) -> Reply:
        """Answer one request; an error of the library is told by its code."""
        self.clock.refresh()
        self.points.arm(request.headers.get(KILL_HEADER))
        route = self._routes.get(request.path)
        if route is None:
            return Reply(404)
        try:
            return route(request)
        except RazorpayHardenedError as error:
            status = http_status(error) if request.path == "/confirm" else 503 if error.retryable else 409
            return Reply.json(status, {"error": error.code})

    def _start(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        order = self.rzp.checkout.start(owner=asked["owner"], plan=asked["plan"], key=asked["key"])
        return Reply.json(200, {"order_id": order.order_id, "local_id": order.local_id})

    def _confirm(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        confirmed = self.rzp.checkout.confirm(asked["form"], owner=asked["owner"])
        return Reply.json(confirmed.http_status, {"outcome": confirmed.outcome})

    def _refund(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        amount = None if asked["amount"] is None else Money(asked["amount"], "INR")
        refund = self.rzp.checkout.refund(asked["payment"], amount, key=asked["key"])
        return Reply.json(200, {"refund_id": refund.refund_id, "status": refund.status})

    def _process_pending(self, request: Request) -> Reply:
        """What a cron job calls every few minutes."""
        limit = json.loads(request.body)["limit"]
        done = self.rzp.webhooks.process_pending(limit=limit)
        swept = self.rzp.checkout.sweep(limit=limit)
        counts = {"found": swept.found, "failed": swept.failed, "refunded": swept.refunded, "left": swept.left}
        return Reply.json(200, {"done": done.total, "failures": done.failed, **counts})

    def close(self) -> None:
        """Close what was opened."""
        self.rzp.close()


def _plans() -> PlanCatalog:
    return PlanCatalog({name: Money.inr(price) for name, price in PLANS.items()})


if __name__ == "__main__":
    from razorpay_hardened.demo._shop_http import supervise

    supervise()
