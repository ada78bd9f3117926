"""The command line: ``razorpay-hardened`` and its commands, for people on call, for cron and for CI.

In: arguments, environment variables (``RAZORPAY_…``), the application's handlers where a command may cause effects.
Out: tables for people, ``--json`` for programs, and an exit code:

===== ==========================================================
0     done
1     failed: one line on stderr says why
2     usage or configuration: nothing has run
75    busy: another run holds the work; try again later
128+n ended by signal n (130 is Ctrl-C, 141 a closed pipe)
===== ==========================================================

No secret is taken as an argument and none is printed. One module per group of commands; ``_run`` (errors and signals
→ exit codes), ``_app`` (the store, the application), ``_options``, ``_output`` and ``_timeline`` are shared. Importing
this room loads nothing but this file; typer and rich come with the ``[cli]`` extra and load with :func:`main`.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; ``argv`` is without the program's name, ``sys.argv[1:]`` by default. Returns the exit code."""
    import sys

    try:
        import rich  # noqa: F401  # asked for by name: typer can be installed without it
        import typer  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("rich", "typer"):
            raise
        sys.stderr.write("error: the command line needs: pip install 'razorpay-hardened[cli]'\n")
        return 2
    from razorpay_hardened.cli._run import run

    return run(sys.argv[1:] if argv is None else argv)
