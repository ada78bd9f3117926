"""Secrets that sign, and never show themselves.

All of Razorpay's tags are lower-case hex HMAC-SHA256 (FACTS section 6).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, NoReturn, final

from razorpay_hardened.errors import ConfigError, SignatureMalformed, SignatureMissing

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Secret", "as_secret", "tag_from"]

_HEX = b"0123456789abcdef"
_TAG_LENGTH = 64


@final
class Secret:
    """One signing secret: the API key secret, or a webhook's secret.

    ``name`` is what a proof reports as its ``secret_slot``; ``until`` (aware) is when a rotated secret stops
    counting. An empty secret, text that is not UTF-8, and a naive ``until`` are a :class:`ConfigError`.
    Length and alphabet are checked by ``settings``, not here: a secret that already works elsewhere must
    verify.

    It is immutable, is never shown by ``repr``, ``str`` or ``format``, cannot be pickled, and is equal only
    to itself.
    """

    __slots__ = ("_key", "_prepared", "name", "until")

    _key: bytes
    _prepared: hmac.HMAC
    name: str
    until: datetime | None

    def __init__(self, value: str | bytes, *, name: str = "current", until: datetime | None = None) -> None:
        put = object.__setattr__
        put(self, "name", name)
        put(self, "until", until)
        key = _key_bytes(value)
        del value  # a crash reporter that records the locals of a failing frame must find no secret (FAULTS P6)
        if isinstance(key, str):
            raise ConfigError(f"the secret {name!r} {key}")
        # Keying costs two hash blocks; a copy of the keyed state costs none.
        put(self, "_key", key)
        put(self, "_prepared", hmac.new(key, digestmod="sha256"))
        del key
        if until is not None and until.utcoffset() is None:
            raise ConfigError(f"the end date of the secret {name!r} needs a time zone")

    def tag(self, message: bytes) -> bytes:
        """The tag of ``message`` under this secret: 64 ASCII hex digits."""
        state = self._prepared.copy()
        state.update(message)
        return state.hexdigest().encode()

    def signs(self, message: bytes, tag: bytes) -> bool:
        """Whether ``tag`` is the tag of ``message``, compared in constant time."""
        return hmac.compare_digest(self.tag(message), tag)

    def tag_sha512(self, message: bytes) -> bytes:
        """The HMAC-SHA512 of ``message`` in hex: a common mistake, which ``diagnose`` recognises."""
        return hmac.new(self._key, message, "sha512").hexdigest().encode()

    def expired(self, now: datetime) -> bool:
        """Whether this secret stopped counting at or before ``now`` (aware)."""
        return self.until is not None and self.until <= now

    def same_value(self, other: Secret) -> bool:
        """Whether both hold the same value, compared in constant time; the names do not matter."""
        return hmac.compare_digest(self._key, other._key)

    def reveal(self) -> str:
        """The secret itself, for the one caller that must send it. :class:`ConfigError` if it is not text."""
        text = _decoded(self._key)
        if text is None:
            raise ConfigError(f"the secret {self.name!r} is not text")
        return text

    def variants(self) -> tuple[tuple[str, Secret], ...]:
        """What people paste instead of this secret, each with what is wrong with it (for ``diagnose``)."""
        tries = (
            ("the secret with a trailing newline", self._key + b"\n"),
            ("the secret without its outer spaces or newline", self._key.strip()),
            ("the secret in double quotes", b'"' + self._key + b'"'),
            ("the secret without its quotes", self._key.strip(b"\"'")),
        )
        others = ((what, Secret(key, name=self.name)) for what, key in tries if key)
        return tuple((what, other) for what, other in others if not other.same_value(self))

    def __repr__(self) -> str:
        return f"<Secret {self.name!r}>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: give the other process its own configuration")

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Secret cannot be subclassed")


def _key_bytes(value: object) -> bytes | str:
    """The key as bytes; or, as text, why it is none. The value never reaches an error, nor its chained cause."""
    if isinstance(value, str):
        try:
            value = value.encode("utf-8")
        except UnicodeEncodeError:
            return "is not valid text"
    if not isinstance(value, bytes):
        return "must be str or bytes"
    # The official SDK verifies with the empty key, which everybody knows (FAULTS section 7, configuration).
    return bytes(value) or "is empty"


def _decoded(key: bytes) -> str | None:
    try:
        return key.decode("utf-8")
    except UnicodeDecodeError:  # it holds the key: it must not become another error's context
        return None


def as_secret(value: Secret | str | bytes, name: str = "current") -> Secret:
    """``value`` itself, or a :class:`Secret` around it."""
    return value if isinstance(value, Secret) else Secret(value, name=name)


def tag_from(value: object) -> bytes:
    """The presented tag as 64 lower-case ASCII hex digits (FAULTS rule 1).

    ``None`` is :class:`SignatureMissing`; everything else that is not exactly that form, in ``str`` or
    ``bytes``, is :class:`SignatureMalformed`. The length comes first, so that a huge value costs nothing.
    """
    if value is None:
        raise SignatureMissing
    kind = type(value)  # not isinstance(): an object can lie about its __class__
    if issubclass(kind, str):
        text = str.__str__(value)  # an exact str: a subclass cannot interfere
        if len(text) != _TAG_LENGTH or not text.isascii():
            raise SignatureMalformed
        tag = text.encode()
    elif issubclass(kind, bytes):
        tag = bytes.__bytes__(value)  # type: ignore[arg-type]  # as above
        if len(tag) != _TAG_LENGTH:
            raise SignatureMalformed
    else:
        raise SignatureMalformed
    if tag.translate(None, _HEX):  # anything left over is not a hex digit
        raise SignatureMalformed
    return tag
