"""``reconcile``: compare what is here with what Razorpay says, and repair what drifted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._options import LIMIT_MAX, AppOption, JsonOption, SinceOption, UntilOption, window
from razorpay_hardened.cli._output import Column, heading, json_out, money, note, table, utc, when

if TYPE_CHECKING:
    from razorpay_hardened.ports.store import Finding
    from razorpay_hardened.reconcile import Reconciliation
    from razorpay_hardened.reconcile.outcome import Sums

__all__ = ["reconcile"]

_FINDINGS = [
    Column("finding"),
    Column("id"),
    Column("here", 6),
    Column("Razorpay", 6),
    Column("state"),
    Column("note", 3, wrap=True),
]
_AMOUNT: Final = re.compile(r"\b([0-9]+) ([A-Z]{3})\b")
_SUMS = [
    Column("currency"),
    Column("what"),
    Column("here", right=True),
    Column("Razorpay", right=True),
    Column(""),
]


def reconcile(
    context: typer.Context,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="Examine at most this many orders, payments, refunds.")
    ] = 500,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write what is missing; your handlers run. Needs --app.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing at all: what happens without --repair.")
    ] = False,
    app: AppOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare orders, payments and refunds of a window (default: the last 24 hours) with Razorpay's.

    Exit code 75 if another run is at work. Run it again after a stop: it goes on where it was.
    """
    if repair and dry_run:
        raise typer.BadParameter("--repair and --dry-run exclude each other")
    session = session_of(context)
    opened = session.application(app, "reconcile --repair") if repair else session.wired(app)
    with opened as rzp:
        now = rzp.clock.now()
        begins, ends = window(since, until, session.zone, now, default=None)
        if begins is None and ends is not None:
            begins = ends - timedelta(days=1)
        result = rzp.reconciler.run(since=begins, until=ends, limit=limit, repair=repair)
    if as_json:
        json_out({**result.to_dict(), "timezone": session.zone_name})
    else:
        _show(result, session)


def _show(result: Reconciliation, session: Session) -> None:
    findings = [_row(finding) for finding in result.findings]
    begins, ends = when(result.since, session.zone), when(result.until, session.zone)
    note(f"made at Razorpay from {begins} to {ends}; times in {session.zone_name}")
    if findings:
        heading("Findings")
        table(_FINDINGS, findings)
    if result.totals.currencies:
        heading("Money of the payments examined")
        table(_SUMS, [row for code, sums in result.totals.currencies.items() for row in _sums(code, sums)])
    for line in _verdict(result, session):
        note(line)


def _row(finding: Finding) -> tuple[object, ...]:
    known = finding.entity_id.startswith(("order_", "pay_", "rfnd_"))
    subject = finding.entity_id if known else f"{finding.entity} {finding.entity_id}"
    return finding.kind, subject, _side(finding.here), _side(finding.there), finding.state, finding.note


def _side(told: str | None) -> str:
    """What one side holds: a finding speaks of subunits, people do not."""
    return _AMOUNT.sub(lambda found: money(int(found[1]), found[2]), told) if told else "(nothing)"


def _sums(code: str, sums: Sums) -> Iterator[tuple[object, ...]]:
    for what, here, there in (
        ("captured", sums.captured_here, sums.captured_there),
        ("refunded", sums.refunded_here, sums.refunded_there),
    ):
        yield code, what, money(here, code), money(there, code), "equal" if here == there else "differs"


def _verdict(result: Reconciliation, session: Session) -> Iterator[str]:
    totals = result.totals
    counts = f"{totals.examined:,} examined, {totals.found:,} findings"
    yield counts + (f", {totals.repaired:,} repaired, {totals.left:,} left" if result.repair else "")
    foreign = ", ".join(f"{count:,} {kind}" for kind, count in totals.foreign.items())
    if foreign:
        yield f"not ours: {foreign}"
    if result.resumed:
        yield "went on where an earlier run had stopped"
    if not result.complete:
        goes_on = "run it again to go on" if result.repair else f"go on with --since {utc(result.cursor)}"
        yield f"stopped at the limit, at {when(result.cursor, session.zone)}: {goes_on}"
    elif totals.found == 0:
        yield "both sides agree"
    elif not result.repair:
        yield "nothing was written: --repair --app module:attr repairs what can be repaired"
