"""The API key: shown to nobody but Razorpay, and taken out of whatever Razorpay echoes (FAULTS P6)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from razorpay_hardened.signing.keys import Secret

__all__ = ["Credentials", "Token", "without"]

_BASIC = re.compile(r"\b(basic|bearer)\s+[A-Za-z0-9+/=_.~-]+", re.IGNORECASE)
_HIDDEN = "[redacted]"
_LONG = 8
"""Characters from which on a secret is looked for inside words too."""


class Credentials:
    """Key id and secret. ``repr`` shows the id only; it cannot be pickled.

    It is a callable of the kind that ``requests`` takes as ``auth``, so no tuple with the secret in it ever lies in
    a frame of the SDK, where a crash report would find it.
    """

    __slots__ = ("_secret", "key_id")

    def __init__(self, key_id: str, secret: Secret) -> None:
        self.key_id = key_id
        self._secret = secret

    @property
    def shown(self) -> str:
        """What a repr may show."""
        return repr(self.key_id)

    @property
    def kind(self) -> str:
        """What this is, for messages."""
        return "a live key" if self.key_id.startswith("rzp_live_") else "a test key"

    def may_go_to(self, *, here: bool) -> bool:
        """Whether a server that is not Razorpay's may see it; ``here``: it is on this machine."""
        return not self.key_id.startswith("rzp_live_")

    def public(self) -> Credentials:
        """The key id without its secret, for endpoints that a customer's device may call (FACTS section 1)."""
        return _KeyId(self.key_id, self._secret)

    def header(self) -> str:
        """The value of the Authorization header (FACTS section 1: the scheme is exactly ``Basic``)."""
        return "Basic " + base64.b64encode(f"{self.key_id}:{self._secret.reveal()}".encode()).decode()

    def __call__(self, request: Any) -> Any:
        """Sign a prepared ``requests`` request."""
        request.headers["Authorization"] = self.header()
        return request

    def scrub(self, value: Any) -> Any:
        """``value`` with every form of the secret replaced, in text and in the texts of a flat mapping."""
        if isinstance(value, str):
            return self._scrub_text(value)
        if isinstance(value, dict):
            return {self._scrub_text(str(name)): self.scrub(inner) for name, inner in value.items()}
        return value

    def _scrub_text(self, text: str) -> str:
        for form in self._forms():
            if form in text:
                text = text.replace(form, _HIDDEN)
        return _BASIC.sub(lambda found: f"{found[1]} {_HIDDEN}", text)

    def _forms(self) -> tuple[str, ...]:
        return (self.header().partition(" ")[2], *_forms_of(self._secret.reveal()))

    def __repr__(self) -> str:
        return f"<Credentials {self.key_id!r}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("API credentials cannot be pickled: give the other process its own configuration")


class _KeyId(Credentials):
    """A key id that shows itself without its secret."""

    __slots__ = ()

    def header(self) -> str:
        """The value of the Authorization header: as Basic authentication with an empty password."""
        return "Basic " + base64.b64encode(f"{self.key_id}:".encode()).decode()


class Token(Credentials):
    """A partner's OAuth access token: nobody can tell from it whether it is live, so it is treated as if it were."""

    __slots__ = ()

    def __init__(self, secret: Secret) -> None:
        super().__init__("", secret)

    @property
    def shown(self) -> str:
        """What a repr may show: nothing of it."""
        return "access token"

    @property
    def kind(self) -> str:
        """What this is, for messages."""
        return "an access token"

    def may_go_to(self, *, here: bool) -> bool:
        """Only this machine's emulator, beside Razorpay."""
        return here

    def public(self) -> Credentials:
        """Itself: it has no key id to show."""
        return self

    def header(self) -> str:
        """The value of the Authorization header (FACTS section 1)."""
        return f"Bearer {self._secret.reveal()}"

    def __repr__(self) -> str:
        return "<Token>"


def without(value: Any, secrets: Iterable[Secret]) -> Any:
    """``value`` without secrets that a request carried: in text, and in the texts of a flat mapping.

    A webhook's secret goes in every form of it. A short one, such as a card's code, goes where it stands alone: its
    digits may be part of an id.
    """
    for secret in secrets:
        value = _without(value, secret)
    return value


def _without(value: Any, secret: Secret) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, secret) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    said = secret.reveal()
    if len(said) >= _LONG:
        for form in _forms_of(said):
            value = value.replace(form, _HIDDEN)
    # Numbers of cards are written in groups.
    spelt = "[ -]?".join(map(re.escape, said)) if said.isdigit() else re.escape(said)
    return re.sub(f"(?<![A-Za-z0-9]){spelt}(?![A-Za-z0-9])", _HIDDEN, value)


def _forms_of(secret: str) -> tuple[str, ...]:
    """The ways in which an answer could echo a secret."""
    raw = secret.encode()
    encoded = base64.b64encode(raw).decode()
    return (
        secret,
        encoded,
        encoded.rstrip("="),
        raw.hex(),
        raw.hex().upper(),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
    )
