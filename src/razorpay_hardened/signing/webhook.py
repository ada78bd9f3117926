"""The tag over a webhook's raw body.

The tag is keyed with the webhook's own secret and covers the body alone: no header, no time, no event id
(FAULTS section 1). It is checked before anything is parsed (FAULTS rule 1).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, final

from razorpay_hardened.clock import SystemClock
from razorpay_hardened.errors import (
    ConfigError,
    RawBodyRequired,
    SignatureError,
    SignatureMalformed,
    SignatureMismatch,
)
from razorpay_hardened.signing._proof import Proof
from razorpay_hardened.signing.diagnose import Diagnosis
from razorpay_hardened.signing.keys import Secret, as_secret, tag_from

if TYPE_CHECKING:
    from razorpay_hardened.clock import Clock

__all__ = ["SIGNATURE_HEADER", "VerifiedBody", "WebhookVerifier", "sign_for_test", "verify_webhook"]

SIGNATURE_HEADER: Final = "X-Razorpay-Signature"
_TWINS: Final = ("x-razorpay-signature", "x_razorpay_signature", "x-razorpay_signature", "x_razorpay-signature")

_new = object.__new__
_put = object.__setattr__


@final
class VerifiedBody(Proof):
    """A body that Razorpay signed. Only :class:`WebhookVerifier` makes one; the signature itself is not kept.

    ``raw`` is the body exactly as received; ``secret_slot`` is the name of the secret that signed it.
    """

    __slots__ = ("_digest", "raw", "secret_slot")

    raw: bytes
    secret_slot: str
    _digest: str

    @property
    def digest(self) -> str:
        """SHA-256 of ``raw``, 64 hex digits: the key that de-duplicates deliveries (FAULTS rule 5)."""
        try:
            return self._digest
        except AttributeError:  # made on first use: who only verifies should not pay for a second pass
            _put(self, "_digest", hashlib.sha256(self.raw).hexdigest())
            return self._digest

    def __repr__(self) -> str:
        return f"<VerifiedBody {self.digest[:12]} {len(self.raw)} bytes, secret {self.secret_slot!r}>"


@final
class WebhookVerifier:
    """Checks webhook bodies against one or several secrets (several while a secret is being rotated).

    ``secrets`` is a :class:`Secret`, its text, or a sequence of secrets, tried in order; none, or an empty
    one, is a :class:`ConfigError`. ``key_secret`` (the API key secret) and ``other_mode`` (webhook secrets
    of the other mode) never verify anything: they only let ``SignatureMismatch.explain()`` name the mix-up.
    """

    __slots__ = ("_clock", "_key_secret", "_other_mode", "_rotating", "_secrets")

    def __init__(
        self,
        secrets: Sequence[Secret] | Secret | str,
        *,
        clock: Clock | None = None,
        key_secret: Secret | None = None,
        other_mode: Sequence[Secret] = (),
    ) -> None:
        self._secrets = _secret_slots(secrets)
        del secrets  # a crash reporter that records the locals of a failing frame must find no secret (FAULTS P6)
        if not self._secrets:
            raise ConfigError("give a webhook secret, or several as a list of Secret(value, name=…)")
        self._rotating = any(secret.until is not None for secret in self._secrets)
        self._clock = clock or SystemClock()
        self._key_secret = key_secret
        self._other_mode = tuple(other_mode)

    def verify(self, body: bytes, headers_or_signature: object) -> VerifiedBody:
        """Proof that Razorpay signed ``body``, or an error that says no more than its class.

        ``body`` is the ``bytes`` as received; ``headers_or_signature`` is the value of
        ``X-Razorpay-Signature`` (str, bytes or None), a mapping of headers, or anything with
        ``get_all(name)``.

        Raises:
            RawBodyRequired: the body is not ``bytes``, so something has decoded or parsed it.
            SignatureMissing: there is no signature.
            SignatureMalformed: it is not 64 lower-case hex digits in exactly one place; nothing was hashed.
            SignatureMismatch: no live secret made it; ``.explain()`` says why, on demand.
        """
        if type(body) is not bytes:
            raise RawBodyRequired
        if type(headers_or_signature) is not str:
            headers_or_signature = _signature_in(headers_or_signature)
        tag = tag_from(headers_or_signature)
        slot = self._matching_slot(body, tag)
        if slot is None:
            raise SignatureMismatch(explain=self._diagnosis(body, tag))
        proof = _new(VerifiedBody)
        _put(proof, "raw", body)
        _put(proof, "secret_slot", slot)
        return proof

    def is_valid(self, body: object, signature: object) -> bool:
        """Whether :meth:`verify` would accept these two (a signature, not headers); never raises, for any
        objects.
        """
        if type(body) is not bytes or not issubclass(type(signature), (str, bytes)):
            return False
        try:
            tag = tag_from(signature)
        except SignatureError:
            return False
        return self._matching_slot(body, tag) is not None

    def _matching_slot(self, body: bytes, tag: bytes) -> str | None:
        """The name of the first live secret that made ``tag``. All are tried, so that time tells nothing."""
        found: str | None = None
        for secret in self._live() if self._rotating else self._secrets:
            if compare_digest(secret.tag(body), tag) and found is None:
                found = secret.name
        return found

    def _live(self) -> Sequence[Secret]:
        now = self._clock.now()
        return [secret for secret in self._secrets if not secret.expired(now)]

    def _diagnosis(self, body: bytes, tag: bytes) -> Diagnosis:
        now = self._clock.now()
        return Diagnosis(
            body,
            tag,
            self._live(),
            expired=[secret for secret in self._secrets if secret.expired(now)],
            key_secret=self._key_secret,
            other_mode=self._other_mode,
        )

    def __repr__(self) -> str:
        return f"<WebhookVerifier {', '.join(secret.name for secret in self._secrets)}>"


def _secret_slots(secrets: object) -> tuple[Secret, ...]:
    """The slots in order; none if ``secrets`` is neither one secret nor a sequence of :class:`Secret`."""
    if isinstance(secrets, (str, bytes, Secret)):
        return (as_secret(secrets),)
    if isinstance(secrets, Sequence) and all(isinstance(slot, Secret) for slot in secrets):
        return tuple(secrets)
    return ()


def _signature_in(source: object) -> object:
    """The one signature that ``source`` holds; None if it holds none. Two, even if equal, are malformed.

    An underscore twin of the name counts as a second value: WSGI gives both the same key, so which of the
    two a server passes on is chance.
    """
    if source is None or isinstance(source, (str, bytes)):
        return source
    get_all = getattr(source, "get_all", None)
    if callable(get_all):
        values = [value for name in _TWINS for value in get_all(name) or ()]
    elif isinstance(source, Mapping):
        values = _values_in(source)
    else:
        raise SignatureMalformed
    if len(values) > 1:
        raise SignatureMalformed
    return values[0] if values else None


def _values_in(headers: Mapping[object, object]) -> list[object]:
    values: list[object] = []
    for name, value in headers.items():
        text = name.decode("latin-1") if isinstance(name, bytes) else name
        if isinstance(text, str) and text.lower() in _TWINS:
            values.extend(value if isinstance(value, (list, tuple)) else (value,))
    return values


def verify_webhook(
    body: bytes, signature: str | bytes | None, *, secret: Sequence[Secret] | Secret | str
) -> VerifiedBody:
    """Proof that Razorpay signed ``body`` with ``secret``. Raises what :meth:`WebhookVerifier.verify` raises.

    >>> body = b'{"event":"payment.captured"}'
    >>> verify_webhook(body, sign_for_test(body, "a-secret"), secret="a-secret").raw == body
    True
    """
    verifier = _verifier(secret) if isinstance(secret, (str, Secret)) else WebhookVerifier(secret)
    del secret  # see WebhookVerifier.__init__
    return verifier.verify(body, signature)


@functools.lru_cache(maxsize=8)  # keying costs more than checking a small body does
def _verifier(secret: Secret | str) -> WebhookVerifier:
    return WebhookVerifier(secret)


def sign_for_test(body: bytes, secret: Secret | str | bytes) -> str:
    """The tag that Razorpay would send with ``body``: for tests and emulators. 64 hex digits."""
    if type(body) is not bytes:
        raise RawBodyRequired
    return as_secret(secret).tag(body).decode("ascii")
