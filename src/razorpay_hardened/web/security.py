"""Headers that keep a reply from being cached, sniffed or framed, and the content policy of a page with Checkout."""

from __future__ import annotations

import re
from typing import Final

from razorpay_hardened.errors import ConfigError

__all__ = ["SECURITY_HEADERS", "checkout_csp"]

SECURITY_HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
"""On every :class:`Reply`, unless it names the header itself. Our replies are data, never pages."""

_CHECKOUT_SOURCES: Final[tuple[tuple[str, str], ...]] = (
    # The official Magento module's list and the hosts that it has since added (FACTS section 11).
    ("script-src", "https://checkout.razorpay.com https://cdn.razorpay.com"),
    ("frame-src", "https://api.razorpay.com https://checkout.razorpay.com"),
    (
        "connect-src",
        "https://checkout.razorpay.com https://api.razorpay.com "
        "https://lumberjack.razorpay.com https://lumberjack-metrics.razorpay.com",
    ),
    ("img-src", "https://cdn.razorpay.com data:"),
    ("style-src", "'unsafe-inline'"),
    ("form-action", "https://api.razorpay.com"),
)
_NONCE: Final = re.compile(r"[A-Za-z0-9+/_-]{16,128}={0,2}", re.ASCII)

_SCRIPT_URL: Final = re.compile(r"(https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)/", re.ASCII)


def checkout_csp(nonce: str | None = None, *, script: str | None = None) -> str:
    """A Content-Security-Policy for the page that opens Checkout: the page's own origin, and what Checkout loads.

    ``nonce`` allows the page's own inline scripts; make a fresh one per reply, of at least 16 base64 characters.
    ``script`` is where the page loads Checkout from (``settings.checkout_script``): its origin is allowed as well,
    which the emulator's stand-in needs. Raises :class:`ConfigError` for what is neither. Razorpay publishes no list;
    this is the union of what its plugins allow.
    """
    if nonce is not None and _NONCE.fullmatch(nonce) is None:
        raise ConfigError("a nonce is at least 16 base64 characters")
    own = "" if nonce is None else f" 'nonce-{nonce}'"
    origin = "" if script is None else _origin(script)
    parts = ["default-src 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors 'self'"]
    for directive, hosts in _CHECKOUT_SOURCES:
        more = f" {origin}" if directive in ("script-src", "connect-src") and origin and origin not in hosts else ""
        parts.append(f"{directive} 'self'{own if directive == 'script-src' else ''} {hosts}{more}")
    return "; ".join(parts)


def _origin(url: str) -> str:
    found = _SCRIPT_URL.match(url)
    if found is None:
        raise ConfigError("a script's URL begins with https://host/ or http://host:port/")
    return found[1]
