"""The fault language and what its faults do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from razorpay_hardened.emulator import FAULTS, Emulator
from razorpay_hardened.emulator.wire import Reply
from razorpay_hardened.errors import ConfigError


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def create(rz: Emulator, receipt: str = "r-1") -> Reply:
    return rz.request("POST", "/v1/orders", {"amount": 50000, "currency": "INR", "receipt": receipt})


def acts(rz: Emulator, times: int, receipt: str = "r-1") -> list[int]:
    return [create(rz, receipt).status for _ in range(times)]


@pytest.mark.parametrize(
    ("fault", "status", "content"),
    [
        ("401", 401, "application/json"),
        ("429", 429, "application/json"),
        ("500", 500, "application/json"),
        ("502", 502, "text/html"),
        ("503", 503, "text/html"),
        ("504", 504, "text/html"),
        ("in_progress", 409, "application/json"),
        ("no_record", 500, "application/json"),
    ],
)
def test_statuses(rz: Emulator, fault: str, status: int, content: str) -> None:
    """A status fault answers instead of the account, which does nothing."""
    rz.faults.add(f"on POST /orders: {fault} once")
    reply = create(rz)

    assert (status, content) == (reply.status, reply.headers["Content-Type"])
    assert rz.world.orders == {}
    assert create(rz).status == 200


def test_retry_after(rz: Emulator) -> None:
    """429 names a delay only when asked to, because Razorpay documents none."""
    rz.faults.add("on POST /orders: 429(7) once\non POST /orders: 429 once")

    assert create(rz).headers["Retry-After"] == "7"
    assert "Retry-After" not in create(rz).headers


@pytest.mark.parametrize(
    ("fault", "act", "done"),
    [
        ("reset_before", "reset", 0),
        ("hang(3)", "hang", 0),
        ("do_then_reset", "reset", 1),
        ("do_then_hang(3)", "hang", 1),
        ("truncate(9)", "truncate", 1),
        ("slow(3)", "slow", 1),
    ],
)
def test_broken_transport(rz: Emulator, fault: str, act: str, done: int) -> None:
    """Transport faults say what the transport must do, and do or do not let the account act."""
    rz.faults.add(f"on POST /orders: {fault}")
    reply = create(rz)

    assert (act, done) == (reply.act, len(rz.world.orders))
    assert reply.seconds == (3 if "3" in fault else 0)
    assert reply.keep == (9 if "9" in fault else 0)


@pytest.mark.parametrize("status", ["500", "502", "503", "504"])
def test_done_but_answered_with_an_error(rz: Emulator, status: str) -> None:
    """do_then_5xx answers an error although the order was made."""
    rz.faults.add(f"on POST /orders: do_then_{status} once")

    assert int(status) == create(rz).status
    assert len(rz.world.orders) == 1


def test_spoilt_bodies(rz: Emulator) -> None:
    """html is a 200 that is no JSON; cut is a shorter body that claims to be whole. Both are done."""
    rz.faults.add("on POST /orders: html once\non POST /orders: cut(10) once")
    page, cut = create(rz), create(rz)

    assert (page.status, page.headers["Content-Type"]) == (200, "text/html")
    assert (cut.status, cut.body, cut.act) == (200, b'{"id":"ord', "answer")
    assert len(rz.world.orders) == 2


def test_frequencies(rz: Emulator) -> None:
    """once, N times and always count over all calls that match."""
    rz.faults.add("on POST /orders: 500 once")
    rz.faults.add("on POST /orders: 502 2 times")
    once_then_twice = acts(rz, 5)
    rz.faults.clear()
    rz.faults.add("on POST /orders: 503")

    assert once_then_twice == [500, 502, 502, 200, 200]
    assert acts(rz, 2) == [503, 503]


def test_each_counts_by_operation(rz: Emulator) -> None:
    """With each, every receipt has its own count."""
    rz.faults.add("on POST /orders: 500 once each")

    assert acts(rz, 2, "a") == [500, 200]
    assert acts(rz, 2, "b") == [500, 200]


def test_patterns(rz: Emulator) -> None:
    """A rule speaks of its verb and path only; ids are matched by :id or *, everything by a lone *."""
    order = create(rz).json()
    path = f"/v1/orders/{order['id']}"
    rz.faults.add("on GET /orders/:id: 500 once\non get /v1/orders/*/payments: 502 once\non * *: 503 once")

    assert rz.request("GET", path).status == 500
    assert rz.request("GET", f"{path}/payments").status == 502
    assert rz.request("PATCH", path, {"notes": {}}).status == 503
    assert rz.request("GET", path).status == 200


def test_percent_ignores_the_order_of_arrival() -> None:
    """Who is hit depends on seed, operation and attempt, not on who comes first."""
    receipts = [f"r-{n}" for n in range(60)]

    def hit(seed: int, order: list[str]) -> dict[str, list[int]]:
        rz = Emulator(seed, in_process=True)
        rz.faults.add("on POST /orders: 500 30%")
        return {receipt: acts(rz, 2, receipt) for receipt in order}

    forwards, backwards = hit(3, receipts), hit(3, receipts[::-1])
    failures = sum(statuses.count(500) for statuses in forwards.values())

    assert forwards == backwards
    assert forwards != hit(4, receipts)
    assert 20 <= failures <= 52  # 36 expected of 120


def test_zero_and_hundred_percent(rz: Emulator) -> None:
    """The ends of the scale are never and always."""
    rz.faults.add("on POST /orders: 500 0%\non POST /orders: 502 100%")

    assert {502} == set(acts(rz, 20))


def test_stale_reads(rz: Emulator) -> None:
    """A stale read shows older state; a stale listing misses what is new; writes are never stale."""
    old, young = create(rz, "old").json(), create(rz, "young").json()
    rz.clock.advance(120)
    rz.pay(old["id"])
    new = create(rz, "new").json()
    rz.faults.add("on GET /orders: stale\non GET /orders/:id: stale(1)\non GET /orders/:id/payments: stale")
    listed = rz.request("GET", "/v1/orders").json()["items"]

    assert [young, old] == listed
    assert old == rz.request("GET", f"/v1/orders/{old['id']}").json()
    assert new == rz.request("GET", f"/v1/orders/{new['id']}").json()
    assert rz.request("GET", f"/v1/orders/{old['id']}/payments").json()["items"] == []
    rz.clock.advance(61)
    assert rz.request("GET", f"/v1/orders/{old['id']}").json()["status"] == "paid"
    assert rz.request("GET", "/v1/orders").json()["count"] == 3


def test_idempotent_refund_through_a_hang(rz: Emulator) -> None:
    """Lost, still in progress, then the first answer: the whole story of one refund key."""
    payment = rz.pay(create(rz).json()["id"])
    rz.faults.add("on POST /payments/:id/refund: do_then_hang once\non POST /payments/:id/refund: in_progress once")
    path, headers = f"/v1/payments/{payment['id']}/refund", {"X-Refund-Idempotency": "0123456789"}
    replies = [rz.request("POST", path, {"amount": 500}, headers=headers) for _ in range(3)]

    assert [reply.act for reply in replies] == ["hang", "answer", "answer"]
    assert [reply.status for reply in replies[1:]] == [409, 200]
    assert len(rz.world.refunds) == 1


def test_comments_and_empty_lines(rz: Emulator) -> None:
    """A rule file may hold comments; clear forgets the rules."""
    rules = rz.faults.add("# the bad day\n\n  on POST /orders: 500 once  \n")

    assert [rule.text for rule in rules] == ["on POST /orders: 500 once"]
    rz.faults.clear()
    assert create(rz).status == 200


@pytest.mark.parametrize(
    "text",
    [
        "POST /orders: 500",
        "on POST /orders 500",
        "on POST /orders: teapot",
        "on POST /orders: 500 sometimes",
        "on POST /orders: 500 -1 times",
        "on POST /orders: hang(soon)",
        "on POST /orders: 500(3)",
        "on POST /orders: stale",
        "on POST /orders: 500 once twice",
    ],
)
def test_bad_rules(rz: Emulator, text: str) -> None:
    """A rule that does not parse is refused with the grammar, and none of its neighbours is added."""
    with pytest.raises(ConfigError) as refused:
        rz.faults.add(f"on GET /orders: 500\n{text}")

    assert text in str(refused.value)
    assert rz.faults.rules == []


def test_the_help_names_every_fault(rz: Emulator) -> None:
    """The refusal says what would be allowed."""
    with pytest.raises(ConfigError) as refused:
        rz.faults.add("on POST /orders: teapot")

    assert all(name in str(refused.value) for name in FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_parses_and_acts(rz: Emulator, name: str) -> None:
    """Each documented fault can be written as a rule and changes the answer of a read."""
    rz.faults.add(f"on GET /orders: {name}")
    plain: Any = Emulator(in_process=True).request("GET", "/v1/orders")

    changed = rz.request("GET", "/v1/orders") != plain
    assert changed == (name != "stale")  # nothing is there to be stale


# --- a file of faults


def test_a_file_of_rules(rz: Emulator, tmp_path: Path) -> None:
    """Lines and tables mean the same and stand together."""
    path = tmp_path / "bad-day.toml"
    path.write_text(
        """
        rules = ["on POST /orders: 500 once"]
        [[fault]]
        on = "POST /orders"
        do = "429"
        argument = 7
        times = 2
        each = true
        [[fault]]
        on = "EVENT order.paid"
        do = "lost"
        percent = 12.5
        """,
        "utf-8",
    )
    rules = rz.faults.load(path)

    assert [rule.text for rule in rules] == [
        "on POST /orders: 500 once",
        "on POST /orders: 429(7) 2 times each",
        "on EVENT order.paid: lost 12.5%",
    ]
    assert acts(rz, 4) == [500, 429, 429, 200]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules = [", "not TOML"),
        ("rules = 'on POST /orders: 500'", "list of lines"),
        ("rule = []", "not rule"),
        ("fault = 3", "[[fault]]"),
        ("[[fault]]\non = 'POST /orders'", "needs 'on' and 'do'"),
        ("[[fault]]\non = 'POST /orders'\ndo = '500'\nonce = true", "not once"),
        ("[[fault]]\non = 'POST /orders'\ndo = '500'\ntimes = 1\npercent = 1", "not both"),
        ("[[fault]]\non = 'POST /orders'\ndo = '500'\ntimes = '1'", "is a number"),
        ("[[fault]]\non = 'POST /orders'\ndo = '500'\neach = 1", "true or false"),
        ("[[fault]]\non = 'POST /orders'\ndo = 'teapot'", "not a fault rule"),
    ],
)
def test_bad_files(rz: Emulator, tmp_path: Path, text: str, says: str) -> None:
    """A mistake in a file is named, and nothing of the file is added."""
    path = tmp_path / "faults.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as refused:
        rz.faults.load(path)

    assert says in str(refused.value)
    assert rz.faults.rules == []


def test_a_file_that_is_not_there(rz: Emulator, tmp_path: Path) -> None:
    """It is a mistake in the settings."""
    with pytest.raises(ConfigError, match="cannot read"):
        rz.faults.load(tmp_path / "none.toml")
