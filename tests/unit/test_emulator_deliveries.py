"""Webhook deliveries: the plan of chance, the ladder of retries, and time."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.emulator import EVENT_FAULTS, Deliveries, Emulator
from razorpay_hardened.emulator.deliver import LADDER_S
from razorpay_hardened.errors import ConfigError, EventUnknown
from razorpay_hardened.signing import SIGNATURE_HEADER, sign_for_test, verify_webhook

TRIO = ["order.paid", "payment.authorized", "payment.captured"]


class Shop:
    """An endpoint that remembers what came and answers as told."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    def __call__(self, method: str, headers: dict[str, str], body: bytes) -> int | None:
        assert method == "POST"
        self.headers.append(headers)
        self.bodies.append(body)
        return self.status

    @property
    def names(self) -> list[str]:
        return [json.loads(body)["event"] for body in self.bodies]


def emulator(**plan: Any) -> Emulator:
    return Emulator(in_process=True, deliveries=Deliveries(**plan))


def pay(rz: Emulator, receipt: str = "r-1", **how: Any) -> str:
    order = rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR", "receipt": receipt}).json()
    return str(rz.pay(order["id"], **how)["id"])


def test_headers_and_signature() -> None:
    """A delivery carries the published headers, and its raw body verifies with the webhook secret."""
    rz, shop = emulator(), Shop()
    pay(rz)
    rz.deliver.to(shop)
    rz.clock.advance(2)
    headers, body = shop.headers[0], shop.bodies[0]

    assert set(headers) == {
        "Content-Type",
        "User-Agent",
        "Request-Id",
        "X-Razorpay-Event-Id",
        "X-Razorpay-Signature",
    }
    assert len(headers["X-Razorpay-Event-Id"]) == 14
    assert verify_webhook(body, headers[SIGNATURE_HEADER], secret=rz.webhook_secret)
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()


def test_delivered_within_the_delay() -> None:
    """Nothing comes before its time, everything within the longest delay, each once."""
    rz, shop = emulator(delay_s=(1, 3)), Shop()
    rz.deliver.to(shop)
    pay(rz)
    rz.clock.advance(0.999)
    early = list(shop.names)
    rz.clock.advance(2.001)

    assert early == []
    assert sorted(shop.names) == TRIO
    assert rz.deliver.pending() == []


def test_order_is_not_guaranteed() -> None:
    """Different delays make different events overtake each other."""
    rz, shop = emulator(), Shop()
    rz.deliver.to(shop)
    orders = set()
    for number in range(20):
        pay(rz, f"r-{number}")
        before = len(shop.names)
        rz.clock.advance(3)
        orders.add(tuple(shop.names[before:]))

    assert len(orders) > 3


def test_events_wait_for_an_endpoint() -> None:
    """Without an endpoint events wait; a test may take what is due and report for itself."""
    rz = emulator()
    pay(rz)
    assert rz.deliver.due() == [one for one in rz.deliver.pending() if one.due == rz.clock.now()]
    rz.clock.advance(5)
    due = rz.deliver.due()
    for delivery in due[:2]:
        rz.deliver.answered(delivery, 204)
    rz.deliver.answered(due[2], 500)

    assert sorted(delivery.event for delivery in due) == TRIO
    assert [(one.event, one.attempt) for one in rz.deliver.pending()] == [(due[2].event, 2)]
    assert rz.deliver.due(rz.clock.now() + timedelta(seconds=6)) == rz.deliver.pending()


def test_late_endpoints_get_what_waits() -> None:
    """An endpoint given later receives the old events when the clock next moves."""
    rz, shop = emulator(), Shop()
    pay(rz)
    rz.clock.advance(3600)
    rz.deliver.to(shop)
    rz.clock.advance(0)

    assert sorted(shop.names) == TRIO


