"""Every secret that a test makes is a canary: found in what the test printed or logged, it fails the test (P6).

Secrets are noted where they are keyed, so nothing has to be planted and none can be forgotten. Personal data of the
bodies that tests send is looked for in logs only: commands print what they are asked for.
"""

from __future__ import annotations

import base64
import hmac
import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

__all__ = ["PERSONAL", "found_in", "secrets", "watch"]

PERSONAL = ("4111111111111111", "+919812345670", "9000090000", "gaurav.kumar@example.com", "asha.rao@")
"""A card, telephone numbers and addresses that tests and samples use."""

_PUBLIC = (b"rzp_", b"postgresql://", b"sqlite://")
"""Not every key is a secret: settings compare theirs with the key id and with places, in constant time too."""

_SHORT = 8
"""Shorter secrets, which tests make on purpose, are ordinary words."""

secrets: set[str] = set()
"""All secrets keyed in this process so far."""


def watch() -> None:
    """Note each secret from now on. No frame of the library's holds it for that."""
    from razorpay_hardened.signing import keys

    def noting(key: bytes, *arguments: Any, **options: Any) -> hmac.HMAC:
        if len(key) >= _SHORT and not key.startswith(_PUBLIC):
            secrets.add(key.decode("utf-8", "replace"))
        return hmac.new(key, *arguments, **options)

    setattr(keys, "hmac", SimpleNamespace(new=noting, compare_digest=hmac.compare_digest, HMAC=hmac.HMAC))  # noqa: B010


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "replace")
    encoded = base64.b64encode(raw).decode()
    half = len(secret) // 2
    return {
        secret,
        encoded.rstrip("="),
        raw.hex(),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        secret[half:] + secret[:half],
    }


def found_in(text: str, *, log: bool) -> str | None:
    """What must not be there and is: named by its kind, not by itself."""
    for secret in secrets:
        if any(form in text for form in _forms(secret)):
            return f"a secret of {len(secret)} characters"
    if log and any(personal in text for personal in PERSONAL):
        return "personal data"
    return None
