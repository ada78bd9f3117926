"""Every write, each with every fault: it happens once for one intent, or the caller is told that nobody knows (P12).

The rules are data (``client._operations``); ``support.rules*`` has a row for each write. What counts is what the
emulator holds in the end.
"""

from __future__ import annotations

from importlib import import_module

import pytest

from client_fakes import Fixed
from razorpay_hardened.client import Client
from razorpay_hardened.client._operations import OPERATIONS
from razorpay_hardened.client._values import Rule
from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiError, OutcomeUnknown
from support.rules import Row

GROUPS = (
    "rules",
    "rules_billing",
    "rules_money",
    "rules_people",
)
ROWS: list[Row] = [row for group in GROUPS for row in import_module(f"support.{group}").ROWS]

DONE_BUT_LOST = ("do_then_hang", "do_then_reset", "do_then_500", "truncate(1)", "truncate", "cut", "html")
NOT_DONE = ("reset_before", "hang", "429", "429(2)", "500", "502", "503")


def test_every_write_has_a_row() -> None:
    """No operation that changes something is left out, and none is here twice."""
    rows = [row.operation for row in ROWS]
    writes = [operation for operation in OPERATIONS if operation.rule not in (Rule.READ, Rule.ASK)]

    assert sorted(map(str, rows)) == sorted(map(str, writes))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_write_happens_once_for_one_intent(row: Row) -> None:
    """With each fault once: the result and one effect; or ``OutcomeUnknown``, where nothing could settle the doubt."""
    for fault in (*DONE_BUT_LOST, *NOT_DONE):
        with Emulator(in_process=True) as rz, _client(rz) as client:
            arranged = row.arrange(rz)
            before = row.effects(rz, arranged)
            [rule] = rz.faults.add(f"on {row.operation.method} {_pattern(row)}: {fault} once")
            outcome = _outcome(row, client, arranged)
            effects = row.effects(rz, arranged) - before
            assert rule.fired, f"{fault}: the call never met the fault"

        assert effects == _expected(row, fault, outcome), f"{row} with {fault}: {effects} effects, {outcome}"


def _outcome(row: Row, client: Client, arranged: object) -> str:
    """``done``, ``unknown``, or the name of the refusal."""
    try:
        row.act(client, arranged)
    except OutcomeUnknown:
        return "unknown"
    except ApiError as error:
        return type(error).__name__
    return "done"


def _expected(row: Row, fault: str, outcome: str) -> int:
    """How many effects there may be after this outcome; and the outcome is one that the rule allows."""
    if row.operation.rule is not Rule.ONCE:
        assert outcome == "done", f"{row} with {fault} ended as {outcome}"
        return 1
    if fault.startswith("429"):
        assert outcome == "ApiRateLimited"
        return 0
    assert outcome == "unknown", f"{row} with {fault} ended as {outcome}"
    return int(fault in DONE_BUT_LOST)


def _pattern(row: Row) -> str:
    """The operation's path as the fault language writes it."""
    path = row.operation.path.removeprefix("/v1")
    return path.replace("{}", ":id")


def _client(rz: Emulator) -> Client:
    return Client(
        rz.key_id,
        rz.key_secret,
        base_url=rz.url,
        session=rz.session(),
        clock=FrozenClock(),
        random=Fixed(),  # type: ignore[arg-type]  # all that is asked of it
        retries_per_call=4,
    )
