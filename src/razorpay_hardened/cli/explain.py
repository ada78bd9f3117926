"""``explain``: the whole story of one payment, order or refund, with the rule that decided each step."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from razorpay_hardened.audit import Audit, Explanation, Step
from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._hide import masked
from razorpay_hardened.cli._options import JsonOption
from razorpay_hardened.cli._output import Column, console, heading, json_out, note, plain, table, utc, when_short

__all__ = ["explain"]

_STEPS = [Column("time"), Column("happened", wrap=True), Column("rule", 2, wrap=True), Column("said by", 1, wrap=True)]


def explain(
    context: typer.Context,
    reference: Annotated[
        str, typer.Argument(metavar="ID", help="A payment, an order or a refund: pay_… order_… rfnd_…")
    ],
    as_json: JsonOption = False,
) -> None:
    """Tell the whole story of a payment, an order or a refund, and which rule decided each step.

    Exit code 1 if the audit rows that it is told by are not as they were written.
    """
    session = session_of(context)
    with session.store() as store:
        told = Audit(store, clock=session.clock).explain(reference)
    if as_json:
        json_out(_dict(told))
    else:
        _show(told, session)
    if not told.whole:
        raise typer.Exit(1)


def _dict(told: Explanation) -> dict[str, Any]:
    return {
        "kind": told.kind,
        "id": told.id,
        "status": told.status,
        "summary": told.summary,
        "steps": [_step_dict(step) for step in told.steps],
        "open": [masked(one) for one in told.open],
        "audit": {
            "whole": told.whole,
            "broken": [one.words for one in told.broken],
            "dropped_by_retention": told.dropped,
        },
    }


def _step_dict(step: Step) -> dict[str, Any]:
    return {
        "at": utc(step.at),
        "kind": step.kind,
        "about": step.about,
        "words": masked(step.words),
        "rule": None if step.rule is None else step.rule.name,
        "because": None if step.rule is None else masked(step.rule.text),
        "source": masked(step.source),
        "row": None if step.row is None else {"anchor": step.row[0], "seq": step.row[1]},
    }


def _show(told: Explanation, session: Session) -> None:
    console().print(plain(told.summary), soft_wrap=True)
    heading("What happened")
    table(_STEPS, [_row(step, session) for step in told.steps])
    if told.open:
        heading("Not at its end yet")
        for one in told.open:
            console().print(plain(masked(one)), soft_wrap=True)
    if told.dropped:
        note("retention has dropped the oldest rows of this story")
    for broken in told.broken:
        console().print(plain(f"broken: {broken.words}"), style="red", soft_wrap=True)
    note(f"times in {session.zone_name}; the audit rows are {'whole' if told.whole else 'broken: run audit verify'}")


def _row(step: Step, session: Session) -> tuple[object, ...]:
    rule = "" if step.rule is None else step.rule.text
    return when_short(step.at, session.zone), masked(step.words), masked(rule), masked(step.source)
