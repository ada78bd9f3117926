"""The emulator's laws: the books balance after anything, and what is forgotten leaves no trace and no hole."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from razorpay_hardened.emulator import Emulator, Options
from razorpay_hardened.errors import ConfigError
from support.emulator_api import DAY_S, Api, account

AMOUNTS = st.integers(100, 500_000)
STEPS = st.one_of(
    st.tuples(st.just("pay"), AMOUNTS, st.sampled_from(["upi", "card", "netbanking", "wallet", "emi"])),
    st.tuples(st.just("hold"), AMOUNTS, st.none()),
    st.tuples(st.just("refund"), st.integers(1, 100), st.sampled_from(["normal", "optimum"])),
    st.tuples(st.just("fail a refund"), st.integers(0, 9), st.none()),
    st.tuples(st.just("dispute"), st.integers(1, 100), st.sampled_from(["won", "lost", "accept", None])),
    st.tuples(st.just("transfer"), st.integers(1, 100), st.none()),
    st.tuples(st.just("reverse"), st.integers(0, 9), st.none()),
    st.tuples(st.just("instant"), st.integers(1, 100), st.none()),
    st.tuples(st.just("settle"), st.sampled_from([0, 1]), st.none()),
    st.tuples(st.just("wait"), st.integers(0, 5 * DAY_S), st.none()),
)


class Business:
    """Does whatever a step says, as far as the account lets it."""

    def __init__(self, options: Options) -> None:
        self.api = Api(Emulator(in_process=True, options=options))
        self.rz = self.api.rz
        self.share = account(self.api)

    def _last(self, kind: str, nth: int = 0) -> Any:
        found = list(self.rz.world.table(kind).values())
        return found[-1 - nth % len(found)] if found else None

    def do(self, what: str, number: int, how: Any) -> None:
        rz = self.rz
        payment = self._last("payment")
        if what == "pay":
            self.api.paid(number, how)
        elif what == "hold":
            order = self.api.post("/orders", {"amount": number, "currency": "INR", "payment_capture": 0})
            rz.pay(order["id"])
        elif what == "refund" and payment:
            amount = max(1, payment["amount"] * number // 100)
            rz.request("POST", f"/v1/payments/{payment['id']}/refund", {"amount": amount, "speed": how})
        elif what == "fail a refund" and (refund := self._last("refund", number)) and refund["status"] == "pending":
            rz.settle_refund(refund["id"], "failed")
        elif what == "dispute" and payment and payment["captured"]:
            dispute = rz.dispute(payment["id"], max(1, payment["amount"] * number // 100))["id"]
            if how == "accept":
                rz.request("POST", f"/v1/disputes/{dispute}/accept")
            elif how is not None:
                rz.request("PATCH", f"/v1/disputes/{dispute}/contest", {"action": "submit"})
                rz.decide_dispute(dispute, how)
        elif what == "transfer" and payment:
            share = {"account": self.share, "amount": payment["amount"] * number // 100, "currency": "INR"}
            rz.request("POST", f"/v1/payments/{payment['id']}/transfers", {"transfers": [share]})
        elif what == "reverse" and (transfer := self._last("transfer", number)):
            rz.request("POST", f"/v1/transfers/{transfer['id']}/reversals", {})
        elif what == "instant":
            rz.request("POST", "/v1/settlements/ondemand", {"amount": max(0, rz.balance) * number // 100})
        elif what == "settle":
            rz.settle("processed" if number else "failed")
        elif what == "wait":
            rz.clock.advance(number)


def balance_check(rz: Emulator) -> None:
    """The laws of FACTS section 14, over the rows that the recon report shows."""
    world = rz.world
    rows = list(world.books.rows())
    moved = sum(row["credit"] - row["debit"] for row in rows)
    paid_out = sum(one["amount"] for one in world.table("settlement").values())
    by_settlement: dict[str, int] = defaultdict(int)
    for row in rows:
        assert row["credit"] == 0 or row["debit"] == 0
        assert 0 <= row["tax"] <= row["fee"]
        if row["type"] == "payment":
            assert row["credit"] == row["amount"] - row["fee"]
        if row["type"] == "transfer":
            assert row["debit"] == row["amount"] + row["fee"]
        if row["settlement_id"] is not None:
            by_settlement[row["settlement_id"]] += row["credit"] - row["debit"]
    assert moved == paid_out + rz.balance
    assert by_settlement == {one["id"]: one["amount"] for one in world.table("settlement").values()}
    paid_rows = [row["entity_id"] for row in rows if row["type"] == "payment"]
    assert sorted(paid_rows) == sorted(key for key, payment in world.payments.items() if payment["captured"])
    for payment in world.payments.values():
        refunds = [world.refunds[one] for one in world.payment_refunds.get(payment["id"], ())]
        assert payment["amount_refunded"] == sum(one["amount"] for one in refunds if one["status"] != "failed")
        assert 0 <= payment["amount_refunded"] <= payment["amount"]


@given(steps=st.lists(STEPS, max_size=25), onset=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_books_balance_after_anything(steps: list[Any], onset: bool) -> None:
    """Whatever the business, its customers and the banks do: what came in is what was paid out and what is left,
    settlement by settlement, and every captured payment is in the books once."""
    business = Business(Options(deduct_dispute_at_onset=onset))
    for step in steps:
        business.do(*step)
        balance_check(business.rz)
    business.rz.clock.advance(30 * DAY_S)
    balance_check(business.rz)


def test_an_order_with_all_about_it_is_forgotten() -> None:
    """A month later a finished order, its payment, refund and events are gone; what is open stays."""
    api = Api(Emulator(in_process=True))
    done = api.paid(receipt="r-1")
    refund = api.post(f"/payments/{done['id']}/refund", {"amount": 500})
    disputed = api.paid()
    dispute = api.rz.dispute(disputed["id"], respond_within_s=90 * DAY_S)
    api.rz.clock.advance(30 * DAY_S)
    unpaid = api.post("/orders", {"amount": 5000, "currency": "INR"})

    assert api.rz.world.forget(20 * DAY_S) == 4  # order, payment, refund, settlement
    for path in (f"/orders/{done['order_id']}", f"/payments/{done['id']}", f"/refunds/{refund['id']}"):
        assert api.refused("GET", path) == "The id provided does not exist"
    assert api.get(f"/disputes/{dispute['id']}")["status"] == "open"
    assert api.get(f"/payments/{disputed['id']}")["status"] == "captured"
    assert api.get(f"/orders/{unpaid['id']}")["status"] == "created"
    assert api.get("/orders", receipt="r-1")["items"] == []


def test_links_and_invoices_are_forgotten_with_their_orders() -> None:
    """What was paid through a link or an invoice leaves nothing; an open subscription keeps what it needs."""
    api = Api(Emulator(in_process=True))
    link = api.post("/payment_links", {"amount": 30_000, "currency": "INR"})["id"]
    api.rz.pay_link(link)
    line = {"name": "Book", "amount": 500}
    bill = {"type": "invoice", "customer": {"name": "Gaurav"}, "line_items": [line]}
    api.rz.pay_invoice(api.post("/invoices", bill)["id"])
    item = {"name": "Gold", "amount": 69_900, "currency": "INR"}
    plan = api.post("/plans", {"period": "monthly", "interval": 1, "item": item})["id"]
    subscription = api.post("/subscriptions", {"plan_id": plan, "total_count": 12})["id"]
    api.rz.authenticate(subscription)
    api.rz.clock.advance(25 * DAY_S)
    api.rz.world.forget(10 * DAY_S)
    tables = {kind: len(table) for kind, table in api.rz.world.tables.items() if table}

    assert tables == {"customer": 2, "plan": 1, "subscription": 1, "token": 1}
    assert api.rz.world.on_captured == {}
    api.rz.clock.advance(10 * DAY_S)
    assert api.get(f"/subscriptions/{subscription}")["paid_count"] == 2


def test_an_id_is_never_made_twice() -> None:
    """An order with the receipt of a forgotten one is another order."""
    api = Api(Emulator(in_process=True))
    first = api.paid(receipt="r-1")["order_id"]
    api.rz.clock.advance(30 * DAY_S)
    assert api.rz.world.forget(20 * DAY_S) > 0
    assert api.paid(receipt="r-1")["order_id"] != first


def test_what_may_still_change_is_not_forgotten() -> None:
    """Less than five days is refused, by hand or as a setting; a row that waits keeps its payment, whatever its age."""
    with pytest.raises(ConfigError, match="cannot forget"):
        Emulator(in_process=True, options=Options(forget_after_s=DAY_S))
    api = Api(Emulator(in_process=True, options=Options(auto_settle=False)))
    api.paid()
    with pytest.raises(ConfigError, match="cannot forget"):
        api.rz.world.forget(DAY_S)
    api.rz.clock.advance(60 * DAY_S)
    assert api.rz.world.forget(20 * DAY_S) == 0  # its row still waits for a settlement


def test_memory_is_bounded() -> None:
    """With a setting, months of payments keep only the youngest: every record stops growing."""
    rz = Emulator(in_process=True, options=Options(forget_after_s=5 * DAY_S))
    api = Api(rz)
    sizes = []
    for day in range(60):
        for nth in range(5):
            payment = api.paid(receipt=f"{day}-{nth}")
            rz.request("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})
        rz.clock.advance(DAY_S)
        rz.deliver.to(lambda method, headers, body: 200).flush()
        if day in (29, 59):
            sizes.append(records(rz))

    assert max(sizes[0].values()) < 400
    assert all(sizes[1][name] <= sizes[0][name] * 1.5 + 5 for name in sizes[0]), sizes


def records(rz: Emulator) -> dict[str, int]:
    world, deliver = rz.world, rz.deliver
    return {
        "orders": len(world.orders),
        "payments": len(world.payments),
        "refunds": len(world.refunds),
        "settlements": len(world.table("settlement")),
        "rows": sum(1 for _ in world.books.rows()) // 3,
        "events": len(world.events) // 6,
        "versions": len(world.versions) // 3,
        "minted": len(world.minted) // 10,
        "receipts": len(world.receipts),
        "order payments": len(world.order_payments),
        "payment refunds": len(world.payment_refunds),
        "terms": len(world.terms),
        "log": len(deliver.log) // 6,
        "due": len(deliver.pending()),
    }
