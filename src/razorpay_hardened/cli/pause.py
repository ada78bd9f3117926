"""``pause`` and ``resume``: stop effects while everything is received and stored, and let them run again."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from razorpay_hardened.cli._app import Session, session_of
from razorpay_hardened.cli._options import AppOption, JsonOption
from razorpay_hardened.cli._output import json_out, note, utc, when

if TYPE_CHECKING:
    from razorpay_hardened.ports.store import Switch

__all__ = ["ActorOption", "NoteOption", "pause", "pause_dict", "pause_line", "resume", "whoever"]

ActorOption = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="Who does this, for the record. Default: your login.")
]
NoteOption = Annotated[
    str | None, typer.Option("--note", metavar="TEXT", help="Why, for whoever finds it. Name no customer.")
]


def pause(
    context: typer.Context, note_: NoteOption = None, actor: ActorOption = None, as_json: JsonOption = False
) -> None:
    """Stop all effects, in every process on this store. Deliveries are stored and answered 200 as before.

    Needs no application. What a handler has begun may still end.
    """
    from razorpay_hardened.effects import pause as pauses
    from razorpay_hardened.signals import Bus

    session = session_of(context)
    with session.store() as store:
        held = pauses.begin(store, clock=session.clock, bus=Bus(), actor=whoever(actor), note=note_)
    if as_json:
        json_out({"paused": pause_dict(held)})
    else:
        note(pause_line(held, session, session.now()))
        note("what comes in is stored and waits: razorpay-hardened resume --app module:attr ends it")


def resume(
    context: typer.Context,
    app: AppOption = None,
    note_: NoteOption = None,
    actor: ActorOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Read this many rows at a time.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """End the pause and call the handlers that waited, the oldest first. Needs --app.

    Safe to stop and to run again. Exit code 1 if a handler failed, or if somebody paused again meanwhile.
    """
    session = session_of(context)
    with session.application(app, "resume") as rzp:
        before = rzp.paused
        drained = rzp.resume(actor=whoever(actor), note=note_, limit=limit)
    if as_json:
        counts = {"ran": drained.ran, "failed": drained.failed, "left": drained.left, "paused": drained.paused}
        json_out({"ended": None if before is None else pause_dict(before), **counts})
    else:
        note("it was not paused" if before is None else f"ended: {pause_line(before, session, session.now())}")
        note(f"{drained.ran:,} handlers called, {drained.failed:,} of them failed; {drained.left:,} effects wait")
        if drained.left and not drained.paused:
            note("what waits is tried again by process_pending, at its own pace")
        if drained.paused:
            note("somebody has paused again: stopped")
    if drained.failed or drained.paused:
        raise typer.Exit(1)


def whoever(actor: str | None) -> str:
    """The name that goes on record."""
    if actor is not None:
        return actor
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise typer.BadParameter("--actor is needed: this login has no name") from None


def pause_dict(switch: Switch) -> dict[str, Any]:
    """A pause for programs."""
    return {"since": utc(switch.at), "actor": switch.actor, "note": switch.note}


def pause_line(switch: Switch, session: Session, now: datetime) -> str:
    """A pause for people: since when, by whom, why, and how long that is."""
    hours, minutes = divmod(max(0, int((now - switch.at).total_seconds())) // 60, 60)
    why = f": {switch.note}" if switch.note else ""
    return f"paused since {when(switch.at, session.zone)} ({hours} h {minutes:02} min) by {switch.actor}{why}"
