"""``emulate``: a Razorpay of one's own on a local port, for developing and for CI."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from razorpay_hardened.cli._options import JsonOption
from razorpay_hardened.cli._output import card, console, heading, note, plain
from razorpay_hardened.clock import SystemClock

if TYPE_CHECKING:
    from razorpay_hardened.emulator import Attempt, Emulator

__all__ = ["emulate", "serve"]

_TICK_S = 0.05
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def emulate(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8765,
    seed: Annotated[int, typer.Option(help="Decides every id, key and chance.")] = 0,
    webhook_url: Annotated[str | None, typer.Option(metavar="URL", help="Where webhooks are sent.")] = None,
    speed: Annotated[
        float, typer.Option(min=0, max=86_400, help="Emulated seconds per real second; 0 stops time.")
    ] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="A fault, such as 'on POST /orders: 502 once'. Repeat it.")
    ] = None,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="A TOML file of faults.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve an emulated Razorpay until Ctrl-C: orders, payments, refunds, signed webhooks, faults on demand.

    Its dashboard is at /_emulator/, for browsers. Let customers pay there, or with POST /_emulator/pay
    {"order_id": …}; GET /_emulator/state shows everything.
    """
    from razorpay_hardened.emulator import Emulator

    start = SystemClock().now().replace(microsecond=0)
    rz = Emulator(seed, host=host, port=port, start=start, webhook_url=webhook_url)
    if faults is not None:
        rz.faults.load(faults)
    for rule in fault or ():
        rz.faults.add(rule)
    with rz:
        (_announce_json if as_json else _announce)(rz, webhook_url)
        if host not in _LOOPBACK:
            note("this address can be reached from other machines: whoever reaches it can use the emulator")
        serve(rz, speed, _tell_json if as_json else _tell)


def serve(rz: Emulator, speed: float, tell: object, stop: threading.Event | None = None) -> None:
    """Let time pass at ``speed`` and tell of each delivery, until ``stop`` is set or a signal ends it all."""
    stop = stop or threading.Event()
    clock = SystemClock()
    before, told = clock.monotonic(), 0
    while not stop.wait(_TICK_S):
        now = clock.monotonic()
        rz.clock.advance((now - before) * speed)
        before = now
        for attempt in rz.deliver.log[told:]:
            told += 1
            assert callable(tell)
            tell(attempt)


def _environment(rz: Emulator) -> dict[str, str]:
    return {
        "RAZORPAY_BASE_URL": rz.url,
        "RAZORPAY_KEY_ID": rz.key_id,
        "RAZORPAY_KEY_SECRET": rz.key_secret,
        "RAZORPAY_WEBHOOK_SECRET": rz.webhook_secret,
    }


def _announce(rz: Emulator, webhook_url: str | None) -> None:
    card(
        [
            ("emulator", rz.url),
            ("account", rz.account_id),
            ("webhooks", webhook_url or "kept until --webhook-url names an endpoint"),
            ("dashboard", f"{rz.url}/_emulator/"),
            ("faults", "; ".join(rule.text for rule in rz.faults.rules) or "none"),
        ]
    )
    heading("Paste this where your shop runs")
    for name, value in _environment(rz).items():
        console().print(f"export {name}={value}", soft_wrap=True)
    note("These secrets are made up from the seed and protect nothing: they are no secrets. Ctrl-C ends it.")
    sys.stdout.flush()


def _announce_json(rz: Emulator, webhook_url: str | None) -> None:
    """One line, because more lines follow: one per delivery."""
    told = {"url": rz.url, "account_id": rz.account_id, "webhook_url": webhook_url, "environment": _environment(rz)}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _tell(attempt: Attempt) -> None:
    answer = "no answer" if attempt.status is None else str(attempt.status)
    style = "green" if attempt.acknowledged else "red"
    line = f"{attempt.at:%H:%M:%S}Z  {plain(attempt.event):<24} {attempt.event_id}  attempt {attempt.attempt}  {answer}"
    console().print(line, style=style, soft_wrap=True)
    sys.stdout.flush()


def _tell_json(attempt: Attempt) -> None:
    told = {**attempt._asdict(), "at": attempt.at.isoformat().replace("+00:00", "Z")}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
