"""How many calls a second ``World.handle`` answers on one core, and what a month of payments leaves in memory.

Targets: 5,000 calls a second over the mix of a shop (create, look, capture, refund, list; the customer's payment is no
call and not timed), and as many records after thirty days as after ten where old things are forgotten.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode

from razorpay_hardened.emulator import Emulator, Options, Request

ORDERS = 2_000
DAYS, A_DAY = 30, 100
_DAY_S = 86_400


def _calls() -> tuple[int, float]:
    """Calls and the seconds of processor time that they took."""
    rz = Emulator(in_process=True)
    token = b64encode(f"{rz.key_id}:{rz.key_secret}".encode()).decode("ascii")
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    handle, spent, calls = rz.world.handle, 0.0, 0

    def call(method: str, path: str, body: bytes = b"", query: str = "") -> bytes:
        nonlocal spent, calls
        began = time.process_time()
        reply = handle(Request(method, path, query, headers, body))
        spent += time.process_time() - began
        calls += 1
        assert reply.status == 200
        return reply.body

    for nth in range(ORDERS):
        said = {"amount": 49_900, "currency": "INR", "receipt": f"r-{nth}", "payment_capture": 0}
        order = json.loads(call("POST", "/v1/orders", json.dumps(said).encode()))["id"]
        payment = rz.pay(order)["id"]
        call("GET", f"/v1/orders/{order}")
        call("GET", f"/v1/payments/{payment}")
        call("POST", f"/v1/payments/{payment}/capture", b'{"amount":49900,"currency":"INR"}')
        call("GET", f"/v1/orders/{order}/payments")
        call("POST", f"/v1/payments/{payment}/refund", b'{"amount":100}')
        call("GET", "/v1/payments", query="count=10")
    return calls, spent


def _records() -> list[int]:
    """Entities, versions, ids and events in the world after ten days and after thirty."""
    rz, found = Emulator(in_process=True, options=Options(forget_after_s=5 * _DAY_S)), []
    for day in range(1, DAYS + 1):
        for nth in range(A_DAY):
            said = {"amount": 49_900, "currency": "INR", "receipt": f"{day}-{nth}"}
            rz.pay(rz.request("POST", "/v1/orders", said).json()["id"])
        rz.clock.advance(_DAY_S)
        rz.deliver.to(lambda method, headers, body: 200).flush()
        if day in (10, DAYS):
            world = rz.world
            tables = sum(len(table) for table in world.tables.values())
            found.append(tables + len(world.versions) + len(world.minted) + len(world.events))
    return found


def main() -> None:
    """Measure and show."""
    calls, spent = _calls()
    print(f"emulator: {calls / spent:,.0f} calls/s of processor time over {calls:,} calls (target 5,000)")
    after_ten, after_thirty = _records()
    print(f"emulator: {after_ten:,} records after 10 days, {after_thirty:,} after {DAYS} (target: no growth)")
