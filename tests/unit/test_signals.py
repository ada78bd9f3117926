"""The bus: everybody hears, nobody interferes."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime

import pytest

from razorpay_hardened import signals
from razorpay_hardened.signals import Alarm, Bus, EffectDone, EventIgnored, Signal, StatusChanged

DONE = EffectDone("order.paid:order_A", "app.grant", 1)
IGNORED = EventIgnored("ab" * 32, "payment.teleported")


def boom(signal: Signal) -> None:
    raise RuntimeError("a subscriber's own trouble")


def test_emit_without_subscribers():
    """A bus that nobody listens to does nothing."""
    bus = Bus()

    bus.emit(DONE)

    assert bus.failures == 0
    assert bus.last_failure is None


def test_subscriber_of_everything():
    """A subscription without kinds hears every signal, in order."""
    bus, heard = Bus(), []
    bus.subscribe(heard.append)

    bus.emit(DONE)
    bus.emit(IGNORED)

    assert heard == [DONE, IGNORED]


def test_subscriber_of_kinds():
    """A subscription to kinds hears those and no other."""
    bus, heard = Bus(), []
    bus.subscribe(heard.append, EventIgnored, StatusChanged)

    bus.emit(DONE)
    bus.emit(IGNORED)

    assert heard == [IGNORED]


def test_unsubscribe_twice():
    """Ending a subscription ends that one only, and ending it again is harmless."""
    bus, heard = Bus(), []
    end = bus.subscribe(heard.append)
    bus.subscribe(heard.append)

    end()
    end()
    bus.emit(DONE)

    assert heard == [DONE]


def test_unsubscribe_during_emit():
    """A subscriber may end its own subscription while it is being told."""
    bus, heard = Bus(), []

    def once(signal: Signal) -> None:
        heard.append(signal)
        end()

    end = bus.subscribe(once)
    bus.emit(DONE)
    bus.emit(DONE)

    assert heard == [DONE]


def test_raising_subscriber_changes_nothing():
    """A subscriber that raises is counted and named, and the next one still hears (FAULTS L5)."""
    bus, heard = Bus(), []
    bus.subscribe(boom)
    bus.subscribe(heard.append)

    bus.emit(DONE)
    bus.emit(DONE)

    assert heard == [DONE, DONE]
    assert bus.failures == 2
    assert bus.last_failure == "boom: RuntimeError"


def test_raising_callable_object_is_named_by_its_class():
    """A callable object without a name of its own is named by its class."""

    class Hook:
        def __call__(self, signal: Signal) -> None:
            raise ValueError("hook")

    bus = Bus()
    bus.subscribe(Hook())

    bus.emit(DONE)

    assert bus.last_failure is not None
    assert bus.last_failure.endswith("Hook: ValueError")


def test_interrupt_is_not_swallowed():
    """Ctrl-C in a subscriber is not an error of the subscriber: it passes."""

    def interrupt(signal: Signal) -> None:
        raise KeyboardInterrupt

    bus = Bus()
    bus.subscribe(interrupt)

    with pytest.raises(KeyboardInterrupt):
        bus.emit(DONE)

    assert bus.failures == 0


def test_alarm_once_per_key():
    """The same key alarms once, another key alarms again."""
    bus, heard = Bus(), []
    bus.subscribe(heard.append, Alarm)

    told = [bus.alarm("a", "AmountMismatch", "order_1"), bus.alarm("a", "AmountMismatch"), bus.alarm("b", "OverRefund")]

    assert told == [True, False, True]
    assert [Alarm("a", "AmountMismatch", "order_1"), Alarm("b", "OverRefund", "")] == heard


def test_alarm_memory_is_bounded(monkeypatch):
    """Beyond the limit the oldest key is forgotten, the newer ones are not (FAULTS P7)."""
    monkeypatch.setattr(signals, "ALARM_KEYS_MAX", 2)
    bus = Bus()
    for key in "abc":
        bus.alarm(key, "reason")

    assert [bus.alarm("c", "reason"), bus.alarm("b", "reason"), bus.alarm("a", "reason")] == [False, False, True]


def test_threads_lose_no_failure_and_no_alarm():
    """Failures and alarms are counted exactly when several threads emit at once."""
    bus, heard = Bus(), []
    bus.subscribe(boom, EffectDone)
    bus.subscribe(heard.append, Alarm)
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(5)
        for number in range(50):
            bus.emit(DONE)
            bus.alarm(str(number), "reason")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert bus.failures == 200
    assert len(heard) == 50


SIGNALS = [getattr(signals, name) for name in signals.__all__ if isinstance(getattr(signals, name), type)]


@pytest.mark.parametrize("kind", [kind for kind in SIGNALS if kind not in (Bus, Signal)])
def test_signals_are_frozen_slotted_and_documented(kind):
    """Every signal is an immutable value without a dict, and its docstring is its own."""
    values = [datetime(2026, 1, 1, tzinfo=UTC) if f.name == "at" else f.name for f in dataclasses.fields(kind)]
    signal = kind(*values)

    assert issubclass(kind, Signal)
    assert not hasattr(signal, "__dict__")
    assert not kind.__doc__.startswith(f"{kind.__name__}(")  # what dataclass writes by itself
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(signal, dataclasses.fields(kind)[0].name, "x")
