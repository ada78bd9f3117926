"""The store contract finds the bugs that stores have: planted in sound stores, in which it finds none."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SOUND = ("TestSound", "TestSoundFile")

BUGS = {
    "TestClaimIsNotAtomic": "test_of_twins_only_one_is_new",
    "TestLostUpdate": "test_writers_about_one_order_go_one_after_the_other",
    "TestClaimsInATransactionOfItsOwn": "test_a_killed_process_leaves_all_or_nothing",
    "TestAttemptsAreNotCounted": "test_settling_gives_a_state_and_counts_the_attempt",
    "TestEventIdIsTheKey": "test_an_event_id_with_another_body_is_a_conflict",
    "TestLeaseDoesNotLast": "test_a_lease_that_ended_is_taken_by_another_and_the_first_is_fenced",
    "TestNoFencing": "test_a_lease_that_ended_is_taken_by_another_and_the_first_is_fenced",
    "TestEffectsHaveNoUniqueKey": "test_an_effect_is_stored_once",
    "TestYoungerEffectsOvertake": "test_effects_of_one_order_and_handler_go_in_order",
    "TestReceiptsAreNotUnique": "test_what_breaks_a_rule_of_the_tables_is_refused_whole",
    "TestAmountsMayBeNegative": "test_what_breaks_a_rule_of_the_tables_is_refused_whole",
    "TestAuditCanBeChanged": "test_the_audit_trail_refuses_to_be_changed",
    "TestAmountsAreFloats": "test_every_field_of_a_payment_survives",
    "TestTimesAreWholeSeconds": "test_an_audit_chain_verifies_when_read_back",
    "TestPagesOverlap": "test_orders_are_listed_in_order_and_in_pages",
    "TestCommitsWhatWasRaised": "test_nothing_of_a_block_that_raises_is_there",
    "TestSavepointsDoNothing": "test_a_savepoint_is_undone_alone",
    "TestReadersSeeWhatIsNotCommitted": "test_readers_see_only_what_was_committed",
    "TestConnectionsLeak": "test_blocks_that_raise_use_nothing_up",
}
"""Planted bug → the test of the contract that must find it."""


@pytest.fixture(scope="module")
def failed() -> dict[str, set[str]]:
    """Class → its tests that failed, in a run of its own over :mod:`support.planted`.

    Of a bug the test that must find it, of the sound stores all.
    """
    asked = [f"support/planted.py::{'::'.join(bug)}" for bug in BUGS.items()]
    asked += [f"support/planted.py::{name}" for name in SOUND]
    command = [sys.executable, "-m", "pytest", *asked, "-q", "--tb=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [
            *command,
            "-o",
            "python_files=planted.py",
            "-o",
            "addopts=--import-mode=importlib",
            "-rfE",
            "--timeout",
            "120",
        ],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, set[str]] = defaultdict(set)
    for name, test in re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)::(\w+)", done.stdout, re.MULTILINE):
        found[name].add(test)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_the_contract_finds_a_planted_bug(failed: dict[str, set[str]], bug: str) -> None:
    """The test that is about it fails."""
    assert BUGS[bug] in failed[bug]


@pytest.mark.slow
def test_the_contract_finds_nothing_in_a_sound_store(failed: dict[str, set[str]]) -> None:
    """What carries the bugs breaks nothing by itself, and every class of bugs has a line above."""
    assert [failed[name] for name in SOUND] == [set(), set()]
    planted = ast.parse((TESTS / "support" / "planted.py").read_text("utf-8")).body
    classes = {node.name for node in planted if isinstance(node, ast.ClassDef) and node.name.startswith("Test")}
    assert classes == BUGS.keys() | set(SOUND)
