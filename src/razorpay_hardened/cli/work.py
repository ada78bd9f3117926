"""``work``: a worker, for people without a queue; or one run of it, for cron."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Final

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._options import AppOption
from razorpay_hardened.cli._output import note, utc, when
from razorpay_hardened.worker import Stop, Worked, Worker

__all__ = ["work"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def work(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Work until nothing waits, then end: for cron. Without it: for ever.")
    ] = False,
    idle: Annotated[
        float, typer.Option("--idle", metavar="SECONDS", min=0.01, max=3600, help="Wait this long at most for work.")
    ] = 5.0,
    housekeeping: Annotated[
        float,
        typer.Option(
            "--housekeeping",
            metavar="SECONDS",
            min=1,
            max=86_400,
            help="How often parked events, unknown outcomes and chores are looked at.",
        ),
    ] = 60.0,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="Take this many of each kind in one round.")
    ] = 100,
    app: AppOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each round that did something.")
    ] = False,
) -> None:
    """Call the handlers that wait, look at parked events, finish what a crash left open. Needs --app.

    Start as many as you like. Ctrl-C and SIGTERM end it after the handler in work (exit code 0), a second one at once.

    With --once, exit code 1 if a handler or a chore failed.
    """
    session = session_of(context)
    failed = False

    def told(worked: Worked) -> None:
        nonlocal failed
        failed = failed or worked.pending.failed > 0 or bool(worked.chores_failed)
        _tell(worked, session, as_json=as_json)

    with session.application(app, "work") as rzp, _stopping() as stop:
        if once:
            worked = rzp.work(limit=limit, stop=stop.is_set)
            told(worked)
            while worked.more and not stop.is_set():
                worked = rzp.work(limit=limit, housekeeping=False, stop=stop.is_set)
                told(worked)
        else:
            Worker(rzp, idle_s=idle, housekeeping_s=housekeeping, limit=limit, on_round=told).run(stop)
    if once and failed:
        raise typer.Exit(1)


def _tell(worked: Worked, session: Session, *, as_json: bool) -> None:
    """One line for a round that did something; nothing for the others."""
    if not (worked.total or worked.chores or worked.chores_failed):
        return
    if as_json:
        sys.stdout.write(json.dumps({"at": utc(session.now()), **worked.to_dict()}) + "\n")
    else:
        note(f"{when(session.now(), session.zone)}  {', '.join(_words(worked))}")
    sys.stdout.flush()


def _words(worked: Worked) -> Iterator[str]:
    pending, swept = worked.pending, worked.swept
    counts = [
        (pending.retried + pending.ran, "handlers called"),
        (pending.failed, "of them failed"),
        (pending.drained, "parked events applied"),
        (pending.ignored, "set aside"),
    ]
    if swept is not None:
        counts += [
            (swept.found, "orders found at Razorpay"),
            (swept.failed, "orders that it never had"),
            (swept.refunded, "refunds finished"),
        ]
    yield from (f"{count:,} {what}" for count, what in counts if count)
    yield from (f"{name} done" for name in worked.chores)
    yield from (f"{name} failed" for name in worked.chores_failed)


@contextmanager
def _stopping() -> Iterator[Stop]:
    """The first signal asks for an end, the second is everybody's: it unwinds the stack."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def ask(_number: int, _frame: FrameType | None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.set()

    for number in _SIGNALS:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
