"""``recover``: after an outage, learn by listing what the webhooks that did not come would have told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._options import LIMIT_MAX, AppOption, JsonOption, SinceOption, UntilOption, window
from razorpay_hardened.cli._output import Column, heading, json_out, note, table, when
from razorpay_hardened.cli._run import FAILED

if TYPE_CHECKING:
    from razorpay_hardened.reconcile import Recovered, Silence

__all__ = ["recover"]

_FIRED = [Column("milestone"), Column("fired", right=True)]
_LEFT = [Column("finding"), Column("id"), Column("state"), Column("note", 3, wrap=True)]


def recover(
    context: typer.Context,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="Examine at most this many orders, payments, refunds …")
    ] = 100_000,
    look: Annotated[
        bool, typer.Option("--look", help="Only see whether webhooks are missing: exit code 1 if so. Writes nothing.")
    ] = False,
    app: AppOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make up for webhooks that did not come: list what happened at Razorpay, apply it, run your handlers.

    Without --since: from where webhooks stopped coming, or the last 24 hours; then the four days before.
    Run it again after a stop: it goes on where it was. Exit code 75 if another run is at work.
    """
    session = session_of(context)
    if look and (since is not None or until is not None):
        raise typer.BadParameter("--look says what is missing now: it takes no window")
    if look:
        _look(session, app, as_json=as_json)
        return
    with session.application(app, "recover") as rzp:
        begins, ends = window(since, until, session.zone, rzp.clock.now(), default=None)
        if begins is None and ends is not None:
            begins = ends - timedelta(days=1)
        recovered = rzp.recovery.run(since=begins, until=ends, limit=limit)
    if as_json:
        json_out({**recovered.to_dict(), "timezone": session.zone_name})
    else:
        _show(recovered, session)


def _look(session: Session, app: str | None, *, as_json: bool) -> None:
    with session.wired(app) as rzp:
        silence = rzp.recovery.look()
    if as_json:
        told = None if silence is None else silence.to_dict()
        json_out({"silence": told, "timezone": session.zone_name})
    else:
        for line in _silence(silence, session):
            note(line)
    if silence is not None:
        raise typer.Exit(FAILED)


def _silence(silence: Silence | None, session: Session) -> Iterator[str]:
    if silence is None:
        yield "no webhooks are missing: none is overdue for the money that Razorpay shows"
        return
    zone = session.zone
    if silence.reason == "none_of_ours":
        yield "webhooks come, and none of them tells of what your orders were paid"
    elif silence.since is None:
        yield "no webhook has ever come"
    else:
        yield f"no webhook has come since {when(silence.since, zone)}"
    yield f"at Razorpay since: at least {silence.payments:,} captured payments and {silence.refunds:,} refunds"
    yield f"from {when(silence.first, zone)} to {when(silence.last, zone)}; times in {session.zone_name}"
    yield "look at the webhook in Razorpay's dashboard, then: razorpay-hardened recover --app module:attr"


def _show(recovered: Recovered, session: Session) -> None:
    result = recovered.reconciliation
    begins, ends = when(result.since, session.zone), when(result.until, session.zone)
    note(f"made at Razorpay from {begins} to {ends}; times in {session.zone_name}")
    if recovered.milestones:
        heading("What your handlers were told")
        table(_FIRED, [(name, f"{count:,}") for name, count in recovered.milestones.items()])
    left = [one for one in result.findings if one.state == "left"]
    if left:
        heading("Left for a person")
        table(_LEFT, [(one.kind, one.entity_id, one.state, one.note) for one in left])
    for line in _verdict(recovered):
        note(line)


def _verdict(recovered: Recovered) -> Iterator[str]:
    result = recovered.reconciliation
    totals = result.totals
    counts = f"{totals.examined:,} examined, {totals.found:,} differences"
    yield f"{counts}, {totals.repaired:,} repaired, {totals.left:,} left"
    if totals.others:
        yield "also looked at: " + ", ".join(f"{count:,} {kind}" for kind, count in totals.others.items())
    if totals.foreign:
        yield "not ours: " + ", ".join(f"{count:,} {kind}" for kind, count in totals.foreign.items())
    if totals.failed:
        yield f"{totals.failed:,} handlers failed: they wait for another try (razorpay-hardened effects list)"
    for name, code in recovered.skipped.items():
        yield f"skipped: {name} ({code})"
    if result.resumed:
        yield "went on where an earlier recovery had stopped"
    if not result.complete:
        yield "stopped at the limit: run it again to go on"
    elif not recovered.milestones and not totals.found:
        yield "nothing was missing"
    if recovered.silence is not None and recovered.silence.reason == "nothing_comes":
        yield "webhooks had not come again when this began: what happens from now on is missing too, until they do"