def test_flush_sends_everything_once() -> None:
    """flush makes one attempt for all that is outstanding, due or not, and no time passes."""
    rz, shop = emulator(delay_s=(60, 90)), Shop(500)
    pay(rz)
    before = rz.clock.now()
    attempts = rz.deliver.to(shop).flush()

    assert sorted(attempt.event for attempt in attempts) == TRIO
    assert {attempt.status for attempt in attempts} == {500}
    assert rz.clock.now() == before
    shop.status = 200
    assert len(rz.deliver.flush()) == 3
    assert rz.deliver.flush() == []
    assert len({one["X-Razorpay-Event-Id"] for one in shop.headers}) == 3


def test_flush_without_an_endpoint() -> None:
    """With nowhere to go nothing is attempted and nothing is lost."""
    rz = emulator()
    pay(rz)

    assert rz.deliver.flush() == []
    assert len(rz.deliver.pending()) == 3


@pytest.mark.parametrize("status", [None, 500, 400, 401, 301, 199, 302])
def test_the_ladder(status: int | None) -> None:
    """Anything but a 2xx is tried again at growing intervals for a day: 16 attempts, same id, same body."""
    rz, shop = emulator(delay_s=(0, 0)), Shop(status)
    rz.deliver.to(shop)
    pay(rz, outcome="failed")
    rz.clock.advance(86_400)
    times = [(attempt.at - rz.deliver.log[0].at).total_seconds() for attempt in rz.deliver.log]

    assert times == [0, *LADDER_S]
    assert len(times) == 16
    assert len(set(shop.bodies)) == 1
    assert len({headers["X-Razorpay-Event-Id"] for headers in shop.headers}) == 1
    assert rz.deliver.disabled
    assert rz.deliver.pending() == []
    assert [(notice.webhook, notice.to) for notice in rz.deliver.notices] == [("main", "alerts@example.com")]


def test_acknowledged_after_a_failure() -> None:
    """A later 2xx ends the retries, and the endpoint stays on."""
    rz, shop = emulator(delay_s=(0, 0)), Shop(503)
    rz.deliver.to(shop)
    pay(rz, outcome="failed")
    rz.clock.advance(10)
    shop.status = 202
    rz.clock.advance(2 * 86_400)

    assert [attempt.status for attempt in rz.deliver.log] == [503, 503, 202]
    assert not rz.deliver.disabled


def test_a_disabled_endpoint_gets_nothing() -> None:
    """Once switched off, nothing is sent; what happens meanwhile is never sent, even after switching on again."""
    rz, shop = emulator(), Shop(500)
    rz.deliver.to(shop)
    pay(rz, outcome="failed")
    rz.clock.advance(86_500)
    sent, shop.status = len(shop.names), 200
    pay(rz, "missed")
    rz.clock.advance(3600)
    assert (len(shop.names), rz.deliver.flush()) == (sent, [])
    rz.deliver.enable()
    pay(rz, "seen")
    rz.clock.advance(10)

    assert sorted(shop.names[sent:]) == TRIO


def test_waiting_events_survive_the_switch() -> None:
    """What was already waiting when the endpoint was switched off goes out after it is switched on."""
    rz, shop = emulator(delay_s=(0, 0)), Shop(500)
    rz.deliver.to(shop)
    pay(rz, "first", outcome="failed")
    rz.clock.advance(80_000)
    pay(rz, "second", outcome="failed")
    rz.clock.advance(6_500)
    waiting = rz.deliver.pending()
    shop.status = 200
    rz.deliver.enable()
    rz.clock.advance(86_400)

    assert rz.deliver.log[-1].event_id == waiting[0].event_id
    assert rz.deliver.log[-1].acknowledged


def test_replay() -> None:
    """A replay has the old body and id, signed with today's secret; retries keep the signature of their time."""
    rz, shop = emulator(delay_s=(0, 0)), Shop(500)
    rz.deliver.to(shop)
    pay(rz, outcome="failed")
    old = rz.webhook_secret
    rz.clock.advance(0)
    rz.rotate_webhook_secret("another-webhook-secret")
    shop.status = 200
    rz.clock.advance(60)
    event_id = shop.headers[0]["X-Razorpay-Event-Id"]
    rz.deliver.replay(event_id)
    rz.clock.advance(0)
    signatures = [headers["X-Razorpay-Signature"] for headers in shop.headers]

    assert verify_webhook(shop.bodies[1], signatures[1], secret=old)
    assert verify_webhook(shop.bodies[2], signatures[2], secret="another-webhook-secret")
    assert (len(set(shop.bodies)), shop.headers[2]["X-Razorpay-Event-Id"]) == (1, event_id)
    with pytest.raises(EventUnknown):
        rz.deliver.replay("nothing")


