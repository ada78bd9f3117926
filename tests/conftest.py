"""What every test gets: hypothesis that finds the same thing today and tomorrow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support import canary

# Derandomized: a red test is red for everybody. No deadline: shared machines are slow, and that is not a finding.
settings.register_profile("steady", derandomize=True, print_blob=True, deadline=None)
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
