"""``payments show --at`` and ``orders show --at``: a state of the past, from the audit."""

from __future__ import annotations

from typing import Any

import typer

from razorpay_hardened.audit import Audit, Past
from razorpay_hardened.cli._app import Session
from razorpay_hardened.cli._options import moment
from razorpay_hardened.cli._output import Column, card, heading, json_out, money, note, table, utc, when
from razorpay_hardened.errors import OrderUnknown

__all__ = ["show_past"]

_A = {"payment": "a payment", "order": "an order", "refund": "a refund"}
_PARTS = [Column("what"), Column("amount", right=True), Column("status"), Column("since", 3)]


def show_past(session: Session, reference: str, at: str, kind: str, *, as_json: bool) -> None:
    """Show what ``reference`` was. Exit code 1 if its audit chain is broken: then nothing of it can be relied on."""
    then = moment(at, session.zone, session.now(), option="--at", end_of_day=True)
    with session.store() as store:
        found = Audit(store, clock=session.clock).at(reference, then)
    if found.kind != kind:
        raise OrderUnknown(f"no {kind} {reference!r} is on record here, it is the id of {_A[found.kind]}")
    if as_json:
        json_out(_dict(found))
    else:
        _show(found, session)
    if not found.whole:
        raise typer.Exit(1)


def _dict(found: Past) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "id": found.id,
        "at": utc(found.at),
        "status": found.status,
        "since": utc(found.since),
        "amount": found.amount,
        "currency": found.currency,
        "captured": found.captured,
        "refunded": found.refunded,
        "closed": found.closed,
        "parts": [_dict(part) for part in found.parts],
        "unknown": list(found.unknown),
        "whole": found.whole,
    }


def _show(found: Past, session: Session) -> None:
    captured = {True: "yes", False: "no", None: "not known"}[found.captured]
    card(
        [
            (found.kind, found.id),
            ("at", f"{when(found.at, session.zone)} {session.zone_name}"),
            ("status", found.status or "not on record then"),
            ("since", when(found.since, session.zone)),
            ("amount", money(found.amount, found.currency)),
            ("captured", captured if found.kind == "payment" and found.status is not None else ""),
            ("refunded", money(found.refunded, found.currency) if found.refunded else ""),
            ("closed", "yes" if found.closed else ""),
            ("audit", "whole" if found.whole else "broken: see `audit verify`"),
        ]
    )
    if found.parts:
        heading("Refunds" if found.kind == "payment" else "Payments")
        rows = [
            (one.id, money(one.amount, one.currency), one.status, when(one.since, session.zone)) for one in found.parts
        ]
        table(_PARTS, rows)
    for words in found.unknown:
        note(words)


def _part(one: Past, session: Session) -> tuple[object, ...]:
    return one.id, money(one.amount, one.currency), one.status, when(one.since, session.zone)
