"""Signed bodies of every class of JSON: what must be read, what must be refused, and what parsers disagree about.

Made from the grammar of RFC 8259, class by class: structure, numbers, strings and escapes, UTF-8, byte order marks,
depth. Each stands where our own fields are not (in the notes of a right event), and as the whole body.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterator

import pytest

from bodies import Shop, body, payment
from razorpay_hardened import sign_for_test, verify_webhook
from razorpay_hardened.errors import SignatureError
from razorpay_hardened.signals import EventProcessed, EventQuarantined
from support.bad_inputs import shop

CAPTURED = body("payment.captured", payment=payment(1, "captured"))
_NOTES = b'"notes":[]'


def accepted() -> Iterator[bytes]:
    """Values that every parser must take."""
    numbers = [b"0", b"1", b"-1", b"10", b"1.5", b"-0.5", b"0.0", b"1e5", b"1E5", b"1e+5", b"1e-5", b"1.25E-3", b"0e1"]
    numbers += [b"-0", b"-0.0", b"123456789012345678901234567890", b"1" + b"0" * 300]
    yield from numbers
    yield from (b"true", b"false", b"null", b"[]", b"{}", b'""', b"[[]]", b'{"a":{}}', b"[1,2]", b'{"a":1,"b":[2]}')
    for escape in rb"\" \\ \/ \b \f \n \r \t \u0041 \u00e9 \uFFFF \u0000 \ud834\udd1e \uD834\uDD1E \u2028".split():
        yield b'"' + escape + b'"'
        yield b'{"' + escape + b'":0}'
    for text in ("é", "€", "😀", "\x7f", "\u2028", "\ufeff", "\uffff", "\U0010ffff", " "):
        yield b'"' + text.encode() + b'"'
    for space in (b" ", b"\t", b"\n", b"\r", b" \r\n\t "):
        yield space + b"[" + space + b"1" + space + b"," + space + b"2" + space + b"]" + space
        yield space + b"{" + space + b'"a"' + space + b":" + space + b"1" + space + b"}" + space
    yield b'{"a":1,"a":2}'  # twice: the last one counts
    yield b'{"":0}'
    yield b"[" * 50 + b"]" * 50
    yield b'{"a":' * 50 + b"1" + b"}" * 50


def refused() -> Iterator[bytes]:
    """Texts that no parser may take."""
    yield from _broken_structure()
    yield from _broken_numbers()
    yield from _broken_strings()
    yield from (b"[\xff]", b'"\xff"', b'"\xc0\xaf"', b'"\xe0\x80\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"')
    yield from (b'"\xe2\x82"', b'"\x80"', b'"\xfe"', b'"\xf8\x88\x80\x80\x80"', b'"\xc3"')
    yield b"[" * 5000
    yield b'{"a":' * 5000


def _broken_structure() -> Iterator[bytes]:
    yield from (b"[", b"]", b"{", b"}", b"[1", b"1]", b"[1,]", b"[,1]", b"[,]", b"[1,,2]", b"[1 2]", b"[1:2]", b"[}")
    yield from (b"{]", b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,"a":1}', b'{"a" 1}', b'{"a",1}', b'{"a"::1}', b"{1:1}")
    yield from (b"{a:1}", b"{'a':1}", b"{null:1}", b"{[]:1}", b'{"a":1 "b":2}', b'{"a":1}}', b"[][]", b"[]1", b'[]"a"')
    yield from (b"tru", b"True", b"TRUE", b"nul", b"None", b"undefined", b"nan", b"NaN", b"Infinity", b"-Infinity")
    yield from (b"[1]//", b"/**/1", b"[1/*a*/]", b"#1", b"<a/>", b"[1];", b"\x00", b"[\x00]", b"[1\x0b]", b"\x0c[]")
    yield from (b"\xc2\xa0[]", "\u2060[]".encode(), b"`1`", b"[1,\n2,\n3", b"*", b"$", b"", b" ")


def _broken_numbers() -> Iterator[bytes]:
    for sign, whole, rest in itertools.product(
        (b"", b"-"), (b"00", b"01", b"0x1", b"1_0", b"1a", b"1 000"), (b"", b".5")
    ):
        yield sign + whole + rest
    yield from (b"+1", b"++1", b"--1", b"-", b"+", b".", b".5", b"-.5", b"1.", b"-1.", b"1.e5", b"1.5.5", b"1e", b"1e+")
    yield from (b"1E-", b"e5", b"1ee5", b"1e5.5", b"0e", b"- 1", b"1+1", b"0b1", b"0o7", b"1L", b"-NaN", b"inf")
    yield from ("１".encode(), "१".encode(), b"1,000", b"1'000", b"-a")


def _broken_strings() -> Iterator[bytes]:
    yield from (b'"', b'"a', b'a"', b"'a'", b'"a"b"', b'"\\"', b'"\\', b'"\\x41"', b'"\\a"', b'"\\0"', b'"\\U0041"')
    yield from (
        b'"\\u"',
        b'"\\u1"',
        b'"\\u12"',
        b'"\\u123"',
        b'"\\u12G4"',
        b'"\\u{41}"',
        b'"\\\'"',
        b'"\\\n"',
        b'"\\ "',
    )
    for code in range(0x20):
        yield b'"a' + bytes([code]) + b'b"'


def undefined() -> Iterator[bytes]:
    """What the standard leaves open: any typed answer will do, and money must not be lost over the notes."""
    for lone in rb"\ud800 \uDC00 \udfff \ud800\ud800 \ud800a \udc00\ud800 \ud83d\u0041 \uDBFF".split():
        yield b'"' + lone + b'"'
        yield b'{"' + lone + b'":0}'
    yield from (b"1e400", b"-1e400", b"1e-400", b"9" * 400, b"-" + b"9" * 400, b"0." + b"1" * 400, b"1" * 5000)
    yield from (b"0e99999", b"1E+2147483648", b"0.4e00669999999999999999999999999999999999999999999999999999999999")
    for depth in (60, 61, 62, 63, 64, 65, 127, 128, 199, 200, 201, 255, 256, 500, 999, 1000, 1001):
        yield b"[" * depth + b"]" * depth


ENCODED = [
    mark + CAPTURED.decode().encode(coding)
    for coding, mark in (
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-le", b""),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-be", b""),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("utf-32-le", b""),
        ("utf-32-be", b"\0\0\xfe\xff"),
        ("utf-32-be", b""),
        ("utf-7", b"+/v8-"),
    )
]


def noted(value: bytes) -> bytes:
    """A right event that says nothing wrong but this."""
    return CAPTURED.replace(_NOTES, b'"notes":' + value)


def met(raw: bytes) -> str:
    """Deliver one signed body to a fresh shop, which must end sound; gives the state in which it is kept."""
    ours = shop()
    assert ours.deliver(raw) == 200
    return kept(ours, raw)


def kept(ours: Shop, raw: bytes) -> str:
    (row,) = [row for row in ours.store.deliveries(limit=1000) if row.body == raw]
    return str(row.state)


def test_what_is_json_is_read() -> None:
    """Every accepted class, as a value in the notes: the payment is processed all the same."""
    for value in accepted():
        state = met(noted(b'{"a":' + value + b"}"))
        assert state == "done", value


def test_what_is_not_json_is_kept_and_told() -> None:
    """Every refused class, inside a right event: quarantined as malformed, never lost, never half read."""
    ours = shop()
    sent = (
        {noted(value) for value in refused()} | {noted(b'{"a":' + value + b"}") for value in refused()} | set(ENCODED)
    )
    for raw in sorted(sent):
        assert ours.deliver(raw) == 200
        assert ours.told(EventProcessed) == [], raw
    assert [signal.reason for signal in ours.told(EventQuarantined)] == ["PayloadMalformed"] * len(sent)
    assert ours.store.payments() == []
    assert ours.rzp.audit.verify().whole


def test_what_the_standard_leaves_open_has_a_typed_end() -> None:
    """Read or quarantined: 200 either way, nothing raised, and the trail is whole."""
    ours = shop()
    for value in undefined():
        for raw in (noted(b'{"a":' + value + b"}"), noted(value), value):
            assert ours.deliver(raw) == 200
    states = {row.state for row in ours.store.deliveries(limit=1000)}
    assert states == {"done", "quarantined"}
    assert ours.rzp.audit.verify().whole


def test_no_class_is_an_event_by_itself() -> None:
    """Read or not: a value that is no event is quarantined, whatever it is."""
    ours = shop()
    sent = {*accepted(), *refused(), *undefined()}
    for raw in sent:
        assert ours.deliver(raw) == 200
    assert {row.state for row in ours.store.deliveries(limit=1000)} == {"quarantined"}
    assert len(ours.told(EventQuarantined)) == len(sent)
    assert ours.rzp.audit.verify().whole


KEYS = ["k" * length for length in (1, 16, 32, 63, 64, 65, 128, 200)]
MESSAGES = [b"", b"\0", b"a", b"abc" * 7, b"\xff" * 55, b"m" * 56, b"m" * 64, b"m" * 65, b"\0" * 1000]


def _modified(tag: str) -> Iterator[str]:
    """Every way in which a tag may be nearly right."""
    raw = bytes.fromhex(tag)
    for place in (0, 1, 7, 15, 16, 30, 31):
        for mask in (0x01, 0x80, 0xFF):
            yield bytes(one ^ mask if at == place else one for at, one in enumerate(raw)).hex()
    for part in (slice(0, 0), slice(0, 1), slice(0, 10), slice(0, 16), slice(0, 31), slice(1, 32), slice(16, 32)):
        yield raw[part].hex()
    yield from (tag + "00", "00" + tag, tag[:-1], tag[1:], tag.upper() if tag.upper() != tag else tag[:-2], tag[::-1])
    yield from (
        "00" * 32,
        "ff" * 32,
        tag + "\0",
        tag + " ",
        " " + tag,
        raw[::-1].hex(),
        raw[16:].hex() + raw[:16].hex(),
    )
    yield bytes(255 - one for one in raw).hex()


@pytest.mark.parametrize("key", KEYS, ids=len)
def test_full_tags_verify_and_all_others_do_not(key: str) -> None:
    """Keys shorter, as long as and longer than a block; messages round the block's edges; only the whole tag counts."""
    for message in MESSAGES:
        tag = hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
        assert sign_for_test(message, key) == tag
        assert verify_webhook(message, tag, secret=key).raw == message
        for other in _modified(tag):
            with pytest.raises(SignatureError):
                verify_webhook(message, other, secret=key)
