"""The root command: global options, and the commands with the modules they live in."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from razorpay_hardened._version import __version__
from razorpay_hardened.cli._app import Session, refuse_password
from razorpay_hardened.cli._options import INDIA, zone_named

__all__ = ["COMMANDS", "named", "program"]

COMMANDS: Final = {
    "demo": "demo:demo",
    "emulate": "emulate:emulate",
    "work": "work:work",
    "reconcile": "reconcile:reconcile",
    "recover": "recover:recover",
    "pause": "pause:pause",
    "resume": "pause:resume",
    "orders": "orders:app",
    "payments": "payments:app",
    "effects": "effects:app",
    "events": "events:app",
    "explain": "explain:explain",
    "audit": "audit:app",
    "webhook": "webhook:app",
    "retention": "retention:app",
    "backup": "backup:app",
    "db": "db:app",
}
"""Each command or group, in the order of the help: the module of this room and the name in it."""

_WITH_VALUE: Final = ("--store", "--tz")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"razorpay-hardened {__version__}")
        raise typer.Exit


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


def named(argv: Sequence[str]) -> str | None:
    """The command that ``argv`` names; None where it names none, or one that there is not."""
    words = iter(argv)
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word if word in COMMANDS else None
    return None


def program(only: str | None = None) -> typer.Typer:
    """The root with all commands, or with one: loading the modules of the others, and reading their signatures, takes
    longer than most commands do."""
    app = typer.Typer(
        name="razorpay-hardened",
        help="Razorpay for teams who take real money: look at, replay and reconcile what was paid.",
        epilog="Exit codes: 0 done, 1 failed, 2 usage or configuration, 75 busy, 128+n ended by signal n.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,  # a traceback that shows locals shows secrets
    )
    app.callback()(root)
    for name in COMMANDS if only is None else (only,):
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(importlib.import_module(f"razorpay_hardened.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app
