"""Why a tag did not match, in words.

For people (``SignatureMismatch.explain()``, ``webhook explain``), never for the request path: it makes some dozens of
hashes, and its answer would help an attacker. No text here holds a secret, a tag or any part of a body.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import b2a_base64
from typing import TYPE_CHECKING, Final, NoReturn, final

from razorpay_hardened.signing.keys import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Diagnosis"]

_JSON_LIMIT: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"
_UNKNOWN: Final = (
    "no usual cause fits: the secret is probably that of another webhook "
    "(each has its own in the dashboard), or the body was changed on its way"
)


@final
class Diagnosis:
    """A question that is answered only when called: which known mistake explains this tag?

    ``presented`` is the signature as it came, well-formed or not; ``live`` are the secrets that should have
    made it. Calling returns one or more sentences, most likely first.
    """

    __slots__ = ("_body", "_expired", "_key_secret", "_live", "_other_mode", "_presented")

    def __init__(
        self,
        body: bytes,
        presented: str | bytes,
        live: Sequence[Secret],
        *,
        expired: Sequence[Secret] = (),
        key_secret: Secret | None = None,
        other_mode: Sequence[Secret] = (),
    ) -> None:
        self._body = body
        self._presented = presented.encode("utf-8", "replace") if isinstance(presented, str) else presented
        self._live = tuple(live)
        self._expired = tuple(expired)
        self._key_secret = key_secret
        self._other_mode = tuple(other_mode)

    def __repr__(self) -> str:  # the body and the tag must not reach a log through vars(error)
        return "<Diagnosis>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a diagnosis holds secrets: it cannot be pickled")

    def __call__(self) -> tuple[str, ...]:
        causes = tuple(dict.fromkeys(self._causes()))
        return causes or (_UNKNOWN,)

    def _causes(self) -> Iterator[str]:
        yield from self._form_causes()
        yield from self._key_causes()
        yield from self._body_causes()

    def _form_causes(self) -> Iterator[str]:
        """The right tag in the wrong clothes, and tags of other algorithms."""
        shown = self._presented
        for secret in self._live:
            right = secret.tag(self._body)
            if not _same(shown, right) and _contains(shown, right):
                yield "the right tag is there, but not alone or not in its place: send 64 hex digits only"
            if _same(shown.lower(), right) and not _same(shown, right):
                yield "the right tag in upper case: Razorpay sends lower case"
            if _same(shown, b2a_base64(bytes.fromhex(right.decode("ascii")), newline=False)):
                yield "the right tag in base64: Razorpay sends hex"
        yield from self._algorithm_causes()

    def _algorithm_causes(self) -> Iterator[str]:
        if _same(self._presented, hashlib.sha256(self._body).hexdigest().encode("ascii")):
            yield "a plain SHA-256 of the body, made without any secret"
        for secret in self._live:
            if _same(self._presented, secret.tag_sha512(self._body)):
                yield "an HMAC-SHA512: Razorpay uses HMAC-SHA256"

    def _key_causes(self) -> Iterator[str]:
        """The body is as signed, but another key signed it."""
        for secret in self._expired:
            if self._made_by(secret):
                yield (
                    f"signed with the secret {secret.name!r}, whose time ended at {secret.until}: "
                    "retries of older events carry the old secret's tag"
                )
        if self._key_secret is not None and self._made_by(self._key_secret):
            yield "signed with the API key secret: a webhook has a secret of its own"
        if any(self._made_by(secret) for secret in self._other_mode):
            yield "signed with the other mode's secret: test and live webhooks have different secrets"
        if _same(self._presented, hmac.new(b"", self._body, "sha256").hexdigest().encode("ascii")):
            yield "signed with the empty secret: the sender's secret is not set"
        for secret in (*self._live, *self._expired):
            yield from (f"signed with {what}" for what, variant in secret.variants() if self._made_by(variant))

    def _body_causes(self) -> Iterator[str]:
        """The key is right, but the bytes here are not the bytes that were signed."""
        if not self._body:
            yield "the body is empty: something read it before (in Django, request.POST does)"
        for what, body in _body_variants(self._body):
            if body != self._body and any(_same(secret.tag(body), self._presented) for secret in self._all_keys()):
                yield f"the tag is that of the body {what}: pass on the bytes as they came"

    def _all_keys(self) -> tuple[Secret, ...]:
        key_secret = () if self._key_secret is None else (self._key_secret,)
        return (*self._live, *self._expired, *key_secret, *self._other_mode)

    def _made_by(self, secret: Secret) -> bool:
        return _same(secret.tag(self._body), self._presented)


def _same(ours: bytes, theirs: bytes) -> bool:
    return hmac.compare_digest(ours, theirs)


def _contains(shown: bytes, right: bytes) -> bool:
    """Whether one stretch of ``shown`` is the right tag; looked for only where ``shown`` is short."""
    if len(shown) > 4 * len(right):
        return False
    starts = range(len(shown) - len(right) + 1)
    return any(_same(shown[start : start + len(right)], right) for start in starts)


def _body_variants(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "without its final newline", body.rstrip(b"\r\n")
    yield "with a final newline", body + b"\n"
    yield "with CRLF line ends", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield "with LF line ends", body.replace(b"\r\n", b"\n")
    yield "with a byte order mark", _BOM + body
    yield "without its byte order mark", body.removeprefix(_BOM)
    yield "without outer spaces", body.strip()
    yield from _json_variants(body)


def _json_variants(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The body as other JSON writers would have written it: somebody parsed it and wrote it again."""
    import json  # only people who ask for a diagnosis pay for it

    if len(body) > _JSON_LIMIT:
        return
    try:
        value = json.loads(body)
        for ascii_only in (True, False):
            for separators in ((",", ":"), (", ", ": ")):
                for sort in (False, True):
                    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators, sort_keys=sort)
                    written = text.encode("utf-8", "replace")
                    yield "before it was parsed and written again as JSON", written
                    yield "before it was parsed and written again as JSON", written.replace(b"/", rb"\/")
    except (ValueError, RecursionError):  # not JSON, or deeper than one of the two goes: nothing to compare with
        return
