"""The root command: global options, and the groups."""

from __future__ import annotations

from typing import Annotated

import typer

from razorpay_hardened._version import __version__
from razorpay_hardened.cli import (
    audit,
    backup,
    db,
    demo,
    emulate,
    events,
    explain,
    orders,
    payments,
    reconcile,
    retention,
    webhook,
)
from razorpay_hardened.cli import pause as pauses
from razorpay_hardened.cli._app import Session, refuse_password
from razorpay_hardened.cli._options import INDIA, zone_named

__all__ = ["app"]

app = typer.Typer(
    name="razorpay-hardened",
    help="Razorpay for teams who take real money: look at, replay and reconcile what was paid.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage or configuration, 75 busy, 128+n ended by signal n.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # a traceback that shows locals shows secrets
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"razorpay-hardened {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="The store to use instead of RAZORPAY_STORE_URL, such as sqlite:///shop.db.",
            callback=refuse_password,
        ),
    ] = None,
    tz: Annotated[str, typer.Option("--tz", metavar="NAME", help="The zone of times that you give and see.")] = INDIA,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    context.obj = Session(store, zone_named(tz), tz)


app.command("demo")(demo.demo)
app.command("emulate")(emulate.emulate)
app.command("reconcile")(reconcile.reconcile)
app.command("pause")(pauses.pause)
app.command("resume")(pauses.resume)
app.add_typer(orders.app, name="orders")
app.add_typer(payments.app, name="payments")
app.add_typer(events.app, name="events")
app.command("explain")(explain.explain)
app.add_typer(audit.app, name="audit")
app.add_typer(webhook.app, name="webhook")
app.add_typer(retention.app, name="retention")
app.add_typer(backup.app, name="backup")
app.add_typer(db.app, name="db")
