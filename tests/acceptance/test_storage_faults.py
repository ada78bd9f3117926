"""The storage faults D1 to D15, and which test shows each of them on which database: a table that is checked."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

PG = "integration/test_postgres_faults.py"
RACES = "integration/test_postgres_races.py"
LITE = "contract/test_sqlite_faults.py"
CROWD = "contract/test_sqlite_processes.py"
JOINED = "integration/test_joined_transactions.py"

FAULTS: dict[str, tuple[str, dict[str, list[str]]]] = {
    "D1": (
        "database down when the event comes",
        {"postgresql": [f"{PG}::test_a_server_that_is_down_is_503_in_a_second_and_nothing_is_kept_as_done"]},
    ),
    "D2": (
        "connection killed before COMMIT",
        {
            "postgresql": [
                f"{PG}::test_a_connection_killed_before_commit_leaves_nothing",
                f"{PG}::test_connections_killed_every_50_ms_lose_and_double_nothing",
                f"{PG}::test_ten_thousand_events_while_connections_are_killed",
            ]
        },
    ),
    "D3": (
        "answer to COMMIT lost",
        {
            "postgresql": [
                f"{PG}::test_an_answer_to_commit_that_is_lost_is_never_200",
                f"{PG}::test_a_lost_answer_to_commit_is_told_as_such",
            ]
        },
    ),
    "D4": (
        "serialization failure",
        {
            "postgresql": [
                f"{PG}::test_a_handler_s_own_conflict_runs_everything_again",
                f"{PG}::test_a_unit_that_is_undone_five_times_is_503",
                f"{RACES}::test_a_crowd_of_workers_causes_each_effect_once",
            ]
        },
    ),
    "D5": (
        "deadlock",
        {
            "postgresql": [
                f"{RACES}::test_two_events_that_touch_the_same_rows_crosswise",
                f"{RACES}::test_a_redelivery_against_the_drain",
                f"{PG}::test_a_handler_in_a_deadlock_runs_everything_again",
            ]
        },
    ),
    "D6": (
        "unique violation: twins",
        {
            "postgresql": [f"{PG}::test_twins_at_one_barrier_are_one_effect_and_no_error"],
            "sqlite": [f"{CROWD}::test_processes_that_race_for_the_same_bodies_claim_each_once"],
        },
    ),
    "D7": (
        "SQLite is locked",
        {
            "sqlite": [
                f"{CROWD}::test_no_busy_process_keeps_another_from_writing",
                f"{LITE}::test_another_process_that_writes_too_long_makes_it_unavailable",
            ]
        },
    ),
    "D8": (
        "disk full",
        {
            "postgresql": [f"{PG}::test_a_full_disk_is_unavailable_and_leaves_no_half_row"],
            "sqlite": [
                f"{LITE}::test_a_full_disk_is_unavailable_and_leaves_no_half_row",
                f"{LITE}::test_a_full_disk_in_a_handler_is_not_called_misuse",
            ],
        },
    ),
    "D9": (
        "read-only database",
        {
            "postgresql": [f"{PG}::test_a_server_that_only_reads_is_told_and_read"],
            "sqlite": [f"{LITE}::test_a_store_opened_read_only_reads_and_writes_nothing"],
        },
    ),
    "D10": (
        "isolation level of the application's choice",
        {
            "postgresql": [
                f"{RACES}::test_two_refunds_at_once_never_give_back_more_than_was_paid",
                f"{RACES}::test_a_crowd_of_workers_causes_each_effect_once",
            ]
        },
    ),
    "D11": (
        "the application's outer transaction rolls back",
        {
            "postgresql": [f"{JOINED}::test_what_the_application_rolls_back_is_undone_here_too"],
            "sqlite": [f"{JOINED}::test_nothing_is_announced_and_no_mail_leaves_before_the_outermost_commit"],
        },
    ),
    "D12": (
        "a wait longer than the budget",
        {
            "postgresql": [
                f"{PG}::test_waiting_for_a_row_ends_within_the_budget",
                f"{PG}::test_a_statement_of_a_handler_that_takes_too_long_is_its_own_failure",
                f"{PG}::test_a_pool_that_is_exhausted_is_503_in_a_second",
            ],
            "sqlite": [
                f"{LITE}::test_another_thread_that_writes_too_long_makes_it_unavailable",
                f"{LITE}::test_who_waited_for_a_thread_waits_less_for_a_process",
            ],
        },
    ),
    "D13": (
        "server restarted again and again",
        {
            "postgresql": [
                f"{PG}::test_a_server_that_is_restarted_under_load_loses_nothing",
                f"{PG}::test_ten_thousand_events_through_restarts",
            ]
        },
    ),
    "D14": (
        "schema older or newer than the code",
        {
            "postgresql": [
                f"{PG}::test_another_schema_version_is_told_at_first_use",
                "migration/test_fresh.py::test_a_schema_from_the_future_is_left_alone",
            ],
            "sqlite": [
                "contract/test_sqlite_schema.py::test_another_schema_version_is_refused_at_first_use",
                "migration/test_sqlite_from_1.py::test_new_code_refuses_old_tables",
            ],
        },
    ),
    "D15": (
        "audit row altered by hand",
        {
            "postgresql": [f"{PG}::test_every_altered_cell_of_the_trail_is_found"],
            "sqlite": ["contract/test_sqlite_schema.py::test_every_altered_cell_of_the_trail_is_found"],
        },
    ),
}
"""Fault → (what it is, database → tests). A file has no server that could go away: D1 to D5 and D13 have one side."""

ONE_SIDED = {"D1", "D2", "D3", "D4", "D5", "D7", "D10", "D13"}


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_tests(fault: str) -> None:
    """Each name in the table is a test that is there; both databases are named where both can have the fault."""
    _, by_database = FAULTS[fault]
    assert by_database
    assert fault in ONE_SIDED or by_database.keys() == {"postgresql", "sqlite"}
    for test in (one for tests in by_database.values() for one in tests):
        file, _, name = test.partition("::")
        assert name in names_in(file), test


def test_the_table_is_complete() -> None:
    """D1 to D15, in order."""
    assert list(FAULTS) == [f"D{number}" for number in range(1, 16)]
