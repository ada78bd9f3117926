"""One run of the program: every end it can come to, as an exit code (FAULTS rule 16)."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import textwrap
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any, Final

import typer

from razorpay_hardened.cli._hide import forget_secrets, learn_environment, without_secrets
from razorpay_hardened.cli._output import plain
from razorpay_hardened.errors import ApiError, ConfigError, ExtraMissing, RazorpayHardenedError, ReconcileBusy

__all__ = ["BUSY", "FAILED", "USAGE", "run"]

FAILED: Final = 1
USAGE: Final = 2
BUSY: Final = 75
_PIPE_CLOSED: Final = 128 + 13  # SIGPIPE, by number: Windows has no such signal, and a pipe can close there too
_NARROWEST: Final = 40
_WRAP: Final[Mapping[str, Any]] = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": "       "}
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

# typer carries its own copy of click since 0.16, and click's errors are not in its public list: this is ClickException.
_CommandLineError: Any = typer.BadParameter.__mro__[2]


class _Signalled(BaseException):
    """A signal came. Not an ``Exception``, so that nothing between here and the top takes it for a failure."""

    def __init__(self, number: int) -> None:
        self.number = number


def run(argv: Sequence[str]) -> int:
    """Run the command that ``argv`` names. Returns the exit code; never raises for anything a user can cause."""
    _tolerate_narrow_encodings()
    forget_secrets()
    learn_environment(os.environ)
    try:
        with _signals_raised():
            return _invoke(argv)
    except _Signalled as signalled:
        return 128 + signalled.number
    except BrokenPipeError:
        return _pipe_closed()
    except SystemExit as stop:
        # click turns a closed pipe into exit code 1 by itself; what it was is still known.
        if isinstance(stop.__context__, BrokenPipeError):
            return _pipe_closed()
        raise
    except _CommandLineError as error:
        return _usage(error)
    except typer.Abort:
        return _told("error: stopped", FAILED)
    except ReconcileBusy as error:
        return _told(_line(error), BUSY)
    except (ConfigError, ExtraMissing) as error:
        return _told(_line(error), USAGE)
    except RazorpayHardenedError as error:
        return _told(_line(error), FAILED)
    except Exception:  # noqa: BLE001 - a mistake of ours: all of it is shown, except secrets
        return _told(
            without_secrets(traceback.format_exc()) + "error: this should not happen: please report it", FAILED
        )


@cache
def _program(command: str | None) -> Any:
    """The root command with the one that is asked for, or with all. Made once: it takes longer than most commands."""
    from razorpay_hardened.cli._root import program

    return typer.main.get_command(program(command))


def _invoke(argv: Sequence[str]) -> int:
    from razorpay_hardened.cli._root import named

    code = _program(named(argv)).main(list(argv), prog_name="razorpay-hardened", standalone_mode=False)
    sys.stdout.flush()  # here, where a closed pipe still has an exit code
    return code if isinstance(code, int) else 0


def _told(text: str, code: int) -> int:
    """Write to stderr; on a terminal, lines break between words."""
    lines = text.splitlines()
    if sys.stderr.isatty():
        width = max(_NARROWEST, shutil.get_terminal_size().columns)
        lines = [part for line in lines for part in textwrap.wrap(line, width, **_WRAP) or [""]]
    sys.stderr.write("\n".join(lines) + "\n")
    return code


def _line(error: RazorpayHardenedError) -> str:
    """One of our errors: what it says, and the name to look it up by. What people wrote never steers the terminal."""
    status = f" (HTTP {error.status})" if isinstance(error, ApiError) and error.status is not None else ""
    text = "\n".join(plain(part) for part in str(error).splitlines())
    return f"error: {text}{status} [{error.code}]"


def _usage(error: Any) -> int:
    """A mistake in the arguments: what is wrong, and where the help is."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # a group without a command: its help is the answer
        return USAGE
    path = context.command_path if context is not None else "razorpay-hardened"
    return _told(f"error: {plain(error.format_message())}\nhelp:  {path} --help", int(error.exit_code))


# --- the process around it


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Let SIGINT and SIGTERM unwind the stack: transactions roll back, leases and files are let go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _raise_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_signal(number: int, _: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the rollback of the first
    raise _Signalled(number)


def _pipe_closed() -> int:
    """Whoever read us has gone, as ``head`` does: stop quietly, and keep Python from flushing into nothing at exit."""
    try:
        target = sys.stdout.fileno()
    except (io.UnsupportedOperation, ValueError, AttributeError):
        return _PIPE_CLOSED
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, target)
    os.close(nothing)
    return _PIPE_CLOSED


def _tolerate_narrow_encodings() -> None:
    """A terminal that has no ₹ or → gets an escape, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
