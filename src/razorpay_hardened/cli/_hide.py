"""What is never printed: this process's secrets, and people's addresses and numbers (FAULTS P6).

The library shows no secret by itself. What the application wrote may: a handler's error that quotes a connection
string is on record with the effect, and an endpoint may answer with what it was sent.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

__all__ = ["forget_secrets", "learn_environment", "learn_secret", "masked", "without_secrets"]

_HIDDEN: Final = "***"
_SHORTEST: Final = 6  # shorter ones are no secrets, and hiding them would spoil ids and words
_NAMES: Final = re.compile(r"RAZORPAY_\w*SECRET\w*", re.ASCII)
_MAIL: Final = re.compile(r"([\w.+%-])[\w.+%-]*@([\w-]+(?:\.[\w-]+)*)")
_PHONE: Final = re.compile(r"(?<![\w.-])\+?[0-9]{8,13}([0-9]{2})(?![\w-])")

# Up to the last @, because libpq takes what no URL may hold for a part of the password.
_USER_PASSWORD: Final = re.compile(r"[\w+.-]+://[^:@/]*:(.+)@")
_NAMED_PASSWORD: Final = re.compile(r"[?&]password=([^&]+)")

_forms: set[str] = set()
"""Every form of every secret that has been learnt. One process, one environment: there is no second one to mix up."""


def learn_environment(environ: Mapping[str, str]) -> None:
    """Hide what the library's variables hold: secrets, and the password of the store's URL."""
    for name, value in environ.items():
        if _NAMES.fullmatch(name) and not name.endswith("_UNTIL"):
            for secret in (value, *_listed(value)):
                learn_secret(secret, environ.get("RAZORPAY_KEY_ID"))
    learn_url(environ.get("RAZORPAY_STORE_URL", ""))


def learn_url(url: str) -> None:
    """Hide the password of a URL, if it has one."""
    found = (_USER_PASSWORD.match(url), _NAMED_PASSWORD.search(url))
    for password in (match[1] for match in found if match is not None):
        learn_secret(password)
        learn_secret(unquote(password))


def learn_secret(secret: str, user: str | None = None) -> None:
    """Hide ``secret`` from now on, also as base64, hex, URL and JSON write it, and as ``user``'s in a Basic header."""
    if len(secret) < _SHORTEST:
        return
    raw = secret.encode("utf-8", "surrogateescape")
    basic = () if user is None else (b64encode(f"{user}:".encode() + raw),)
    encoded = (b64encode(raw), urlsafe_b64encode(raw), raw.hex().encode(), *basic)
    written = (quote(secret, safe="", errors="surrogateescape"), json.dumps(secret)[1:-1])
    _forms.update((secret, *written, *(form.decode("ascii").rstrip("=") for form in encoded)))


def forget_secrets() -> None:
    """Start afresh: a new run of the program."""
    _forms.clear()


def without_secrets(text: str) -> str:
    """``text`` with ``***`` for every secret that has been learnt."""
    for form in sorted(_forms, key=len, reverse=True):  # a secret that holds another goes first, as a whole
        text = text.replace(form, _HIDDEN)
    return text


def masked(text: str | None) -> str | None:
    """``text`` with e-mail addresses, UPI ids and telephone numbers in it cut to what still tells them apart."""
    if text is None:
        return None
    if re.fullmatch(r"\+?[0-9][0-9 ()-]{8,18}[0-9]", text, re.ASCII):  # a number as people write it
        return f"{_HIDDEN}{text[-2:]}"
    return _PHONE.sub(rf"{_HIDDEN}\1", _MAIL.sub(rf"\1{_HIDDEN}@\2", text))


def _listed(value: str) -> Iterator[str]:
    """The secrets of ``RAZORPAY_WEBHOOK_SECRETS``, whatever else the list holds: a broken one is told by settings."""
    try:
        entries: Any = json.loads(value)
    except ValueError:
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("secret"), str):
            yield entry["secret"]
