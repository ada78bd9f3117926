"""``retention``: personal data that has to go, legal holds, and people who ask to be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._options import AppOption, JsonOption
from razorpay_hardened.cli._output import Column, json_out, note, table, utc, when
from razorpay_hardened.cli.pause import ActorOption, NoteOption, whoever
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.ports.store import Hold
    from razorpay_hardened.retention import Report, Retention

__all__ = ["app"]

app = typer.Typer(help="Erase personal data when its time has come; the books stay.", no_args_is_help=True)

_Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="An order's or a payment's id, or an owner.")]
_Rows = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after about so many rows; go on next time.")]
_COLUMNS = [
    Column("class"),
    Column("older than"),
    Column("erased", right=True),
    Column("on hold", right=True),
    Column("still open", right=True),
    Column("too fresh", right=True),
]


@app.command()
def plan(context: typer.Context, app: AppOption = None, limit: _Rows = None, as_json: JsonOption = False) -> None:
    """Count what `retention apply` would erase now. Writes nothing."""
    with _policy(context, app, "retention plan") as retention:
        report = retention.plan(limit=limit)
    _tell(report, session_of(context), as_json)


@app.command()
def apply(context: typer.Context, app: AppOption = None, limit: _Rows = None, as_json: JsonOption = False) -> None:
    """Erase what the policy in your code says is due. Run it daily; stop and repeat it as you like."""
    with _policy(context, app, "retention apply") as retention:
        report = retention.apply(limit=limit)
    _tell(report, session_of(context), as_json)


@app.command()
def hold(
    context: typer.Context,
    subject: _Subject,
    note_: NoteOption = None,
    actor: ActorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave everything about an order, a payment or an owner alone until the hold is released."""
    with _kept(context) as retention:
        made = retention.hold(subject, actor=whoever(actor), note=note_)
    if as_json:
        json_out({"hold": _hold_dict(made)})
    else:
        note(f"on hold: {made.subject}, by {made.actor}")


@app.command()
def release(context: typer.Context, subject: _Subject, as_json: JsonOption = False) -> None:
    """Take a hold away. Exit code 1 if there was none."""
    with _kept(context) as retention:
        released = retention.release(subject)
    if as_json:
        json_out({"subject": subject, "released": released})
    else:
        note(f"released: {subject}" if released else f"there was no hold on {subject}")
    if not released:
        raise typer.Exit(1)


@app.command()
def holds(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the legal holds."""
    session = session_of(context)
    with _kept(context) as retention:
        found = retention.holds()
    if as_json:
        json_out({"holds": [_hold_dict(one) for one in found]})
        return
    rows = [(one.subject, when(one.at, session.zone), one.actor, one.note) for one in found]
    table([Column("subject"), Column("since"), Column("actor", 4), Column("note", 3, wrap=True)], rows)
    note(f"{len(found):,} holds; times in {session.zone_name}")


@app.command()
def erase(
    context: typer.Context,
    owner: Annotated[str | None, typer.Option(help="Forget this owner: all orders, payments and refunds.")] = None,
    payment: Annotated[str | None, typer.Option(help="Forget the person of this payment and its order.")] = None,
    order: Annotated[str | None, typer.Option(help="Forget the person of this order, by either id.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Forget somebody now, at their request, whatever the age.

    Legal holds stand, and what is still to be done is left. Exit code 1 if something was left: it is named.
    """
    if sum(one is not None for one in (owner, payment, order)) != 1:
        raise typer.BadParameter("give one of --owner, --payment and --order")
    with _kept(context) as retention:
        told = retention.erase(owner=owner, payment=payment, order=order)
    if as_json:
        counts: dict[str, Any] = {"rows": told.rows, "bodies": told.bodies, "errors": told.errors}
        json_out({**counts, "held": list(told.held), "open": list(told.open), "complete": told.complete})
    else:
        note(f"erased: {told.rows:,} rows, {told.bodies:,} bodies, {told.errors:,} errors")
        table([Column("left"), Column("because")], [(one, "a legal hold stands") for one in told.held])
        table([Column("left"), Column("because")], [(one, "something is still to be done") for one in told.open])
    if not told.complete:
        raise typer.Exit(1)


@contextmanager
def _policy(context: typer.Context, app: str | None, what: str) -> Iterator[Retention]:
    """The retention of the application: its policy is in its code, and a default must not erase more than that."""
    if app is None:
        raise ConfigError(
            f"{what} follows the policy in your code, so it must know it: add --app module:attribute"
            " (your Razorpay object, or a function that returns it), or set RAZORPAY_APP"
        )
    with session_of(context).wired(app) as rzp:
        yield rzp.retention


@contextmanager
def _kept(context: typer.Context) -> Iterator[Retention]:
    """Retention on the store alone, for what does not ask the policy."""
    from razorpay_hardened.retention import Retention

    session = session_of(context)
    with session.store() as store:
        yield Retention(store, clock=session.clock)


def _hold_dict(one: Hold) -> dict[str, Any]:
    return {"subject": one.subject, "since": utc(one.at), "actor": one.actor, "note": one.note}


def _tell(report: Report, session: Session, as_json: bool) -> None:
    if as_json:
        classes = {
            name: {"older_than": utc(report.cutoffs[name]), **_counts(counts)} for name, counts in report.counts.items()
        }
        json_out({"dry_run": report.dry, "complete": report.complete, "classes": classes})
        return
    rows = [
        (name, when(report.cutoffs[name], session.zone) or "kept for ever", *_counts(counts).values())
        for name, counts in report.counts.items()
    ]
    table(_COLUMNS, rows)
    note("nothing was written: razorpay-hardened retention apply does it" if report.dry else "erased")
    if not report.complete:
        note("stopped at the limit: run it again to go on")


def _counts(counts: Any) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("erased", "held", "open", "fresh")}
