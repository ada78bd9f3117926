"""``events``: what Razorpay delivered, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple, cast

import typer

from razorpay_hardened.cli._app import Session, check_handlers, session_of
from razorpay_hardened.cli._body import Entity, entities_in
from razorpay_hardened.cli._hide import masked
from razorpay_hardened.cli._lists import Listing, newest
from razorpay_hardened.cli._options import (
    AppOption,
    JsonOption,
    LimitOption,
    SinceOption,
    UntilOption,
    chosen,
    window,
)
from razorpay_hardened.cli._output import Column, card, json_out, note, table, utc, when, when_short
from razorpay_hardened.cli._timeline import Story, deliveries_about, story_of_event
from razorpay_hardened.cli._views import show_story
from razorpay_hardened.cli.pause import pause_dict, pause_line
from razorpay_hardened.effects.pause import seen
from razorpay_hardened.errors import EventUnknown
from razorpay_hardened.ports.store import After, InboxRow, InboxState, Reader

__all__ = ["app"]

app = typer.Typer(help="Webhook deliveries: list them, show one, process one again.", no_args_is_help=True)

_STATES: Final = ("done", "waiting", "parked", "quarantined", "ignored", "dead")
_SHORT: Final = 16
_PREFIX: Final = re.compile(r"[0-9a-f]{8,63}")
_UNREAD: Final = "(unread)"
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)
_COLUMNS = [
    Column("received"),
    Column("event"),
    Column("state"),
    Column("id"),
    Column("about", 2),
    Column("tries", 1, right=True),
    Column("reason", 4, wrap=True),
]
_Reference = Annotated[
    str, typer.Argument(metavar="EVENT", help="An event id, a digest, or the first 8 or more digits of one.")
]


@app.command("list")
def list_events(
    context: typer.Context,
    since: SinceOption = None,
    until: UntilOption = None,
    state: Annotated[
        list[str] | None, typer.Option(help=f"Only these (repeat the option): {', '.join(_STATES)}.")
    ] = None,
    about: Annotated[
        str | None, typer.Option(metavar="ID", help="Only what changed, or waits for, this order, payment or refund.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List the newest deliveries, the newest last: of the last 7 days, or of all time with --state or --about."""
    session = session_of(context)
    states = cast("tuple[InboxState, ...]", chosen(state, _STATES, option="--state"))
    default = None if states or about else timedelta(days=7)
    begins, ends = window(since, until, session.zone, session.now(), default=default)
    wanted = _Wanted(states, about, begins or _BEGINNING, ends or _END)
    with session.store() as store:
        found = wanted.newest(store, limit)
        paused = seen(store.switches()).on
    if as_json:
        told = None if paused is None else pause_dict(paused)
        json_out({"events": [event_dict(row) for row in found.rows], "total": found.total, "paused": told})
        return
    table(_COLUMNS, [_row(row, session) for row in found.rows])
    of = "" if begins is None else f" since {when(begins, session.zone)}"
    note(f"{found.words('events')}{of}; times in {session.zone_name}")
    if paused is not None:
        note(f"effects are {pause_line(paused, session, session.now())}")


class _Wanted(NamedTuple):
    """What a listing is to hold; received in [begins, ends)."""

    states: tuple[InboxState, ...]
    about: str | None
    begins: datetime
    ends: datetime

    def newest(self, store: Reader, limit: int) -> Listing[InboxRow]:
        if self.about is not None:
            rows = [row for row in deliveries_about(store, self.about) if self._has(row)]
            return Listing(rows[-limit:], len(rows))
        return newest(lambda after, size: self._page(store, after, size), _place, limit, (self.begins, ""))

    def _page(self, store: Reader, after: After | None, size: int) -> list[InboxRow]:
        rows = store.deliveries(states=self.states, after=after, limit=size)
        return [row for row in rows if row.received_at < self.ends]

    def _has(self, row: InboxRow) -> bool:
        return self.begins <= row.received_at < self.ends and (not self.states or row.state in self.states)


def _place(row: InboxRow) -> After:
    return row.received_at, row.digest


@app.command()
def show(context: typer.Context, reference: _Reference, as_json: JsonOption = False) -> None:
    """Show one delivery: its state, what it is about, and everything that it changed. Its body stays in the store.

    Exit code 1 if the audit chain of what it changed is not as it was written.
    """
    session = session_of(context)
    with session.store() as store:
        row = find(store, reference)
        entities = entities_in(row.body)
        told = story_of_event(store, row, {name for one in entities for name in one.ids})
    if as_json:
        json_out(
            {
                "event": event_dict(row),
                "entities": [{"kind": one.kind, "id": one.id, "status": one.status} for one in entities],
                "timeline": [line.to_dict() for line in told.lines],
                "audit": told.audit_dict(),
            }
        )
    else:
        _show(row, entities, told, session)
    if not told.whole:
        raise typer.Exit(1)