def test_lost_events_never_arrive() -> None:
    """A lost event is not retried: only a fetch can find what it said."""
    rz, shop = emulator(lost=1.0), Shop()
    rz.deliver.to(shop)
    payment_id = pay(rz)
    rz.clock.advance(2 * 86_400)

    assert shop.names == []
    assert len(rz.deliver.lost) == 3
    assert rz.world.payments[payment_id]["status"] == "captured"


def test_doubled_events_arrive_twice() -> None:
    """A doubled event comes again although it was acknowledged: same id, same bytes."""
    rz, shop = emulator(doubled=1.0), Shop()
    rz.deliver.to(shop)
    pay(rz)
    rz.clock.advance(10)

    assert Counter(shop.names) == dict.fromkeys(TRIO, 2)
    assert set(Counter(shop.bodies).values()) == {2}


def test_late_events() -> None:
    """A late event takes the long way."""
    rz, shop = emulator(late=1.0, late_s=(600, 700)), Shop()
    rz.deliver.to(shop)
    pay(rz)
    rz.clock.advance(599)
    early = list(shop.names)
    rz.clock.advance(101)

    assert (early, sorted(shop.names)) == ([], TRIO)


def test_shares_are_met() -> None:
    """Over many events the share of lost ones is near the probability."""
    rz = emulator(lost=0.2)
    for number in range(100):
        pay(rz, f"r-{number}")

    assert 35 <= len(rz.deliver.lost) <= 85  # 60 expected of 300


def test_a_raising_endpoint_did_not_answer() -> None:
    """An endpoint that raises counts as a failure, its error is seen, and the delivery is tried again."""
    rz = emulator(delay_s=(0, 0))
    pay(rz, outcome="failed")

    def crash(method: str, headers: dict[str, str], body: bytes) -> int:
        raise RuntimeError("killed")

    rz.deliver.to(crash)
    with pytest.raises(RuntimeError, match="killed"):
        rz.clock.advance(1)

    assert [attempt.status for attempt in rz.deliver.log] == [None]
    assert [delivery.attempt for delivery in rz.deliver.pending()] == [2]


def test_the_endpoint_may_call_back() -> None:
    """A handler may use the API and even let time pass; other deliveries wait for it to finish."""
    rz = emulator(delay_s=(0, 0))
    depth: list[int] = []
    deepest = 0

    def handler(method: str, headers: dict[str, str], body: bytes) -> int:
        nonlocal deepest
        depth.append(1)
        deepest = max(deepest, len(depth))
        rz.clock.sleep(1)
        payment = json.loads(body)["payload"]["payment"]["entity"]
        status = rz.request("GET", f"/v1/payments/{payment['id']}").status
        depth.pop()
        return status

    rz.deliver.to(handler)
    pay(rz)
    rz.clock.advance(0)
    rz.clock.advance(10)

    assert (deepest, len(rz.deliver.log)) == (1, 3)


def test_no_webhook_url_without_http() -> None:
    """A webhook URL must be one."""
    for url in ("ftp://example.com/hook", "/hook", "http://"):
        with pytest.raises(ConfigError, match="http"):
            Emulator(in_process=True, webhook_url=url)


@pytest.mark.parametrize(
    "plan", [{"lost": 1.5}, {"doubled": -0.1}, {"delay_s": (2, 1)}, {"late_s": (-1, 1)}, {"tampered": 2}]
)
def test_impossible_plans(plan: dict[str, Any]) -> None:
    """A plan that cannot be is refused when the emulator is made."""
    with pytest.raises(ConfigError):
        emulator(**plan)


