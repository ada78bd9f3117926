"""What an emulator that forgets leaves in memory: order, payment, capture and four webhooks each, for months.

Target: no growth once the first weeks are over. ``BENCH_PAYMENTS=1000000 python -m benchmarks memory`` is the full run
(a quarter of an hour or more); without it a short one. Memory is what the process has resident now, from
``/proc/self/status``; where there is none, its highest so far.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from pathlib import Path

from razorpay_hardened.emulator import Deliveries, Emulator, Options

PAYMENTS = int(os.environ.get("BENCH_PAYMENTS", "40000"))
STEPS, A_DAY = 20, 1_000
_DAY_S = 86_400
_STATUS = Path("/proc/self/status")


def _resident_mib() -> float:
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class Shop:
    """Every order is made and captured by API; one in fifty is refunded with a key, one in fifty left at the bank."""

    def __init__(self) -> None:
        options = Options(forget_after_s=5 * _DAY_S)
        deliveries = Deliveries(lost=0.01, doubled=0.02, late=0.02)
        self.rz = Emulator(in_process=True, options=options, deliveries=deliveries)
        self.rz.deliver.to(self._receive)
        self.events = 0

    def _receive(self, _method: str, _headers: dict[str, str], _body: bytes) -> int:
        """An endpoint that is down for a moment now and then."""
        self.events += 1
        return 503 if self.events % 100 == 0 else 200

    def sell(self, nth: int) -> None:
        """One payment."""
        said = {"amount": 49_900, "currency": "INR", "receipt": f"r-{nth}", "payment_capture": 0}
        order = json.loads(self._call("/v1/orders", said))["id"]
        if nth % 50 == 0:
            self.rz.begin(order, "card")  # who never comes back
        payment = self.rz.pay(order)["id"]
        self._call(f"/v1/payments/{payment}/capture", {"amount": 49_900, "currency": "INR"})
        if nth % 50 == 0:
            self._call(f"/v1/payments/{payment}/refund", {"amount": 100}, {"X-Refund-Idempotency": f"refund-{nth:09}"})
        if nth % A_DAY == 0:
            self.rz.clock.advance(_DAY_S)

    def _call(self, path: str, body: object, headers: dict[str, str] | None = None) -> bytes:
        reply = self.rz.request("POST", path, body, headers=headers)
        assert reply.status == 200, reply.body
        return reply.body

    def records(self) -> int:
        """Entities, versions, events and deliveries that are still there."""
        world = self.rz.world
        tables = sum(len(table) for table in world.tables.values())
        return tables + len(world.versions) + len(world.minted) + len(world.events) + len(self.rz.deliver.log)


def main() -> None:
    """Sell and show."""
    shop, began, step = Shop(), time.process_time(), max(PAYMENTS // STEPS, 1)
    print(f"memory: {PAYMENTS:,} payments, {A_DAY:,} a virtual day, forgotten after 5 days (target: no growth)")
    for nth in range(1, PAYMENTS + 1):
        shop.sell(nth)
        if nth % step == 0:
            gc.collect()
            spent = time.process_time() - began
            print(
                f"memory: {nth:>9,} payments {shop.events:>10,} attempts {_resident_mib():7.1f} MiB"
                f" {shop.records():>8,} records {spent:7.0f} s",
                flush=True,
            )
