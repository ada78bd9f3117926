"""``webhook``: send a signed webhook to an endpoint, receive some, or ask why a signature does not match."""

from __future__ import annotations

import difflib
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from razorpay_hardened.cli._app import session_of
from razorpay_hardened.cli._options import JsonOption
from razorpay_hardened.cli._output import card, json_out, note
from razorpay_hardened.cli._post import post
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import ConfigError, SignatureError
from razorpay_hardened.signing import Diagnosis, Secret, WebhookVerifier, sign_for_test

if TYPE_CHECKING:
    from datetime import datetime

    from razorpay_hardened.clock import Clock
    from razorpay_hardened.settings import Settings

__all__ = ["app"]

app = typer.Typer(
    help="Send a signed webhook, listen for some, explain a signature that does not match.", no_args_is_help=True
)

_SECRET: Final = "RAZORPAY_WEBHOOK_SECRET"
_BODY_MAX: Final = 1 << 20


@app.command()
def send(
    context: typer.Context,
    to: Annotated[
        str, typer.Option(metavar="URL", help="The endpoint, such as http://127.0.0.1:8000/razorpay/webhook.")
    ],
    event: Annotated[
        str, typer.Argument(help="Any event that Razorpay documents, such as refund.processed.")
    ] = "payment.captured",
    body: Annotated[
        Path | None, typer.Option(help="A JSON file to send as it is, instead of a sample; - is stdin.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="The order id in the sample. Default: one that nobody has.")] = None,
    amount: Annotated[str | None, typer.Option(help="The payment's amount in the sample, in rupees.")] = None,
    event_id: Annotated[str | None, typer.Option(help="The x-razorpay-event-id header. Default: a new one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a body with RAZORPAY_WEBHOOK_SECRET and POST it, as Razorpay would. Exit code 1 unless 2xx comes back.

    Refused in live mode: a signed body is believed, and a made-up one would be a made-up payment.
    """
    _refuse_live()
    raw = sample(order, amount, session_of(context).now(), event) if body is None else _read(body)
    secret = _secret()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Razorpay-Webhook/v1",
        "X-Razorpay-Event-Id": event_id or secrets.token_hex(7),
        "X-Razorpay-Signature": sign_for_test(raw, secret),
    }
    answer = post(to, raw, headers)
    if as_json:
        json_out({"url": to, "event_id": headers["X-Razorpay-Event-Id"], "bytes": len(raw), **answer._asdict()})
    else:
        status = "no answer" if answer.status is None else answer.status
        told = [("event id", headers["X-Razorpay-Event-Id"]), ("sent", f"{len(raw):,} bytes"), ("status", status)]
        card([*told, ("answer", answer.text), ("took", f"{answer.seconds * 1000:.0f} ms")])
    if not answer.acknowledged:
        raise typer.Exit(1)


@app.command()
def listen(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8766,
    forward: Annotated[
        str | None, typer.Option(metavar="URL", help="Pass each delivery on, unchanged, and answer what comes back.")
    ] = None,
    status: Annotated[int, typer.Option(min=200, max=599, help="What to answer where nothing is forwarded.")] = 200,
    count: Annotated[
        int | None, typer.Option(min=1, help="End after so many deliveries. Default: Ctrl-C ends it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Receive webhooks and tell of each: its event, its id, whether its signature matches, what was answered.

    Signatures are checked where RAZORPAY_WEBHOOK_SECRET is set. Bodies are neither shown nor kept.
    """
    from razorpay_hardened.cli._listen import Listener

    value = os.environ.get(_SECRET)
    secret = Secret(value) if value else None
    with Listener(host, port, secret=secret, forward=forward, status=status, as_json=as_json) as listener:
        listener.announce()
        listener.serve(count)


@app.command()
def explain(
    context: typer.Context,
    body: Annotated[Path, typer.Argument(help="A file with the body exactly as received; - is stdin.")],
    signature: Annotated[str, typer.Option(help="The value of X-Razorpay-Signature that came with it.")],
    as_json: JsonOption = False,
) -> None:
    """Say why a signature does not match: a wrong kind of secret, a body that was written again, and so on.

    Secrets come from the environment as for the library; RAZORPAY_WEBHOOK_SECRET alone is enough. Exit code 1 if the
    signature does not match.
    """
    matches, lines = _diagnose(_read(body), signature, session_of(context).clock)
    if as_json:
        json_out({"matches": matches, "explanation": lines})
    else:
        for line in lines:
            note(line)
    if not matches:
        raise typer.Exit(1)


# --- the signature


def _diagnose(raw: bytes, signature: str, clock: Clock) -> tuple[bool, list[str]]:
    settings = _settings()
    slots = (_secret(),) if settings is None else settings.webhook_secrets
    key_secret = None if settings is None else settings.key_secret
    try:
        proof = WebhookVerifier(slots, clock=clock, key_secret=key_secret).verify(raw, signature)
    except SignatureError as error:
        now = clock.now()
        live = [secret for secret in slots if not secret.expired(now)]
        expired = [secret for secret in slots if secret.expired(now)]
        causes = Diagnosis(raw, signature, live, expired=expired, key_secret=key_secret)()
        return False, [str(error), *causes]
    return True, [f"the signature matches: made with the secret {proof.secret_slot!r}"]


def _settings() -> Settings | None:
    """All settings, where they are complete: they know more keys that may have been mixed up."""
    from razorpay_hardened.settings import Settings

    try:
        return Settings.from_env()
    except ConfigError:
        return None  # no reason to refuse a diagnosis: the one secret that it needs is asked for by itself


def _secret() -> Secret:
    value = os.environ.get(_SECRET)
    if not value:
        raise ConfigError(f"{_SECRET} is not set: it is the webhook's own secret, not the API key's")
    return Secret(value)


# --- the body


def _read(path: Path) -> bytes:
    """The bytes of a file as they are: one changed newline is another body."""
    try:
        raw = sys.stdin.buffer.read(_BODY_MAX + 1) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"cannot read {path}: {error.strerror}") from error
    if len(raw) > _BODY_MAX:
        raise typer.BadParameter(f"the body is larger than {_BODY_MAX:,} bytes: Razorpay sends none like that")
    return raw


def sample(order: str | None, amount: str | None, now: datetime, event: str = "payment.captured") -> bytes:
    """A documented event in Razorpay's form, about entities that never were. Each call is about other ones."""
    from razorpay_hardened.testing.factories import EVENTS, body

    if "://" in event:
        raise typer.BadParameter(f"the endpoint is an option: --to {event}")
    if event not in EVENTS:
        near = difflib.get_close_matches(event, EVENTS, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise typer.BadParameter(f"Razorpay documents no event {event!r}{hint}")
    payment: dict[str, Any] = {} if order is None else {"order_id": order}
    if amount is not None:
        payment["amount"] = Money.inr(amount).subunits
    changes: dict[str, Any] = {"payment": payment} if payment else {}
    if order is not None and event == "order.paid":
        changes["order"] = {"id": order}
    try:
        return body(event, n=secrets.randbelow(10**8), at=now, **changes)
    except ConfigError as error:  # it carries no payment
        raise typer.BadParameter(f"--order and --amount are of a payment: {error}") from error


def _refuse_live() -> None:
    live_key = os.environ.get("RAZORPAY_KEY_ID", "").startswith("rzp_live_")
    if live_key or os.environ.get("RAZORPAY_ENV") == "live":
        raise ConfigError(
            "this environment is live: a signed body that you make up would be believed. To process a real event "
            "again, use `razorpay-hardened events replay`"
        )
