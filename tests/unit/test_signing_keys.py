"""Secrets: they sign, they never show themselves, and nothing compares them in the open (FAULTS P6, rule 1)."""

from __future__ import annotations

import ast
import contextlib
import copy
import hashlib
import hmac
import json
import pickle
import subprocess
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import razorpay_hardened.signing
from razorpay_hardened.errors import ConfigError, SignatureError, SignatureMalformed, SignatureMissing
from razorpay_hardened.signing import Secret
from razorpay_hardened.signing.keys import as_secret, tag_from

CANARY = "cAnAry7-secret-Value9"
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@given(st.binary(min_size=1), st.binary())
def test_tag_is_hmac_sha256(key, message):
    """A tag is the lower-case hex HMAC-SHA256 of the message, for any key and message (FACTS section 6)."""
    secret = Secret(key)
    expected = hmac.new(key, message, hashlib.sha256).hexdigest().encode()

    assert secret.tag(message) == expected
    assert secret.tag(message) == expected  # the prepared key is not used up
    assert secret.signs(message, expected)
    assert not secret.signs(message + b"x", expected)


@pytest.mark.parametrize(
    ("key", "message", "tag"),
    [  # RFC 4231: test cases 1, 2, 3 and 6
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_published_vectors(key, message, tag):
    """The vectors of RFC 4231 come out."""
    assert Secret(key).tag(message) == tag.encode()


def test_text_and_bytes_are_the_same_key():
    """Text is keyed as UTF-8, and can be had back."""
    assert Secret("schlüssel").same_value(Secret("schlüssel".encode()))
    assert Secret("schlüssel").reveal() == "schlüssel"
    assert not Secret("a").same_value(Secret("b"))


@pytest.mark.parametrize(
    ("value", "rule"),
    [("", "empty"), (b"", "empty"), (None, "str or bytes"), (5, "str or bytes"), ("\udcff" + CANARY, "not valid text")],
)
def test_unusable_values(value, rule):
    """An empty secret, which everybody knows, and whatever is not text or bytes is refused by name, not by value."""
    with pytest.raises(ConfigError, match=rf"the secret 'hook' .*{rule}") as caught:
        Secret(value, name="hook")

    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None  # a UnicodeEncodeError would carry the whole secret


def test_reveal_of_a_key_that_is_no_text():
    """A key of bytes that are not UTF-8 signs, but cannot be shown as text."""
    secret = Secret(b"\xff" + CANARY.encode(), name="hook")

    with pytest.raises(ConfigError, match="'hook' is not text") as caught:
        secret.reveal()

    assert caught.value.__context__ is None


def test_end_date():
    """A secret counts up to its end date, and no longer at it; without one it always counts."""
    secret = Secret(CANARY, until=NOON)

    assert not secret.expired(NOON - timedelta(microseconds=1))
    assert secret.expired(NOON)
    assert not Secret(CANARY).expired(datetime.max.replace(tzinfo=UTC))


def test_end_date_needs_a_zone():
    """A naive end date is refused: it could mean five and a half hours more."""
    with pytest.raises(ConfigError, match="needs a time zone"):
        Secret(CANARY, until=NOON.replace(tzinfo=None))


def test_as_secret():
    """A secret stays itself, anything else becomes one under the given name."""
    secret = Secret(CANARY)

    assert as_secret(secret) is secret
    assert as_secret(CANARY, "key_secret").name == "key_secret"


def test_variants():
    """What people paste instead of a secret is told apart from the secret itself."""
    assert [what for what, _ in Secret("abc").variants()] == [
        "the secret with a trailing newline",
        "the secret in double quotes",
    ]
    assert "the secret without its outer spaces or newline" in dict(Secret(" abc\n").variants())
    assert "the secret without its quotes" in dict(Secret('"abc"').variants())
    assert Secret("   ").variants()[0][0] == "the secret with a trailing newline"


# --- it never shows itself --------------------------------------------------------------------------------------


def test_nothing_prints_the_value():
    """repr, str, format, copies and JSON through str show the name alone."""
    secret = Secret(CANARY, name="hook", until=NOON)
    shown = [
        repr(secret),
        str(secret),
        f"{secret} {secret!r} {secret:>40} {secret!s}",
        "%s %r" % (secret, secret),  # noqa: UP031  # what old logging does
        repr(copy.copy(secret)),
        repr(copy.deepcopy([secret])),
        json.dumps({"secret": secret}, default=str),
        repr({secret: [secret]}),
    ]

    assert all("<Secret 'hook'>" in text for text in shown)
    assert not any(CANARY in text for text in shown)
    with pytest.raises(TypeError):
        vars(secret)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_is_refused(protocol):
    """A secret does not travel, under any protocol."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(CANARY), protocol)


def test_a_secret_is_closed():
    """It cannot be changed, emptied or subclassed, and is equal only to itself."""
    secret = Secret(CANARY)

    with pytest.raises(AttributeError):
        secret.name = "x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del secret.name
    with pytest.raises(TypeError):
        type("Loud", (Secret,), {})
    assert secret == secret
    assert secret != Secret(CANARY)
    assert secret != CANARY


def test_no_value_in_a_traceback_with_locals():
    """When the constructor refuses an end date, no frame of ours still holds the value."""
    try:
        Secret(CANARY, until=datetime(2026, 3, 31))
    except ConfigError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [str(frame.locals) for frame in report.stack if "razorpay_hardened" in frame.filename]

    assert ours
    assert not any(CANARY in text for text in ours)


# --- the form of a tag ------------------------------------------------------------------------------------------------

GOOD = "0123456789abcdef" * 4


class Text(str):
    """A str that lies about itself."""

    def __len__(self) -> int:
        return 64

    def encode(self, *args: str) -> bytes:
        return GOOD.encode()


class Raw(bytes):
    """A bytes object that lies about itself."""

    def __len__(self) -> int:
        return 64

    def translate(self, *args: object) -> bytes:
        return b""


class Liar:
    """An object that says it is a str."""

    __class__ = str  # type: ignore[assignment]

    def __len__(self) -> int:
        return 64


def test_good_forms():
    """64 lower-case hex digits are accepted as str and as bytes, and of their subclasses."""
    assert (
        tag_from(GOOD)
        == tag_from(GOOD.encode())
        == tag_from(Text(GOOD))
        == tag_from(Raw(GOOD.encode()))
        == GOOD.encode()
    )


def test_no_tag_is_missing():
    """None is missing, not malformed."""
    with pytest.raises(SignatureMissing):
        tag_from(None)


@pytest.mark.parametrize(
    "value",
    [
        "",
        b"",
        GOOD[:-1],
        GOOD + "0",
        GOOD * 2,
        GOOD.upper(),
        GOOD[:-1] + "A",
        GOOD[:-1] + "g",
        GOOD[:-1] + "\0",
        GOOD[:-1] + "\n",
        GOOD[:-1] + "٣",
        "é" * 64,
        "\ud800" * 64,
        b"\xff" * 64,
        GOOD.encode()[:-1] + b"G",
        "a" * (1 << 20),
        Text("short"),
        Raw(b"short"),
        Liar(),
        0,
        GOOD.encode().hex,
        bytearray(GOOD.encode()),
        [GOOD],
        {"X-Razorpay-Signature": GOOD},
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_forms(value):
    """Everything that is not exactly that form is malformed, objects that lie about themselves included."""
    with pytest.raises(SignatureMalformed):
        tag_from(value)


@given(st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.lists(st.text())))
def test_any_object_has_a_typed_end(value):
    """Any object at all is a tag or one of our errors (FAULTS P8)."""
    with contextlib.suppress(SignatureError):
        assert len(tag_from(value)) == 64


# --- the code itself --------------------------------------------------------------------------------------------------

OPEN_COMPARISONS = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
DELICATE = ("tag", "digest", "signature", "secret", "key", "shown", "right", "presented", "theirs", "ours", "raw")


def open_comparisons(source: str) -> list[str]:
    """The comparisons with ==, !=, in, not in whose operands are named like a tag, a digest or a secret."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, OPEN_COMPARISONS) for op in node.ops):
            operands = [part for part in (node.left, *node.comparators) if not is_length(part)]
            names = " ".join(ast.unparse(part) for part in operands).lower()
            if any(word in names for word in DELICATE):
                found.append(ast.unparse(node))
    return found


def is_length(node: ast.expr) -> bool:
    constant = isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())
    return constant or (isinstance(node, ast.Call) and ast.unparse(node.func) == "len")


@pytest.mark.parametrize(
    "line", ["tag == x", "x != self._digest", "presented in slots", "a == hmac.new(k).hexdigest()", "s != secret.value"]
)
def test_the_watch_over_comparisons_sees(line):
    """The test below would find each of these."""
    assert open_comparisons(line) == [line]


def test_no_open_comparison_in_signing():
    """No tag, digest or secret is compared with == or `in` anywhere in the room: only compare_digest may."""
    room = Path(razorpay_hardened.signing.__file__).parent
    found = {path.name: open_comparisons(path.read_text("utf-8")) for path in sorted(room.glob("*.py"))}

    assert len(found) >= 6
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_compare_digest_is_reached_through_the_standard_library():
    """The constant-time comparison is hmac's own, not one of ours."""
    assert razorpay_hardened.signing.keys.hmac.compare_digest is hmac.compare_digest
    assert razorpay_hardened.signing.webhook.compare_digest is hmac.compare_digest


def test_the_room_starts_fast():
    """A process that only checks signatures loads neither dataclasses, logging, JSON nor anything outside stdlib."""
    code = "import sys, razorpay_hardened.signing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "razorpay_hardened.signing.webhook" in loaded
    assert not {"dataclasses", "logging", "json", "pydantic", "razorpay", "requests", "tenacity"} & set(loaded)
