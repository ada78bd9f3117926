"""Bad signatures and raw bodies, one row each: 401, nothing stored, nothing said of why (section 7, first table)."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import razorpay_hardened
from bodies import START, WEBHOOK_SECRET, body, payment, request
from razorpay_hardened import Secret, sign_for_test, verify_webhook, web
from razorpay_hardened.errors import (
    RawBodyRequired,
    RazorpayHardenedError,
    SignatureMalformed,
    SignatureMismatch,
    SignatureMissing,
)
from razorpay_hardened.signals import EventRejected
from support.bad_inputs import Row, arrive, holdings, params, shop

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
SLASHED = CAPTURED.replace(b'"description":null', rb'"description":"a\/b"')
ACCENTED = CAPTURED.replace(b'"notes":[]', '"notes":{"name":"é"}'.encode())
GOOD = sign_for_test(CAPTURED, WEBHOOK_SECRET)
OTHER, OLD, OLDER = "other-mode-9876543210-zyx", "whsec-previous-123456-qrs", "whsec-older-0987654-mno"


def signed(tag: str | bytes, raw: bytes = CAPTURED) -> Callable[[], web.Request]:
    return lambda: web.Request("POST", {"X-Razorpay-Signature": tag}, raw)


def lines(*tags: str) -> Callable[[], web.Request]:
    return lambda: web.Request("POST", [("X-Razorpay-Signature", tag) for tag in tags], CAPTURED)


def tag_by(key: str | bytes, raw: bytes = CAPTURED) -> str:
    return hmac.new(key.encode() if isinstance(key, str) else key, raw, hashlib.sha256).hexdigest()


def bad(id_: str, reason: str, sent: Callable[[], web.Request], **more: Any) -> Row:
    return Row(id_, sent, 401, "R0", reason, **more)


def rotated(*, until: timedelta) -> dict[str, Any]:
    return {
        "webhook_secrets": (
            Secret(WEBHOOK_SECRET, name="current"),
            Secret(OLD, name="previous", until=START + until),
        )
    }


_MIXED = "".join(char.upper() if place % 2 else char for place, char in enumerate(GOOD))
_BASE64 = base64.b64encode(bytes.fromhex(GOOD)).decode()
_RESAVED = json.dumps(json.loads(CAPTURED)).encode()
_DASHED = CAPTURED.replace(b",", b",\n")

MISSING, MALFORMED, MISMATCH = "SignatureMissing", "SignatureMalformed", "SignatureMismatch"

ROWS = [
    bad("absent", MISSING, lambda: web.Request("POST", {}, CAPTURED)),
    bad("upper case", MALFORMED, signed(GOOD.upper())),
    bad("mixed case", MALFORMED, signed(_MIXED)),
    bad("63 digits", MALFORMED, signed(GOOD[:63])),
    bad("65 digits", MALFORMED, signed(GOOD + "0")),
    bad("32 digits", MALFORMED, signed(GOOD[:32])),
    bad("written twice", MALFORMED, signed(GOOD * 2)),
    bad("base64", MALFORMED, signed(_BASE64)),
    bad("sha256= in front", MALFORMED, signed(f"sha256={GOOD}")),
    bad("Stripe form", MALFORMED, signed(f"t=1,v1={GOOD}")),
    bad("0x in front", MALFORMED, signed(f"0x{GOOD}")),
    bad("bad,good in one line", MALFORMED, signed(f"{'0' * 64},{GOOD}")),
    bad("two lines, bad then good", MALFORMED, lines("0" * 64, GOOD)),
    bad("two lines, good then bad", MALFORMED, lines(GOOD, "0" * 64)),
    bad("two lines, both good", MALFORMED, lines(GOOD, GOOD)),
    bad("64 accents", MALFORMED, signed("é" * 64)),
    bad("Arabic-Indic digits", MALFORMED, signed("٠" * 10 + GOOD[10:])),
    bad("full-width digits", MALFORMED, signed("０" + GOOD[1:])),
    bad("NUL inside", MALFORMED, signed(GOOD[:20] + "\0" + GOOD[21:])),
    bad("newline at the end", MALFORMED, signed(GOOD + "\n")),
    bad("space inside", MALFORMED, signed(GOOD[:32] + " " + GOOD[33:])),
    bad("minus in front", MALFORMED, signed("-" + GOOD[1:])),
    bad("empty value", MALFORMED, signed("")),
    bad("1 MiB of header", MALFORMED, signed("a" * (1 << 20))),
    bad("HMAC-SHA512", MALFORMED, signed(hmac.new(WEBHOOK_SECRET.encode(), CAPTURED, hashlib.sha512).hexdigest())),
    bad("HMAC-SHA1", MALFORMED, signed(hmac.new(WEBHOOK_SECRET.encode(), CAPTURED, hashlib.sha1).hexdigest())),
    bad("plain SHA-256", MISMATCH, signed(hashlib.sha256(CAPTURED).hexdigest())),
    bad("secret then body, SHA-256", MISMATCH, signed(hashlib.sha256(WEBHOOK_SECRET.encode() + CAPTURED).hexdigest())),
    bad("64 zeros", MISMATCH, signed("0" * 64)),
    bad("keyed with the API secret", MISMATCH, signed(tag_by("thisisnotthekey-9f8e7d"))),
    bad("keyed with nothing", MISMATCH, signed(tag_by(""))),
    bad("keyed with the other mode's", MISMATCH, signed(tag_by(OTHER))),
    bad("keyed with secret and newline", MISMATCH, signed(tag_by(WEBHOOK_SECRET + "\n"))),
    bad("window closed", MISMATCH, signed(tag_by(OLD)), options=rotated(until=timedelta(0))),
    bad("body written anew", MISMATCH, signed(tag_by(WEBHOOK_SECRET, _RESAVED))),
    bad("LF to CRLF", MISMATCH, signed(tag_by(WEBHOOK_SECRET, _DASHED), _DASHED.replace(b"\n", b"\r\n"))),
    bad("tag of the empty body", MISMATCH, signed(tag_by(WEBHOOK_SECRET, b""))),
    bad("one byte appended", MISMATCH, signed(GOOD, CAPTURED + b"\n")),
    bad("last byte missing", MISMATCH, signed(GOOD, CAPTURED[:-1])),
    bad("reversed tag", MISMATCH, signed(GOOD[::-1])),
    Row("previous inside the window", signed(tag_by(OLD)), 200, "RS", options=rotated(until=timedelta(hours=1))),
    Row(
        "third of three",
        signed(tag_by(OLDER)),
        200,
        "RS",
        options={"webhook_secrets": tuple(Secret(one, name=one[:11]) for one in (WEBHOOK_SECRET, OLD, OLDER))},
    ),
    Row("PHP slashes", SLASHED, 200, "RS"),
    Row("raw accents", ACCENTED, 200, "RS"),
    Row("empty body with its tag", b"", 200, "RQ", "PayloadMalformed"),
]


@pytest.mark.parametrize("row", params(ROWS))
def test_signature_and_raw_body(row: Row) -> None:
    """The status, the record and the signals of the row; nothing else changes."""
    arrive(row)


class Core(NamedTuple):
    """An input that reaches the verifier without an adapter in between."""

    id: str
    body: Any
    signature: Any
    error: type[RazorpayHardenedError]
    mark: str | None = None


CORE_ROWS = [
    Core("None", CAPTURED, None, SignatureMissing),
    Core("spaces round it", CAPTURED, f" {GOOD} ", SignatureMalformed),
    Core("tab behind it", CAPTURED, f"{GOOD}\t", SignatureMalformed),
    Core("int 0", CAPTURED, 0, SignatureMalformed),
    Core("a float", CAPTURED, 1.5, SignatureMalformed),
    Core("bytes that are not ASCII", CAPTURED, b"\xff" * 64, SignatureMalformed),
    Core("bytearray", CAPTURED, bytearray(GOOD.encode()), SignatureMalformed),
    Core("another body's", CAPTURED, tag_by(WEBHOOK_SECRET, b"{}"), SignatureMismatch),
    Core("str body", CAPTURED.decode(), GOOD, RawBodyRequired),
    Core("parsed body", json.loads(CAPTURED), GOOD, RawBodyRequired),
    Core("None body", None, GOOD, RawBodyRequired),
]


@pytest.mark.parametrize("row", params(CORE_ROWS))
def test_what_is_given_straight_to_the_verifier(row: Core) -> None:
    """A typed error for each, which quotes neither tag nor secret."""
    with pytest.raises(row.error) as caught:
        verify_webhook(row.body, row.signature, secret=WEBHOOK_SECRET)
    assert type(caught.value) is row.error
    assert GOOD not in str(caught.value)
    assert WEBHOOK_SECRET not in repr(caught.value)


def test_each_of_256_flipped_bits() -> None:
    """No single bit of the tag is without weight, and none of the 256 leaves a trace."""
    ours = shop()
    before = holdings(ours.store)
    good = bytes.fromhex(GOOD)
    for bit in range(256):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        peer = f"198.51.100.{bit}"
        headers = {"X-Razorpay-Signature": flipped.hex()}
        assert ours.rzp.webhooks.handle(web.Request("POST", headers, CAPTURED, peer)).status == 401
    assert [signal.reason for signal in ours.told(EventRejected)] == ["SignatureMismatch"] * 256
    assert holdings(ours.store) == before


def test_a_flood_of_bad_signatures_touches_no_storage() -> None:
    """200 of them from one peer: refused from memory, while the store cannot even be reached."""
    ours = shop()
    before = holdings(ours.store)
    with ours.store.transaction():  # a read or a write of the same thread would raise
        replies = {
            ours.rzp.webhooks.handle(web.Request("POST", {"X-Razorpay-Signature": "0" * 64}, CAPTURED, "203.0.113.9"))
            for _ in range(200)
        }
    assert {reply.status for reply in replies} <= {401, 429}
    assert {reply.body for reply in replies} == {b""}
    assert holdings(ours.store) == before


def test_ascii_bytes_are_a_signature_too() -> None:
    """Some servers hand headers on as bytes."""
    assert verify_webhook(CAPTURED, GOOD.encode(), secret=WEBHOOK_SECRET).raw == CAPTURED
    assert shop().rzp.webhooks.handle(signed(GOOD.encode())()).status == 200


def test_the_answer_is_the_same_for_every_cause() -> None:
    """A sender learns from no answer what was wrong with it."""
    causes = [row.sent for row in ROWS if row.status == 401 and not row.options and not isinstance(row.sent, bytes)]
    replies = {(reply.status, reply.body, tuple(reply.headers)) for reply in _answers(causes)}
    assert len(replies) == 1


def _answers(causes: list[Callable[[], web.Request]]) -> list[web.Reply]:
    ours = shop()
    return [ours.rzp.webhooks.handle(make()) for make in causes]


def test_tags_and_secrets_are_compared_in_constant_time_only() -> None:
    """No ``==`` in the package has a tag, a signature, a digest of one or a secret on either side."""
    root = Path(razorpay_hardened.__file__).parent
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted(root.rglob("*.py"))
        if _SUSPECT.search(text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Compare) and _compares_a_tag(node)
    ]
    assert found == []


_SUSPECT = re.compile(
    r"\b(tag|signature|hmac|secret|reveal)\b.*(==|!=)|(==|!=).*\b(tag|signature|hmac|secret|reveal)\b"
)


def _compares_a_tag(node: ast.Compare) -> bool:
    if not any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
        return False
    if any(isinstance(side, ast.Constant) and side.value == "" for side in node.comparators):
        return False  # whether there is one at all
    names = {_last_name(side) for side in (node.left, *node.comparators)}
    return bool(names & {"tag", "signature", "hmac", "secret", "reveal"})


def _last_name(side: ast.expr) -> str:
    if isinstance(side, ast.Call):
        side = side.func
    return side.id if isinstance(side, ast.Name) else side.attr if isinstance(side, ast.Attribute) else ""


def test_that_law_can_fail() -> None:
    """The check above sees what it is for."""
    (bad_one,) = [node for node in ast.walk(ast.parse("secret.tag(body) == sent")) if isinstance(node, ast.Compare)]
    assert _compares_a_tag(bad_one)
    assert request(CAPTURED).method == "POST"
