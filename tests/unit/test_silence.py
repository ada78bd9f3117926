"""Money without webhooks is seen, a quiet night is not taken for it; and the endpoint's failures are told in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outage import HOUR, Outage
from razorpay_hardened import web
from razorpay_hardened.errors import ApiTimeout, StorageUnavailable
from razorpay_hardened.reconcile.silence import last_delivery

NIGHT = 12 * HOUR


def keys(shop: Outage, prefix: str) -> list[str]:
    return [alarm.key for alarm in shop.alarms if alarm.key.startswith(prefix)]


# --- silence


def test_a_night_without_sales_is_no_silence() -> None:
    """Nothing came, and there was nothing to tell."""
    shop = Outage()
    shop.sell()
    for _ in range(12):
        shop.passes(HOUR)
        assert shop.rzp.recovery.look() is None
    assert shop.alarms == []
    shop.close()


def test_a_shop_that_sells_and_hears_is_never_silent() -> None:
    """At no hour of a day, whatever is sold or refused meanwhile."""
    shop = Outage()
    for hour in range(24):
        order, payment = shop.sell()
        if hour % 5 == 0:
            shop.passes(60)
            shop.rz.refund(payment, 100)
        shop.passes(HOUR + 300)
        assert shop.rzp.recovery.look() is None, order
    shop.close()


def test_money_and_no_webhook_is_silence_and_alarms_once() -> None:
    """After the grace and the hour, not before; the alarm's key says since when, and is the same at every look."""
    shop = Outage()
    shop.sell()
    shop.passes(1800)
    since = last_delivery(shop.store, shop.rz.clock.now())
    shop.down = True
    shop.sell()
    shop.passes(1700)
    assert shop.rzp.recovery.look() is None, "an hour is not over, nor is the grace"
    shop.passes(900)
    for _ in range(3):
        silence = shop.rzp.recovery.look()
        assert silence is not None
        assert (silence.reason, silence.since, silence.payments, silence.refunds) == ("nothing_comes", since, 1, 0)
        shop.passes(HOUR)
    assert since is not None
    assert keys(shop, "silence:") == [f"silence:nothing_comes:{since:%Y-%m-%dT%H:%M:%SZ}"]
    shop.down = False
    shop.rz.deliver.flush()
    assert shop.rzp.recovery.look() is None
    shop.close()


def test_a_refund_without_a_webhook_is_silence_too() -> None:
    """Money that leaves counts as money that comes."""
    shop = Outage()
    _, payment = shop.sell()
    shop.passes(60)
    shop.down = True
    shop.rz.refund(payment, 100)
    shop.passes(2 * HOUR)
    silence = shop.rzp.recovery.look()
    assert silence is not None
    assert (silence.payments, silence.refunds) == (0, 1)
    shop.close()


def test_failed_payments_alone_are_no_silence() -> None:
    """An endpoint need not subscribe to them, and no money is in doubt."""
    shop = Outage()
    shop.sell()
    shop.passes(60)
    shop.down = True
    order = shop.rzp.checkout.start(owner="user:7", amount=_rupees("499.00"))
    shop.rz.pay(order.order_id, outcome="failed")
    shop.passes(NIGHT)
    assert shop.rzp.recovery.look() is None
    shop.close()


def test_an_endpoint_that_was_never_heard() -> None:
    """Its first order is paid, and nothing has ever come: silence, since ever. What runs then begins a day ago."""
    shop = Outage()
    shop.down = True
    shop.sell()
    shop.passes(2 * HOUR)
    silence = shop.rzp.recovery.look()
    assert silence is not None
    assert (silence.reason, silence.since) == ("nothing_comes", None)
    assert keys(shop, "silence:") == ["silence:nothing_comes"]
    assert "no webhook ever" in str(silence)
    assert shop.rzp.recovery.run().milestones["order.paid"] == 1
    shop.close()


def test_sales_of_others_do_not_alarm_who_was_never_connected() -> None:
    """On an account of several applications, an installation without a webhook of its own hears nothing, rightly."""
    shop = Outage()
    shop.down = True
    foreign = shop.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).json()["id"]
    shop.rz.pay(foreign)
    shop.rz.pay(None, amount=500)
    shop.passes(NIGHT)
    assert shop.rzp.recovery.look() is None
    assert shop.alarms == []
    shop.close()


def test_sales_of_others_alarm_who_used_to_hear_of_them() -> None:
    """Every endpoint of the account gets every event: where they came, and come no more, something is off."""
    shop = Outage()
    shop.sell()
    shop.passes(60)
    shop.down = True
    foreign = shop.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"}).json()["id"]
    shop.rz.pay(foreign)
    shop.passes(NIGHT)
    silence = shop.rzp.recovery.look()
    assert silence is not None
    assert silence.reason == "nothing_comes"
    shop.close()