def day(seed: int, order: list[int]) -> dict[str, list[tuple[str, bytes]]]:
    """One customer after the other; what each order's events were, whoever came first."""
    rz, shop = Emulator(seed, in_process=True, deliveries=Deliveries(lost=0.2, doubled=0.3)), Shop()
    rz.deliver.to(shop)
    for number in order:
        pay(rz, f"r-{number}", outcome=("captured", "failed", "late", None)[number % 4])
    rz.clock.advance(2 * 86_400)
    story: dict[str, list[tuple[str, bytes]]] = {}
    for headers, body in zip(shop.headers, shop.bodies, strict=True):
        order_id = json.loads(body)["payload"]["payment"]["entity"]["order_id"]
        story.setdefault(order_id, []).append((headers["X-Razorpay-Event-Id"], body))
    return story


def test_two_runs_are_equal() -> None:
    """The same seed and the same customers give the same bytes in the same order."""
    assert list(day(7, [0, 1, 2, 3]).items()) == list(day(7, [0, 1, 2, 3]).items())
    assert day(7, [0, 1, 2, 3]) != day(8, [0, 1, 2, 3])


@cache
def one_day() -> dict[str, list[tuple[str, bytes]]]:
    return day(7, list(range(6)))


@given(st.permutations(range(6)))
def test_customers_do_not_disturb_each_other(order: list[int]) -> None:
    """What happens to one order's events does not depend on when the other customers came."""
    assert day(7, order) == one_day()


# --- several webhooks


def register(rz: Emulator, name: str, **how: Any) -> Shop:
    shop = Shop()
    rz.deliver.register(shop, name=name, **how)
    return shop


def test_every_webhook_has_its_own_secret_and_the_same_event_id() -> None:
    """One event goes to all webhooks under one id, signed for each with that webhook's secret."""
    rz, shop = emulator(), Shop()
    rz.deliver.to(shop)
    second = register(rz, "second", secret="the-second-secret-0123")
    unsigned = register(rz, "unsigned", secret="")
    pay(rz, outcome="failed")
    rz.clock.advance(5)
    ours, theirs, bare = shop.headers[0], second.headers[0], unsigned.headers[0]

    assert len({one["X-Razorpay-Event-Id"] for one in (ours, theirs, bare)}) == 1
    assert verify_webhook(shop.bodies[0], ours[SIGNATURE_HEADER], secret=rz.webhook_secret)
    assert verify_webhook(second.bodies[0], theirs[SIGNATURE_HEADER], secret="the-second-secret-0123")
    assert SIGNATURE_HEADER not in bare


def test_a_webhook_gets_what_it_subscribed_to() -> None:
    """Events that a webhook did not ask for never go there; without an endpoint, main takes none beside others."""
    rz = emulator()
    paid = register(rz, "paid", events=["order.paid"])
    pay(rz)
    rz.clock.advance(5)

    assert paid.names == ["order.paid"]
    assert rz.deliver.pending() == []


def test_webhooks_are_switched_off_one_by_one() -> None:
    """The one that fails for a day is switched off and reported; the other goes on, and lost copies differ."""
    rz = emulator(delay_s=(0, 0))
    good, bad = register(rz, "good"), register(rz, "bad", alert_email="ops@example.com")
    bad.status = 500
    pay(rz, outcome="failed")
    rz.clock.advance(86_400)
    states = {hook.name: hook.disabled for hook in rz.deliver.webhooks}

    assert states == {"main": False, "good": False, "bad": True}
    assert [(one.webhook, one.to) for one in rz.deliver.notices] == [("bad", "ops@example.com")]
    assert (len(good.names), len(bad.names)) == (1, 16)


def test_disabled_by_hand() -> None:
    """What happens while a webhook is off is never sent; no e-mail tells of what an operator did."""
    rz, shop = emulator(), Shop()
    rz.deliver.to(shop)
    rz.deliver.disable()
    pay(rz, "missed")
    rz.clock.advance(10)
    rz.deliver.enable()
    pay(rz, "seen", outcome="failed")
    rz.clock.advance(10)

    assert shop.names == ["payment.failed"]
    assert rz.deliver.notices == []


