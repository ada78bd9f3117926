"""``razorpay-hardened demo``: play the day, show it, and answer with an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from razorpay_hardened.demo.run import play

__all__ = ["run_command"]


def run_command(*, seed: int, customers: int, as_json: bool, report: str, keep: str | None, quiet: bool) -> int:
    """Run the day; 0 only if every proof holds."""
    with TemporaryDirectory() as folder:
        outcome, seconds = play(seed, customers, Path(folder))
    sys.stdout.write(json.dumps(outcome.to_dict() | {"seconds": round(seconds, 1)}, indent=2) + "\n")
    return 0 if outcome.holds else 1
