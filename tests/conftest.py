"""What every test gets: hypothesis that finds the same thing today and tomorrow."""

from __future__ import annotations

from hypothesis import settings

# Derandomized: a red test is red for everybody. No deadline: shared machines are slow, and that is not a finding.
settings.register_profile("steady", derandomize=True, print_blob=True, deadline=None)
settings.load_profile("steady")