def test_deliveries_that_tell_nothing_of_ours() -> None:
    """Someone unticked the payment events: other news still comes, and none of three sales is ever told."""
    shop = Outage()
    shop.rz.faults.add("on EVENT payment.authorized: lost always\non EVENT payment.captured: lost always")
    shop.rz.faults.add("on EVENT order.paid: lost always")
    for sales in range(1, 4):
        shop.sell()
        shop.passes(1900)
        shop.rz.downtime("upi")
        shop.passes(10)
        found = shop.rzp.recovery.look()
        assert (found is not None) == (sales == 3)
    assert found is not None
    assert (found.reason, found.payments) == ("none_of_ours", 3)
    assert keys(shop, "silence:") == ["silence:none_of_ours"]
    shop.rz.faults.clear()
    shop.sell()
    shop.passes(1900)
    assert shop.rzp.recovery.look() is None
    shop.close()


def test_a_customers_return_is_no_webhook() -> None:
    """What is known here only because the browser said so was not told by Razorpay: it is silence all the same."""
    shop = Outage()
    shop.down = True
    order, payment = shop.sell()
    shop.rzp.checkout.confirm(shop.rz.checkout_form(payment), owner="user:7")
    shop.passes(2 * HOUR)
    assert {row.status for row in shop.store.orders()} == {"paid"}, order
    assert shop.rzp.recovery.look() is not None
    shop.close()


def test_looking_writes_nothing_and_costs_two_calls() -> None:
    """It may be called every minute."""
    shop = Outage()
    shop.down = True
    shop.sell()
    shop.passes(2 * HOUR)
    before, shop.line.calls = shop.store.status().counts, 0
    assert shop.rzp.recovery.look() is not None
    assert (shop.store.status().counts, shop.line.calls) == (before, 2)
    shop.close()


def test_what_comes_while_razorpay_is_asked_is_no_silence() -> None:
    """The webhook was late by as long as the question took."""
    shop = Outage()
    shop.down = True
    shop.sell()
    shop.passes(2 * HOUR)
    asked = shop.line._call

    def call(verb: str, *args: Any, **kwargs: Any) -> Any:
        shop.down = False
        shop.rz.deliver.flush()
        return asked(verb, *args, **kwargs)

    shop.line._call = call  # type: ignore[method-assign]
    assert shop.rzp.recovery.look() is None
    assert shop.alarms == []
    shop.close()


def test_an_api_that_does_not_answer_is_an_error() -> None:
    """Not seeing is not the same as seeing nothing."""
    shop = Outage()
    shop.line.fail_at = 1
    with pytest.raises(ApiTimeout):
        shop.rzp.recovery.look()
    shop.close()


def _rupees(text: str) -> Any:
    from razorpay_hardened import Money

    return Money.inr(text)


class Row(NamedTuple):
    received_at: datetime
    digest: str


class Inbox:
    """Deliveries by age, oldest first, and how often it was asked."""

    def __init__(self, times: Sequence[datetime]) -> None:
        self.rows = sorted(Row(at, f"{number:064d}") for number, at in enumerate(times))
        self.asked = 0

    def deliveries(self, *, after: tuple[datetime, str], limit: int) -> list[Row]:
        self.asked += 1
        return [row for row in self.rows if row > after][:limit]


@given(st.lists(st.integers(0, 120 * 86_400)))
def test_the_last_delivery_is_found(ages: list[int]) -> None:
    """In a few small questions; None where the newest is older than 90 days."""
    now = datetime(2026, 1, 5, tzinfo=UTC)
    inbox: Any = Inbox([now - timedelta(seconds=age) for age in ages])
    found = last_delivery(inbox, now)
    newest = max((row.received_at for row in inbox.rows), default=None)
    if newest is None or now - newest > timedelta(days=90):
        assert found is None
    else:
        assert found == newest
    assert inbox.asked < 50 + len(ages)


# --- the 24-hour clock


