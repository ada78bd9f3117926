"""``db``: the tables, where they are and what state they are in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from razorpay_hardened.cli._app import session_of
from razorpay_hardened.cli._files import write_new
from razorpay_hardened.cli._options import JsonOption
from razorpay_hardened.cli._output import Column, card, json_out, note, table
from razorpay_hardened.cli.pause import pause_dict, pause_line
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.ports.store import Store, StoreStatus, Switch

__all__ = ["app"]


class Dialect(StrEnum):
    """The databases that have a schema."""

    sqlite = "sqlite"
    postgresql = "postgresql"


app = typer.Typer(help="The tables: make them, look at them, read their SQL.", no_args_is_help=True)


@app.command()
def migrate(
    context: typer.Context,
    finish: Annotated[
        bool, typer.Option("--finish", help="Also what the version before cannot survive, once it is gone.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the tables, or bring them up to this version. Safe at every start, and while the old version runs."""
    with session_of(context).store() as store:
        before, after = store.status(), store.migrate(finish=finish)
    if as_json:
        json_out({**_as_dict(after), "from": before.version})
        return
    if not after.finished:
        note("the version before still runs on it: `db migrate --finish`, once its last process has gone")
    if before.version == after.version:
        note(f"{after.url}: already at schema version {after.version}")
    else:
        was = "made" if before.version is None else f"brought up from version {before.version}"
        note(f"{after.url}: {was}, now at schema version {after.version}")


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the schema's version, whether effects are paused, and how many rows there are.

    Exit code 1 if `db migrate` is due.
    """
    session = session_of(context)
    with session.store() as store:
        found = store.status()
        paused = _paused(store, found)
    if as_json:
        json_out({**_as_dict(found), "paused": None if paused is None else pause_dict(paused)})
    else:
        _show(found, "running" if paused is None else pause_line(paused, session, session.now()))
    if not found.usable:
        raise typer.Exit(1)


@app.command()
def partition(
    context: typer.Context,
    ahead: Annotated[int, typer.Option("--ahead", min=1, max=60, help="How many months to come.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Keep months of the inbox and the audit apart (PostgreSQL): make the partitions of the months to come.

    Once is enough: `retention apply` makes more as time goes on, and drops those that are old.
    """
    from razorpay_hardened.ports.store import Partitioned

    session = session_of(context)
    with session.store() as store:
        if not isinstance(store, Partitioned):
            raise ConfigError("only PostgreSQL keeps months apart; an SQLite store needs no partitions")
        made = store.make_months(session.now(), ahead=ahead)
    if as_json:
        json_out({"made": [month.name for month in made]})
    else:
        for month in made:
            note(f"made: {month.name}")
        note(f"{len(made):,} partitions made")


@app.command()
def sql(
    context: typer.Context,
    dialect: Annotated[
        Dialect | None, typer.Option("--dialect", help="For this database, whatever the store's URL says.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Write to this file instead.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Let --output replace a file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the SQL that makes the tables, for teams that apply it themselves. Opens no database."""
    if dialect is None:
        with session_of(context).store() as store:
            text = store.schema()
    else:
        from razorpay_hardened.storage.migrate import schema_text

        text = schema_text(dialect.value)
    if output is not None:
        write_new(output, text, overwrite=overwrite)
    if as_json:
        json_out({"sql": text, "output": None if output is None else str(output)})
    elif output is None:
        typer.echo(text, nl=False)


def _as_dict(found: StoreStatus) -> dict[str, object]:
    current = found.version == found.wanted
    return {
        "store": found.url,
        "version": found.version,
        "wanted": found.wanted,
        "current": current,
        "finished": found.finished,
        "rows": found.counts,
    }


def _paused(store: Store, found: StoreStatus) -> Switch | None:
    """The pause that is on; a schema that has to be brought up first may have no switches yet."""
    from razorpay_hardened.effects.pause import seen

    return seen(store.switches()).on if found.usable else None


def _show(found: StoreStatus, effects: str) -> None:
    if found.version is None:
        state = "no tables yet: run `razorpay-hardened db migrate`"
    elif found.version < found.wanted:
        state = f"version {found.version}, {found.wanted} is needed: run `razorpay-hardened db migrate`"
    elif not found.usable:
        state = f"version {found.version}, newer than the {found.wanted} of this package: upgrade the package"
    elif not found.finished:
        state = f"version {found.version}; version {found.serves} still runs on it, until `db migrate --finish`"
    else:
        state = f"version {found.version}, as this package needs it"
    card([("store", found.url), ("schema", state), ("effects", effects if found.usable else "")])
    if found.counts:
        typer.echo()
        table(
            [Column("table"), Column("rows", right=True)], [(name, f"{rows:,}") for name, rows in found.counts.items()]
        )