def _show(row: InboxRow, entities: list[Entity], told: Story, session: Session) -> None:
    card(
        [
            ("event", row.event or _UNREAD),
            ("event id", row.event_id),
            ("digest", row.digest),
            ("state", row.state),
            ("reason", masked(row.reason)),
            ("about", _about(row)),
            ("received", when(row.received_at, session.zone)),
            ("made", when(row.created_at, session.zone)),
            ("changed", when(row.updated_at, session.zone)),
            ("attempts", row.attempts or ""),
            ("body", _body(row, session)),
            *((one.kind, f"{one.id} {one.status or ''}") for one in entities),
            ("audit", told.verdict),
        ]
    )
    show_story(told, session)


@app.command()
def replay(
    context: typer.Context,
    reference: _Reference,
    app_: AppOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also one that is done. What has fired never fires again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Process a stored delivery again: one that was quarantined or given up, mostly.

    Needs your application, because its handlers may be called. Exit code 1 if a handler fails again.
    """
    session = session_of(context)
    with session.application(app_, "events replay") as rzp:
        row = find(rzp.store, reference)
        check_handlers(rzp, _owed(rzp.store, row))
        result = rzp.webhooks.replay(row.digest, force=force)
    if as_json:
        told = {"before": result.before, "after": result.after, "milestones": list(result.milestones)}
        json_out({"digest": row.digest, "event_id": row.event_id, **told})
    else:
        _tell(row, result.before, result.after, result.milestones, force=force)
    if result.after in ("waiting", "dead", "quarantined"):
        raise typer.Exit(1)


def _owed(store: Reader, row: InboxRow) -> set[str]:
    """The handlers whose effects of this delivery were given up: a replay tries them again."""
    ids = {name for one in entities_in(row.body) for name in one.ids}
    return story_of_event(store, row, ids).given_up


def find(store: Reader, reference: str) -> InboxRow:
    """A delivery by its digest, its event id or the start of a digest. Raises :class:`EventUnknown`."""
    row = store.delivery(reference)
    if row is not None:
        return row
    rows = store.deliveries(event_id=reference, limit=1)
    if not rows and _PREFIX.fullmatch(reference):
        rows = [row for row in _all(store) if row.digest.startswith(reference)]
    if not rows:
        raise EventUnknown(f"no event {reference!r} is on record here")
    if len(rows) > 1:
        raise EventUnknown(f"{len(rows)} events begin with {reference!r}: give more of the digest")
    return rows[0]


def _all(store: Reader) -> Iterator[InboxRow]:
    after = None
    while page := store.deliveries(after=after, limit=1000):
        yield from page
        after = (page[-1].received_at, page[-1].digest)


def event_dict(row: InboxRow) -> dict[str, Any]:
    """A delivery for programs, without its body: that may hold personal data."""
    return {
        "digest": row.digest,
        "event_id": row.event_id,
        "event": row.event,
        "state": row.state,
        "reason": masked(row.reason),
        "about": _about(row),
        "attempts": row.attempts,
        "received_at": utc(row.received_at),
        "created_at": utc(row.created_at),
        "updated_at": utc(row.updated_at),
        "body_bytes": len(row.body),
        "erased_at": utc(row.erased_at),
    }


def _row(row: InboxRow, session: Session) -> tuple[object, ...]:
    name = row.event_id or row.digest[:_SHORT]
    received = when_short(row.received_at, session.zone, session.now())
    return received, row.event or _UNREAD, row.state, name, _about(row), row.attempts or "", masked(row.reason)


def _body(row: InboxRow, session: Session) -> str:
    if row.erased_at is not None:
        return f"erased by retention on {when(row.erased_at, session.zone)}"
    return f"{len(row.body):,} bytes"


def _about(row: InboxRow) -> str | None:
    """What a delivery is about: what it waits for, else the order that its body names, else the payment."""
    if row.anchor is not None:
        return row.anchor
    ids = [name for one in entities_in(row.body) for name in one.ids]
    return next((name for prefix in ("order_", "pay_", "") for name in ids if name.startswith(prefix)), None)


def _tell(row: InboxRow, before: str, after: str, milestones: tuple[str, ...], *, force: bool) -> None:
    name = row.event_id or row.digest[:_SHORT]
    if before == "done" and not force:
        note(f"{row.event} {name} is done already: nothing to do (--force processes it again)")
        return
    note(f"{row.event or _UNREAD} {name}: {before} → {after}")
    note(f"fired: {', '.join(milestones)}" if milestones else "no milestone fired: all of them had before")
    if after == "waiting":
        note("a handler failed again; it is tried again by the worker, or by another replay")