class Unwell(Outage):
    """A shop whose store can be made to fail, and whose grant can: what its endpoint answers is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.raises = False
        self.rzp.on("order.paid", name="grant")(self._grant)

    def _grant(self, change: Any, tx: Any) -> None:
        if self.raises:
            raise RuntimeError("the licence server is gone")

    def deliver(self) -> list[int | None]:
        """One attempt for all that waits."""
        return [attempt.status for attempt in self.rz.deliver.flush()]


def test_an_endpoint_that_cannot_store_is_told_at_12_and_at_20_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the first failure since the last 2xx; each alarm once; nothing after a success."""
    shop = Unwell()
    shop.sell()
    shop.passes(60)

    def refuse(**_: Any) -> Any:
        raise StorageUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "transaction", refuse)
        shop.rz.request("POST", "/v1/orders", {"amount": 100, "currency": "INR"})
        shop.rz.pay(None, amount=500)
        begun = shop.rz.clock.now()
        shop.deliver()
        told = {}
        for hour in range(1, 23):
            shop.passes(HOUR)
            assert set(shop.deliver()) <= {503}
            told[hour] = [key.split(":")[1] for key in keys(shop, "failing:")]
    assert told[11] == []
    assert told[12] == told[19] == ["12h"]
    assert told[20] == told[22] == ["12h", "20h"]
    assert keys(shop, "failing:")[0] == f"failing:12h:{begun:%Y-%m-%dT%H:%M:%SZ}"

    shop.deliver()
    shop.passes(20 * HOUR)
    shop.rz.pay(None, amount=500)
    shop.deliver()
    assert len(keys(shop, "failing:")) == 2
    shop.close()


def test_a_bad_signature_is_no_failure_of_the_endpoint() -> None:
    """Anybody can send one: 401 neither begins a streak nor ends one."""
    shop = Unwell()
    for _ in range(30):
        reply = shop.rzp.webhooks.handle(web.Request("POST", {"X-Razorpay-Signature": "0" * 64}, b"{}"))
        assert reply.status == 401
        shop.passes(HOUR)
    assert shop.alarms == []
    shop.close()


def test_one_success_begins_the_count_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven hours, a 200, eleven hours: nobody is woken. In a batch it counts alike."""
    shop = Unwell()
    shop.rz.deliver.to(None)

    def attempt(*, broken: bool, together: bool) -> None:
        paid = [shop.rz.pay(None, amount=500)["id"].encode() for _ in range(2)]
        fresh = [one for one in shop.rz.deliver.pending() if any(name in one.body for name in paid)]
        assert len(fresh) == 2
        requests = [web.Request(one.method, one.headers, one.body) for one in fresh]

        def refuse(**_: Any) -> Any:
            raise StorageUnavailable("the disk is full")

        with monkeypatch.context() as patch:
            if broken:
                patch.setattr(shop.store, "transaction", refuse)
            one_by_one = [] if together else [shop.rzp.webhooks.handle(one) for one in requests]
            replies = one_by_one or shop.rzp.webhooks.handle_many(requests)
            assert {reply.status for reply in replies} == {503 if broken else 200}

    for together in (False, True, False):
        attempt(broken=True, together=together)
        shop.passes(11 * HOUR)
        attempt(broken=True, together=together)
        attempt(broken=False, together=together)
    assert keys(shop, "failing:") == []
    shop.close()


def test_a_failing_handler_is_told_of_by_the_worker() -> None:
    """Other deliveries succeed meanwhile, so that no streak is seen: the one that waits is, by its age, with its
    handler's name. Once it has been mended, nothing is told."""
    shop = Unwell()
    shop.raises = True
    shop.sell()
    told = {}
    for hour in range(1, 22):
        shop.passes(HOUR)
        shop.rz.pay(None, amount=500)  # unbound: its handlers succeed
        shop.passes(1)
        shop.rzp.webhooks.process_pending()
        told[hour] = [key.split(":")[1] for key in keys(shop, "failing:")]
        if hour == 12:
            [waiting] = shop.store.deliveries(states=("waiting",))
            assert keys(shop, "failing:") == [f"failing:12h:{waiting.digest}"]
            assert "grant" in next(alarm.detail for alarm in shop.alarms if alarm.key.startswith("failing:"))
    assert told[11] == []
    assert told[12] == told[18] == ["12h"]
    shop.close()


def test_a_handler_that_was_mended_is_not_told_of() -> None:
    """Its delivery waits for the redelivery, which will be answered 200."""
    shop = Unwell()
    shop.raises = True
    shop.sell()
    shop.passes(11 * HOUR)
    shop.raises = False
    shop.rz.deliver.to(None)  # no redelivery for a while
    drained = shop.rzp.webhooks.drain()
    assert (drained.failed, drained.left) == (0, 0)
    assert [row.state for row in shop.store.deliveries(states=("waiting",))] == ["waiting"]
    shop.passes(3 * HOUR)
    shop.rzp.webhooks.process_pending()
    assert keys(shop, "failing:") == []
    shop.close()
