"""``audit``: is the trail whole, seal it, look at one chain."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from razorpay_hardened.audit import Audit, Sealing, Verification
from razorpay_hardened.audit.chains import Chain, read_chain
from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._hide import masked
from razorpay_hardened.cli._options import JsonOption
from razorpay_hardened.cli._output import Column, card, console, heading, json_out, money, note, plain, table, utc, when
from razorpay_hardened.domain.audit import AuditRow
from razorpay_hardened.domain.trail import Broken
from razorpay_hardened.errors import OrderUnknown

__all__ = ["app"]

app = typer.Typer(help="The audit trail: verify it, seal it, show one chain.", no_args_is_help=True)

_ROWS = [
    Column("#", right=True),
    Column("time"),
    Column("about"),
    Column("what"),
    Column("before", 4),
    Column("after"),
    Column("amount", 3, right=True),
    Column("source", 2),
    Column("actor", 1),
    Column("note", 0, wrap=True),
]


@app.command()
def verify(
    context: typer.Context,
    witness: Annotated[
        str | None,
        typer.Option(
            metavar="N:HASH",
            help="A seal that you wrote down, as `audit seal` printed it: shows a trail that was cut or made anew.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read the whole trail and name every place where it is not as it was written, the first broken row first.

    Exit code 1 if there is one. Writers are not held up.
    """
    session = session_of(context)
    with session.store() as store:
        found = Audit(store, clock=session.clock).verify(witness)
    if as_json:
        json_out(_verification_dict(found))
    else:
        _show_verification(found, session)
    if not found.whole:
        raise typer.Exit(1)


@app.command()
def seal(context: typer.Context, as_json: JsonOption = False) -> None:
    """Link the rows that are finished into the chain of seals. Run it every few minutes, like any scheduled work.

    Keep the witness that it prints in another place than the database: `audit verify --witness` takes it.
    """
    session = session_of(context)
    with session.store() as store:
        done = Audit(store, clock=session.clock).seal()
    if as_json:
        json_out({"seals": done.seals, "rows": done.rows, "witness": done.witness})
        return
    _show_sealing(done)


@app.command()
def show(
    context: typer.Context,
    anchor: Annotated[
        str, typer.Argument(metavar="ANCHOR", help="An order's id (or local id), a payment's without order, a digest.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Show one chain, row by row. Exit code 1 if it is not as it was written."""
    session = session_of(context)
    with session.store() as store:
        chain = read_chain(store, anchor)
    if not chain.rows and chain.broken is None and not chain.dropped:
        raise OrderUnknown(f"nothing is on record under {anchor!r}: give an order's or a payment's id, or a digest")
    if as_json:
        json_out(_chain_dict(chain))
    else:
        _show_chain(chain, session)
    if chain.broken is not None:
        raise typer.Exit(1)


# --- verify


def _verification_dict(found: Verification) -> dict[str, Any]:
    return {
        "whole": found.whole,
        "first_broken": None if found.first is None else _broken_dict(found.first),
        "broken": [_broken_dict(one) for one in found.broken],
        "broken_count": found.count,
        "chains": found.chains,
        "rows": found.rows,
        "seals": found.seals,
        "sealed": found.sealed,
        "unsealed": found.unsealed,
        "unsealed_since": utc(found.unsealed_since),
        "dropped": found.dropped,
        "dropped_until": utc(found.dropped_until),
        "witness": found.witness,
    }


def _broken_dict(one: Broken) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "anchor": one.anchor,
        "seq": one.seq,
        "position": one.position,
        "seal": one.seal,
        "words": one.words,
    }


def _show_verification(found: Verification, session: Session) -> None:
    dropped = f"{found.dropped:,} rows from before {when(found.dropped_until, session.zone)}" if found.dropped else ""
    since = f", the first at {when(found.unsealed_since, session.zone)}" if found.unsealed else ""
    card(
        [
            ("audit", "whole" if found.whole else f"broken: {found.count:,} places"),
            ("rows", f"{found.rows:,} in {found.chains:,} chains"),
            ("sealed", f"{found.sealed:,} under {found.seals:,} seals"),
            ("not sealed", f"{found.unsealed:,}{since}"),
            ("dropped by retention", dropped),
            ("witness", found.witness),
        ]
    )
    if found.first is not None:
        heading("The first broken row" if found.first.anchor is not None else "The first broken seal")
        console().print(plain(found.first.words), style="red", soft_wrap=True)
        if found.count > 1:
            heading("And then")
        for one in found.broken[1:]:
            console().print(plain(one.words), soft_wrap=True)
        if found.count > len(found.broken):
            note(f"the first {len(found.broken)} of {found.count:,}")
    note(f"times in {session.zone_name}")


# --- seal


def _show_sealing(done: Sealing) -> None:
    card(
        [
            ("sealed", f"{done.rows:,} rows under {done.seals:,} new seals" if done.seals else "nothing new"),
            ("witness", done.witness),
        ]
    )


# --- show


def _chain_dict(chain: Chain) -> dict[str, Any]:
    return {
        "anchor": chain.anchor,
        "whole": chain.broken is None,
        "broken": None if chain.broken is None else _broken_dict(chain.broken),
        "dropped_by_retention": chain.dropped,
        "rows": [_row_dict(row) for row in chain.rows],
    }


def _row_dict(row: AuditRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": utc(row.at),
        "what": row.what,
        "kind": row.kind,
        "entity_id": row.entity_id,
        "before": row.before,
        "after": row.after,
        "amount": row.amount,
        "currency": row.currency,
        "source": row.source,
        "actor": masked(row.actor),
        "event": row.event,
        "event_id": row.event_id,
        "digest": row.digest,
        "note": masked(row.note),
        "prev": row.prev,
        "hash": row.hash,
    }


def _show_chain(chain: Chain, session: Session) -> None:
    rows = [
        (
            row.seq,
            when(row.at, session.zone),
            row.entity_id,
            row.what,
            row.before,
            row.after,
            money(row.amount, row.currency),
            f"{row.source} {row.event}" if row.event else row.source,
            masked(row.actor),
            masked(row.note),
        )
        for row in chain.rows
    ]
    table(_ROWS, rows)
    if chain.dropped:
        note("retention has dropped the oldest rows of this chain")
    verdict = "whole" if chain.broken is None else f"broken: {chain.broken.words}"
    note(f"{len(rows):,} rows; the chain is {verdict}; times in {session.zone_name}")