def test_a_new_secret_is_for_new_events() -> None:
    """A registered webhook's old events keep the old signature through all retries (FACTS section 10)."""
    rz = emulator(delay_s=(0, 0))
    shop = register(rz, "second", secret="old-secret-0123456789")
    shop.status = 500
    pay(rz, "before", outcome="failed")
    rz.deliver.webhook("second").secret = "new-secret-0123456789"
    pay(rz, "after", outcome="failed")
    rz.clock.advance(30)
    matches = {
        (json.loads(body)["payload"]["payment"]["entity"]["id"], secret)
        for headers, body in zip(shop.headers, shop.bodies, strict=True)
        for secret in ("old-secret-0123456789", "new-secret-0123456789")
        if sign_for_test(body, secret) == headers[SIGNATURE_HEADER]
    }

    first, second = rz.world.payments
    assert matches == {(first, "old-secret-0123456789"), (second, "new-secret-0123456789")}


def test_there_is_room_for_thirty() -> None:
    """The account's limit is Razorpay's; a name is given once; an unknown one is refused with the known ones."""
    rz = emulator()
    for _ in range(29):
        rz.deliver.register(Shop())

    with pytest.raises(ConfigError, match="30"):
        rz.deliver.register(Shop())
    with pytest.raises(ConfigError, match="already"):
        rz.deliver.register(Shop(), name="webhook-1")
    with pytest.raises(ConfigError, match="webhook-29"):
        rz.deliver.disable("webhook-30")
    with pytest.raises(ConfigError, match="list"):
        emulator().deliver.register(Shop(), events="order.paid")


def test_secrets_are_not_shown() -> None:
    """Neither by repr nor in the state."""
    rz = emulator()
    made = rz.deliver.register(Shop())

    assert made.secret
    assert made.secret not in repr(made) + json.dumps(rz.state())


# --- replays by rule


def failed_event(rz: Emulator, shop: Shop) -> str:
    shop.status = 500
    pay(rz, outcome="failed")
    rz.clock.advance(1)
    return shop.headers[-1]["X-Razorpay-Event-Id"]


def test_replay_by_support() -> None:
    """Up to 15 days, with the secret of that time; not what happened while the webhook was off."""
    rz, shop = emulator(delay_s=(0, 0)), Shop()
    rz.deliver.to(shop)
    event_id, old = failed_event(rz, shop), rz.webhook_secret
    shop.status = 200
    rz.rotate_webhook_secret("another-webhook-secret")
    rz.clock.advance(14 * 86_400)
    rz.deliver.replay(event_id, by="support")
    rz.clock.advance(0)
    assert verify_webhook(shop.bodies[-1], shop.headers[-1][SIGNATURE_HEADER], secret=old)

    rz.deliver.disable()
    pay(rz, "missed", outcome="failed")
    rz.deliver.enable()
    with pytest.raises(ConfigError, match="while the webhook was on"):
        rz.deliver.replay(rz.world.events[-1].id, by="support")
    rz.clock.advance(86_400)
    with pytest.raises(ConfigError, match="15 days"):
        rz.deliver.replay(event_id, by="support")


def test_replay_from_the_dashboard() -> None:
    """Unacknowledged events of 7 days, with today's secret, 5 a day; a switched-off webhook comes on again."""
    rz, shop = emulator(delay_s=(0, 0)), Shop()
    rz.deliver.to(shop)
    event_id = failed_event(rz, shop)
    rz.clock.advance(86_500)
    assert rz.deliver.disabled
    rz.rotate_webhook_secret("another-webhook-secret")
    for _ in range(5):
        rz.deliver.replay(event_id, by="dashboard")
    assert not rz.deliver.disabled
    with pytest.raises(ConfigError, match="at most 5"):
        rz.deliver.replay(event_id, by="dashboard")
    shop.status = 200
    rz.clock.advance(86_500)
    assert verify_webhook(shop.bodies[-1], shop.headers[-1][SIGNATURE_HEADER], secret="another-webhook-secret")
    with pytest.raises(ConfigError, match="not acknowledged"):
        rz.deliver.replay(event_id, by="dashboard")
    rz.clock.advance(6 * 86_400)
    with pytest.raises(ConfigError, match="7 days"):
        rz.deliver.replay(event_id, by="dashboard")
    with pytest.raises(ConfigError, match="support"):
        rz.deliver.replay(event_id, by="me")  # type: ignore[arg-type]


