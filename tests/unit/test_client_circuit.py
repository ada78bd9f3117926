"""Circuits by class of operation: when they open, whom they refuse, and who may try first (FAULTS A13)."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.client._circuit import FAILURES_MIN, OPEN_S, READ, STREAK_S, Circuit, Circuits, Policy
from razorpay_hardened.clock import FrozenClock


def opened(name: str = "read", **options: Any) -> tuple[Circuits, FrozenClock]:
    """Circuits of which the one called ``name`` has just opened."""
    clock = FrozenClock()
    circuits = Circuits(clock, **options)
    assert not any(circuits.failed(name) for _ in range(FAILURES_MIN))
    clock.advance(STREAK_S)
    assert circuits.failed(name)
    return circuits, clock


def test_reads_are_refused_while_open_and_told_how_long() -> None:
    """The wait is what is left of the open time."""
    circuits, clock = opened()

    assert circuits.wait("read") == pytest.approx(OPEN_S)
    clock.advance(OPEN_S / 2)
    assert circuits.wait("read") == pytest.approx(OPEN_S / 2)


def test_it_says_once_that_it_opened() -> None:
    """Failures while it is open are no news, nor do they put the probe off."""
    circuits, clock = opened()
    clock.advance(OPEN_S - 1)

    assert not circuits.failed("read")
    assert circuits.wait("read") == pytest.approx(1)


def test_writes_are_never_refused_but_their_circuit_is_watched() -> None:
    """An intent that is stored must be tried; the alarm is raised all the same."""
    circuits, clock = opened("write")

    assert circuits.wait("write") == 0
    clock.advance(OPEN_S * 10)
    assert [circuits.wait("write") for _ in range(3)] == [0, 0, 0]
    assert not circuits.failed("write")


def test_classes_do_not_share_an_outage() -> None:
    """A part of the traffic that fails alone is refused alone; a suffix follows the policy of its class."""
    circuits, _ = opened("read.settlements")

    assert circuits.wait("read.settlements") > 0
    assert circuits.wait("read") == 0
    circuits.succeeded("read")
    assert circuits.wait("read.settlements") > 0
    assert opened("write.refunds")[0].wait("write.refunds") == 0


def test_a_class_may_have_a_policy_of_its_own_and_an_unknown_one_is_not_refused() -> None:
    """What nobody described might move money."""
    circuits, _ = opened("bulk", policies={"bulk": READ})
    assert circuits.wait("bulk") > 0
    assert opened("whatever")[0].wait("whatever") == 0

    clock = FrozenClock()
    eager = Circuits(clock, {"read": Policy(refuses=True, failures_min=1, streak_s=0, open_s=5)})
    assert eager.failed("read")
    assert eager.wait("read") == 5


def test_one_probe_and_its_success_closes() -> None:
    """While the probe is under way the others go on failing fast."""
    circuits, clock = opened()
    clock.advance(OPEN_S)

    assert circuits.wait("read") == 0
    assert circuits.wait("read") == pytest.approx(OPEN_S)
    circuits.succeeded("read")
    assert circuits.wait("read") == 0
    assert not circuits.failed("read")
    assert circuits.wait("read") == 0


def test_a_failed_probe_opens_it_for_as_long_again() -> None:
    """Counted from the failure."""
    circuits, clock = opened()
    clock.advance(OPEN_S)
    assert circuits.wait("read") == 0
    clock.advance(5)

    assert not circuits.failed("read")
    assert circuits.wait("read") == pytest.approx(OPEN_S)


def test_a_probe_that_is_never_heard_of_is_replaced() -> None:
    """A cancelled task must not close the way for good."""
    circuits, clock = opened()
    clock.advance(OPEN_S)
    assert circuits.wait("read") == 0
    clock.advance(OPEN_S)

    assert circuits.wait("read") == 0
    assert circuits.wait("read") > 0


def test_threads_that_race_send_one_probe() -> None:
    """Exactly one of many that ask at once."""
    circuits, clock = opened()
    clock.advance(OPEN_S)
    start, waits = threading.Barrier(16), []

    def ask() -> None:
        start.wait()
        waits.append(circuits.wait("read"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits)[:2] == [0, pytest.approx(OPEN_S)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_does_not_inherit_a_held_lock() -> None:
    """A lock that another thread held at the moment of the fork does not stop the child."""
    circuit = Circuit(FrozenClock())
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with circuit._lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        worker = threading.Thread(target=circuit.failed, daemon=True)
        worker.start()
        worker.join(5)
        os._exit(1 if worker.is_alive() else 0)
    _, status = os.waitpid(child, 0)
    release.set()
    thread.join()

    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.slow
@given(st.lists(st.sampled_from(["fail", "succeed", "ask", 1.0, 7.0, OPEN_S])))
def test_it_refuses_only_after_a_long_streak_of_failures(steps: list[Any]) -> None:
    """Whatever happens: a refusal means that enough attempts failed over long enough with no success since."""
    clock = FrozenClock()
    circuit = Circuit(clock, Policy(refuses=True, failures_min=3, streak_s=10, open_s=OPEN_S))
    since: list[float] = []
    for step in steps:
        if step == "fail":
            circuit.failed()
            since.append(clock.monotonic())
        elif step == "succeed":
            circuit.succeeded()
            since.clear()
        elif step == "ask":
            wait = circuit.wait()
            assert 0 <= wait <= OPEN_S
            if wait:
                assert len(since) >= 3
                assert since[-1] - since[0] >= 10
        else:
            clock.advance(step)
