"""One payment provider's bad day, end to end: the shop, the faults, the kills, the repair, and the proof.

In: a seed. Out: a day that happened, on the emulator and in a real shop's database, and a verdict for each proof.
Nothing here is needed in production; it shows, and tests, what the other rooms promise together.

- ``day``        who buys what, when and how: from the seed alone
- ``faults``     what goes wrong, and where the shop is killed
- ``shop``       the shop: a process of its own, or an object in the simulation
- ``points``     named points in the middle of its work
- ``drive``      time passes, customers act, webhooks go out, the shop dies and comes back
- ``aftermath``  everything late arrives; reconcile, repair, tidy up
- ``books``      both sides' books as values
- ``proofs``     statements about them, pure; each can fail
- ``simulate``   the day in process, no sockets: many of them in a minute
- ``run``        the day with real processes, HTTP and SIGKILL
- ``telling``    what they are told: labels and figures
- ``report`` · ``terminal``  what people look at
- ``command``    ``razorpay-hardened demo``
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from razorpay_hardened.demo.command import run_command
    from razorpay_hardened.demo.outcome import Outcome

__all__ = ["Outcome", "run_command"]

_WHERE = {"Outcome": "outcome", "run_command": "command"}


def __getattr__(name: str) -> Any:
    # Lazy: the shop's process loads this file too, and needs none of it.
    from importlib import import_module

    room = _WHERE.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{room}"), name)
