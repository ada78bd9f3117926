"""What every test gets: hypothesis that finds the same thing today and tomorrow, and its place in the queue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from support import canary

# Derandomized: a red test is red for everybody. No limits of time: shared machines are slow, and that is not a finding.
settings.register_profile(
    "steady",
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# For `make unit`, between two edits; `make test` looks at four times as many.
settings.register_profile("quick", settings.get_profile("steady"), max_examples=25)
settings.load_profile("steady")

_ROOM = 2 << 30  # bytes


def _in_memory() -> None:
    """Keep temporary files in memory where there is room: a test never cuts the power, and SIGKILL loses no page.

    A store's every commit waits for the disk, and that is half of what the suite would otherwise do.
    """
    root = Path("/dev/shm")
    if os.access(root, os.W_OK) and shutil.disk_usage(root).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(root))


_in_memory()

canary.watch()

LONGEST = (
    "integration/test_convergence.py",
    "simulation/test_days.py",
    "contract/test_joined_stores.py",
    "contract/test_stores.py",
    "integration/test_cli.py",
    "integration/test_postgres_races.py",
    "integration/test_postgres_faults.py",
    "integration/test_swarm.py",
    "contract/test_planted_bugs.py",
    "integration/test_example_django.py",
    "integration/test_transaction_misuse.py",
    "unit/test_audit_verify.py",
    "integration/test_crash.py",
    "integration/test_client_faults.py",
    "integration/test_demo.py",
    "docs/test_references.py",
    "unit/test_reconcile_sources.py",
)
"""The files that take longest, longest first: begun last, they would keep one processor busy and the others idle."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hand out modules and classes in the order of collection; xdist would begin with those that have most tests."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In several processes the longest files come first; in one, everything is where one looks for it."""
    if hasattr(config, "workerinput"):
        root = Path(__file__).parent
        place = {root / name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A test that printed or logged a secret has failed, whatever it asserts; see ``support.canary``."""
    report: pytest.TestReport = yield
    for title, text in report.sections if report.passed else ():
        found = canary.found_in(text, log="log" in title)
        if found is not None and item.get_closest_marker("prints_secrets") is None:
            report.outcome = "failed"
            report.longrepr = f"{title} holds {found}"
    return report  # pluggy's way to hand it on
