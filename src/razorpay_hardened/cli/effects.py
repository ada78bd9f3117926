"""``effects``: what handlers still owe, what was given up, and another try for that."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Annotated, Any, Final, cast

import typer

from razorpay_hardened.cli._app import check_handlers, session_of
from razorpay_hardened.cli._hide import masked
from razorpay_hardened.cli._lists import Listing
from razorpay_hardened.cli._options import AppOption, JsonOption, LimitOption, chosen
from razorpay_hardened.cli._output import Column, json_out, note, table, utc, when_short
from razorpay_hardened.ports.store import EffectRow, EffectState, Reader

__all__ = ["app"]

app = typer.Typer(help="Effects: list what waits or was given up, try one again.", no_args_is_help=True)

_STATES: Final = ("waiting", "leased", "done", "dead")
_UNFINISHED: Final = ("waiting", "leased", "dead")
_PAGE: Final = 1000
_COLUMNS = [
    Column("id", right=True),
    Column("fired"),
    Column("handler"),
    Column("milestone"),
    Column("state"),
    Column("about", 2),
    Column("tries", 1, right=True),
    Column("next", 3),
    Column("error", 4, wrap=True),
]
_HandlerOption = Annotated[
    str | None, typer.Option("--handler", metavar="NAME", help="Only those of the handler of this name.")
]


@app.command("list")
def list_effects(
    context: typer.Context,
    state: Annotated[
        list[str] | None, typer.Option(help=f"Only these (repeat the option): {', '.join(_STATES)}.")
    ] = None,
    handler: _HandlerOption = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="ID", help="Only of this order, or payment without an order.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List effects that are not done, or those in --state; the newest last."""
    session = session_of(context)
    states = cast("tuple[EffectState, ...]", chosen(state, _STATES, option="--state") or _UNFINISHED)
    kept: deque[EffectRow] = deque(maxlen=limit)
    total = 0
    with session.store() as store:
        for row in _all(store, states, handler, about):
            kept.append(row)
            total += 1
    found = Listing(list(kept), total)
    if as_json:
        json_out({"effects": [_dict(row) for row in found.rows], "total": found.total})
        return
    now = session.now()

    def cells(row: EffectRow) -> tuple[object, ...]:
        fired = when_short(row.at, session.zone, now)
        due = when_short(row.due_at, session.zone, now) if row.state == "waiting" else ""
        return row.id, fired, row.handler, row.milestone, row.state, row.anchor, row.attempts, due, masked(row.error)

    table(_COLUMNS, [cells(row) for row in found.rows])
    note(f"{found.words('effects')}; times in {session.zone_name}")


@app.command()
def replay(
    context: typer.Context,
    effect: Annotated[
        int | None, typer.Argument(metavar="EFFECT", min=1, help="The id of a dead effect, as the list has it.")
    ] = None,
    handler: _HandlerOption = None,
    app_: AppOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a dead effect again, or with --handler every dead one of that handler, the oldest first.

    Needs your application, because its handlers are called. Exit code 1 if one of them is not done afterwards.
    """
    if (effect is None) == (handler is None):
        raise typer.BadParameter("give the id of an effect, or --handler with a name")
    session = session_of(context)
    with session.application(app_, "effects replay") as rzp:
        dead = list(_all(rzp.store, ("dead",), handler, None))
        rows = dead if effect is None else [row for row in dead if row.id == effect]
        check_handlers(rzp, {row.handler for row in rows})
        ids = [row.id for row in rows] if effect is None else [effect]
        after = [rzp.webhooks.replay_effect(one) for one in ids]
    if as_json:
        json_out({"effects": [_dict(row) for row in after]})
    else:
        for row in after:
            why = f": {masked(row.error)}" if row.error else ""
            note(f"{row.id} {row.handler} {row.key}: {row.state}{why}")
        if not after:
            note("nothing of this handler is given up")
    if any(row.state != "done" for row in after):
        raise typer.Exit(1)


def _all(store: Reader, states: tuple[EffectState, ...], handler: str | None, about: str | None) -> Iterator[EffectRow]:
    after_id = 0
    while page := store.effects(states=states, anchor=about, after_id=after_id, limit=_PAGE):
        yield from (row for row in page if handler in (None, row.handler))
        after_id = page[-1].id


def _dict(row: EffectRow) -> dict[str, Any]:
    """An effect for programs, without its detail."""
    return {
        "id": row.id,
        "key": row.key,
        "handler": row.handler,
        "mode": row.mode,
        "milestone": row.milestone,
        "about": row.anchor,
        "entity_id": row.entity_id,
        "state": row.state,
        "attempts": row.attempts,
        "error": masked(row.error),
        "at": utc(row.at),
        "due_at": utc(row.due_at),
    }