# --- bad deliveries


@pytest.mark.parametrize("damage", ["tampered", "wrong_secret"])
def test_damaged_deliveries(damage: str) -> None:
    """The first attempt does not verify; an endpoint that refuses it gets the genuine one at the retry."""
    rz, shop = emulator(**{damage: 1.0}), Shop(400)
    rz.deliver.to(shop)
    pay(rz, outcome="failed")
    rz.clock.advance(2)
    shop.status = 200
    rz.clock.advance(60)
    genuine = [
        sign_for_test(body, rz.webhook_secret) == headers[SIGNATURE_HEADER]
        for headers, body in zip(shop.headers, shop.bodies, strict=True)
    ]

    assert genuine == [False, True]
    assert [attempt.damage for attempt in rz.deliver.log] == [damage, None]
    assert (shop.bodies[0] == shop.bodies[1]) == (damage == "wrong_secret")
    assert len({headers["X-Razorpay-Event-Id"] for headers in shop.headers}) == 1


def test_rules_about_events() -> None:
    """The fault language decides about single events: lost, doubled, late, tampered, signed by a stranger."""
    rz, shop = emulator(delay_s=(0, 0)), Shop()
    rz.deliver.to(shop)
    rz.faults.add(
        "on EVENT payment.authorized: lost once\non EVENT payment.*: doubled once\non EVENT order.paid: late(900)"
    )
    pay(rz)
    rz.clock.advance(800)
    early = Counter(shop.names)
    rz.clock.advance(100)
    pay(rz, "quiet")
    rz.clock.advance(0)

    assert early == {"payment.captured": 2}
    assert shop.names[2:] == ["order.paid", "payment.authorized", "payment.captured"]
    assert [event.name for event in rz.deliver.lost] == ["payment.authorized"]


@pytest.mark.parametrize("name", EVENT_FAULTS)
def test_every_event_fault_changes_something(name: str) -> None:
    """Each name of the language does what the plan's chance of the same name does, and differs from nothing at all."""

    def seen(rule: str | None) -> list[tuple[str, bytes, float]]:
        rz, shop = emulator(delay_s=(0, 0)), Shop()
        rz.deliver.to(shop)
        if rule:
            rz.faults.add(rule)
        pay(rz, outcome="failed")
        rz.clock.advance(5000)
        times = [attempt.at.timestamp() for attempt in rz.deliver.log]
        return [(h[SIGNATURE_HEADER], b, t) for h, b, t in zip(shop.headers, shop.bodies, times, strict=True)]

    assert seen(f"on EVENT *: {name}") != seen(None)
    assert seen(f"on EVENT *: {name} 0%") == seen(None)
    with pytest.raises(ConfigError):
        emulator().faults.add(f"on GET *: {name}")


SHARES = ("lost", "doubled", "late", "tampered", "wrong_secret")


@given(st.fixed_dictionaries({name: st.floats(0, 1) for name in SHARES}), st.integers(0, 2**16))
def test_a_careful_endpoint_gets_everything(plan: dict[str, float], seed: int) -> None:
    """Whoever refuses what does not verify gets, genuine, every event that was not lost; and stays switched on."""
    rz = Emulator(seed, in_process=True, deliveries=Deliveries(**plan))
    believed: set[str] = set()

    def careful(method: str, headers: dict[str, str], body: bytes) -> int:
        if sign_for_test(body, rz.webhook_secret) != headers[SIGNATURE_HEADER]:
            return 400
        believed.add(headers["X-Razorpay-Event-Id"])
        return 200

    rz.deliver.to(careful)
    pay(rz, "r-1")
    pay(rz, "r-2", outcome="failed")
    rz.clock.advance(90_000)
    bodies = {event.id for event in rz.world.events}

    assert believed == bodies - {event.id for event in rz.deliver.lost}
    assert (rz.deliver.pending(), rz.deliver.disabled) == ([], False)
    assert all(attempt.damage is None for attempt in rz.deliver.log if attempt.acknowledged)
