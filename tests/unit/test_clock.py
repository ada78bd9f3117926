"""The clock: aware times in UTC, and a time that stands still in tests."""

from __future__ import annotations

import ast
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import razorpay_hardened
from razorpay_hardened.clock import Clock, FrozenClock, SystemClock, from_unix, to_unix

INDIA = timezone(timedelta(hours=5, minutes=30))


def test_the_system_clock(monkeypatch):
    """The machine's clock gives aware UTC times, the monotonic clock and a real sleep."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    clock: Clock = SystemClock()

    before = clock.monotonic()
    clock.sleep(0.25)

    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.monotonic() >= before
    assert slept == [0.25]


def test_the_frozen_clock():
    """It moves only when told; a sleep moves it and returns at once."""
    clock: Clock = FrozenClock()
    assert clock.now() == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)

    clock.sleep(1.5)

    assert clock.now() == datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert clock.monotonic() == 1.5


def test_a_wall_clock_that_jumps():
    """The wall clock may jump, in any zone; the monotonic clock does not notice."""
    clock = FrozenClock(datetime(2026, 3, 31, tzinfo=UTC))

    clock.set(datetime(2026, 1, 1, 5, 30, tzinfo=INDIA))

    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() == 0


@given(st.integers(0, 4_102_444_800))
def test_unix_seconds_and_back(seconds):
    """Razorpay's Unix seconds survive the way to an aware time and back, through any zone."""
    moment = from_unix(seconds)

    assert moment.tzinfo is UTC
    assert to_unix(moment) == to_unix(moment.astimezone(INDIA)) == seconds


def test_naive_times_are_refused():
    """A time without a zone would be a guess."""
    with pytest.raises(ValueError, match="aware"):
        to_unix(datetime(2026, 1, 1))


ASKS = {"time", "monotonic", "perf_counter", "now", "utcnow", "today", "sleep"}


@pytest.mark.slow
def test_nobody_else_asks_the_time():
    """Outside clock no module calls time.time, datetime.now or sleep: time comes in through a Clock.

    The emulator is not held to it: it has a clock of its own, and real sockets with real deadlines.
    """
    room = Path(razorpay_hardened.__file__).parent
    found = []
    for path in sorted(room.rglob("*.py")):
        if path.name == "clock.py" or "emulator" in path.parts:
            continue
        text = path.read_text("utf-8")
        if not any(f".{name}" in text for name in ASKS):
            continue  # parsing every file takes most of a second
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ASKS
                and ast.unparse(node.value) in ("time", "datetime")
            ):
                found.append(f"{path.relative_to(room)}:{node.lineno} {ast.unparse(node)}")

    assert found == []
