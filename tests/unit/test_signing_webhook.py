"""Webhook tags: every line of FAULTS section 7, "Signature header and raw body", and what explains a mismatch."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import pickle
import traceback
from datetime import UTC, datetime, timedelta
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.clock import FrozenClock
from razorpay_hardened.errors import (
    ConfigError,
    RawBodyRequired,
    SignatureError,
    SignatureMalformed,
    SignatureMismatch,
    SignatureMissing,
)
from razorpay_hardened.signing import (
    SIGNATURE_HEADER,
    Diagnosis,
    Secret,
    VerifiedBody,
    WebhookVerifier,
    sign_for_test,
    verify_webhook,
)
from razorpay_hardened.signing.keys import Secret as KeysSecret
from razorpay_hardened.web import Headers

HOOK = "hOoK8Canary5Rv3Nb6Ly"
KEY = "kEy9Canary7Xw2Qm4Zt"
OLD = "oLd4Canary1Pd9Gs7Hj"
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
BODY = b'{"event":"payment.captured","amount":49900,"url":"https:\\/\\/x","notes":{"n":"\xc3\xa9"}}\n'
GOOD = hmac.new(HOOK.encode(), BODY, hashlib.sha256).hexdigest()
RAW = bytes.fromhex(GOOD)
FLIPPED = [(int(GOOD, 16) ^ (1 << bit)).to_bytes(32, "big").hex() for bit in range(256)]


def hexmac(key: str, body: bytes = BODY, algorithm: str = "sha256") -> str:
    return hmac.new(key.encode(), body, algorithm).hexdigest()


def rotating(now: datetime, **options: object) -> WebhookVerifier:
    """A verifier in the middle of a rotation: the previous secret counts until noon."""
    clock = FrozenClock(now)
    slots = [Secret(HOOK), Secret(OLD, name="previous", until=NOON)]
    return WebhookVerifier(slots, clock=clock, **options)  # type: ignore[arg-type]


# --- accepted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", [GOOD, GOOD.encode()], ids=["str", "bytes"])
def test_a_good_tag_gives_the_proof(tag):
    """The proof holds the raw bytes, their SHA-256 and the secret's name; PHP's escapes and UTF-8 are just bytes."""
    proof = WebhookVerifier(HOOK).verify(BODY, tag)

    assert type(proof) is VerifiedBody
    assert proof.raw is BODY
    assert proof.digest == proof.digest == hashlib.sha256(BODY).hexdigest()
    assert proof.secret_slot == "current"
    assert WebhookVerifier(HOOK).is_valid(BODY, tag)


@pytest.mark.parametrize("secret", [HOOK, Secret(HOOK), [Secret(HOOK)], (Secret(OLD), Secret(HOOK)), HOOK.encode()])
def test_the_short_form(secret):
    """verify_webhook takes a secret as text, as a Secret, or several."""
    assert verify_webhook(BODY, GOOD, secret=secret).raw == BODY
    with pytest.raises(SignatureMismatch):
        verify_webhook(BODY, FLIPPED[0], secret=secret)


def test_sign_for_test():
    """The test helper makes the tag that Razorpay would send, over bytes only."""
    assert sign_for_test(BODY, HOOK) == sign_for_test(BODY, Secret(HOOK)) == GOOD
    with pytest.raises(RawBodyRequired):
        sign_for_test(BODY.decode(), HOOK)  # type: ignore[arg-type]


def test_an_empty_body_with_its_tag():
    """An empty body that is rightly signed is verified; that it is no JSON is the parser's business."""
    assert verify_webhook(b"", hexmac(HOOK, b""), secret=HOOK).raw == b""


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=300), st.integers(0, 255), st.integers(1, 63))
def test_full_tags_verify_and_others_do_not(key, body, bit, length):
    """The full tag of any body verifies, a flipped bit and a truncated tag do not (the Wycheproof classes)."""
    verifier = WebhookVerifier(Secret(key))
    tag = hmac.new(key, body, "sha256").hexdigest()
    flipped = (int(tag, 16) ^ (1 << bit)).to_bytes(32, "big").hex()

    assert verifier.verify(body, tag).raw == body
    assert not verifier.is_valid(body, flipped)
    with pytest.raises(SignatureMismatch):
        verifier.verify(body, flipped)
    with pytest.raises(SignatureMalformed):
        verifier.verify(body, tag[:length])
    with pytest.raises(SignatureMismatch):
        verifier.verify(body + b" ", tag)


# --- refused --------------------------------------------------------------------------------------------------------

MALFORMED = {
    "spaces round it": f" {GOOD} ",
    "upper case": GOOD.upper(),
    "mixed case": GOOD.replace(next(char for char in GOOD if char.isalpha()), "F", 1),
    "63 digits": GOOD[:-1],
    "twice": GOOD * 2,
    "base64": base64.b64encode(RAW).decode(),
    "sha256= prefix": "sha256=" + GOOD,
    "Stripe form": "t=1,v1=" + GOOD,
    "0x prefix": "0x" + GOOD,
    "bad,good in one header": f"{'0' * 64},{GOOD}",
    "64 non-ASCII letters": "é" * 64,
    "Arabic-Indic digits": "٠" * 8 + GOOD[8:],
    "NUL inside": GOOD[:30] + "\0" + GOOD[31:],
    "int 0": 0,
    "1 MiB": "a" * (1 << 20),
    "HMAC-SHA512": hexmac(HOOK, algorithm="sha512"),
    "empty": "",
    "bytes that are no ASCII": b"\xff" * 64,
    "a list": [GOOD],
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(value):
    """Whatever is not exactly 64 lower-case hex digits is malformed, though the right tag may be inside."""
    verifier = WebhookVerifier(HOOK)

    with pytest.raises(SignatureMalformed) as caught:
        verifier.verify(BODY, value)

    assert str(caught.value) == SignatureMalformed.__doc__
    assert not verifier.is_valid(BODY, value)


@pytest.mark.parametrize("value", ["a" * (1 << 20), f"{GOOD} ", None, 0])
def test_nothing_is_hashed_for_a_malformed_tag(value, monkeypatch):
    """The form is checked before any HMAC is computed, so that a huge header costs nothing."""
    verifier = WebhookVerifier(HOOK)

    def refuse(*args: object) -> bytes:
        raise AssertionError("hashed")

    monkeypatch.setattr(KeysSecret, "tag", refuse)

    with pytest.raises(SignatureError):
        verifier.verify(BODY, value)


MISMATCHED = {
    "plain SHA-256": hashlib.sha256(BODY).hexdigest(),
    "64 zeros": "0" * 64,
    "the API key secret": hexmac(KEY),
    "the empty string": hexmac(""),
    "another mode's secret": hexmac("tEsT" + HOOK),
    "JSON written again": hexmac(HOOK, json.dumps(json.loads(BODY)).encode()),
    "LF to CRLF": hexmac(HOOK, BODY.replace(b"\n", b"\r\n")),
}


def told_as_mismatch(tag):
    """Whether a tag is refused as a mismatch, in exactly these words."""
    verifier = WebhookVerifier(HOOK)
    try:
        verifier.verify(BODY, tag)
    except SignatureMismatch as error:
        return str(error) == "The signature does not match." and not verifier.is_valid(BODY, tag)
    return False


@pytest.mark.parametrize("tag", MISMATCHED.values(), ids=MISMATCHED.keys())
def test_mismatched(tag):
    """A well-formed tag that no live secret made over these bytes is a mismatch, and the text says no more."""
    assert told_as_mismatch(tag)


def test_every_single_bit_of_the_tag_counts():
    """Each of the 256 tags that differ from the right one in one bit is a mismatch."""
    assert len(FLIPPED) == 256
    assert [tag for tag in FLIPPED if not told_as_mismatch(tag)] == []


@pytest.mark.parametrize(
    "body",
    [BODY.decode(), json.loads(BODY), bytearray(BODY), memoryview(BODY), None, 5],
    ids=lambda b: type(b).__name__,
)
def test_a_body_that_is_not_raw(body):
    """A decoded or parsed body cannot be verified, and says so by its class."""
    verifier = WebhookVerifier(HOOK)

    with pytest.raises(RawBodyRequired):
        verifier.verify(body, GOOD)
    assert not verifier.is_valid(body, GOOD)


@given(
    st.one_of(st.binary(), st.text(), st.none(), st.dictionaries(st.text(), st.integers())),
    st.one_of(
        st.text(),
        st.binary(),
        st.none(),
        st.integers(),
        st.dictionaries(st.one_of(st.text(), st.binary(), st.integers(), st.just(SIGNATURE_HEADER)), st.text()),
        st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
)
def test_hostile_input_has_a_typed_end(body, headers):
    """Any body and any headers end in one of our errors, or in False (FAULTS P8)."""
    verifier = WebhookVerifier(HOOK)

    with pytest.raises((SignatureError, RawBodyRequired)):
        verifier.verify(body, headers)
    assert verifier.is_valid(body, headers) is False


# --- headers --------------------------------------------------------------------------------------------------------


def message(*lines: tuple[str, str]) -> Message:
    made = Message()
    for name, value in lines:
        made[name] = value
    return made


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE_HEADER: GOOD},
        {"x-razorpay-signature": GOOD, "Accept": "*/*"},
        {"X_RAZORPAY_SIGNATURE": GOOD},
        {b"x-razorpay-signature": GOOD.encode(), 7: "odd"},
        {SIGNATURE_HEADER: [GOOD]},
        Headers([(SIGNATURE_HEADER, f" {GOOD}\t")]),
        message((SIGNATURE_HEADER.lower(), GOOD)),
    ],
    ids=["mapping", "lower case", "underscores", "bytes", "list", "our own", "email.message"],
)
def test_headers_that_hold_one_signature(headers):
    """The signature is found in any kind of headers, whatever its case; outer blanks are the adapter's to strip."""
    assert WebhookVerifier(HOOK).verify(BODY, headers).raw == BODY


@pytest.mark.parametrize("headers", [None, {}, {"Accept": GOOD}, Headers(), Message(), {SIGNATURE_HEADER: []}])
def test_headers_without_a_signature(headers):
    """No signature is missing, whatever else is there."""
    with pytest.raises(SignatureMissing):
        WebhookVerifier(HOOK).verify(BODY, headers)


@pytest.mark.parametrize("other", ["0" * 64, GOOD, ""])
@pytest.mark.parametrize("name", [SIGNATURE_HEADER, "X_Razorpay_Signature"])
def test_two_signatures(name, other):
    """Two lines, even if both are good, and an underscore twin of the name are malformed."""
    lines = [(name, other), (SIGNATURE_HEADER, GOOD)]
    verifier = WebhookVerifier(HOOK)
    kinds = [Headers(lines), message(*lines), {SIGNATURE_HEADER: [other, GOOD]}]

    for headers in kinds if name == SIGNATURE_HEADER else [*kinds, dict(lines)]:
        with pytest.raises(SignatureMalformed):
            verifier.verify(BODY, headers)


# --- rotation -------------------------------------------------------------------------------------------------------


def test_previous_secret_inside_the_window():
    """Retries of older events carry the old secret's tag: until its end the previous secret still counts."""
    verifier = rotating(NOON - timedelta(seconds=1))

    assert verifier.verify(BODY, hexmac(OLD)).secret_slot == "previous"
    assert verifier.verify(BODY, GOOD).secret_slot == "current"


def test_previous_secret_after_the_window():
    """At its end the previous secret stops, without a restart, and the diagnosis says which and when."""
    clock = FrozenClock(NOON - timedelta(seconds=1))
    verifier = WebhookVerifier([Secret(HOOK), Secret(OLD, name="previous", until=NOON)], clock=clock)
    assert verifier.is_valid(BODY, hexmac(OLD))

    clock.advance(1)

    assert not verifier.is_valid(BODY, hexmac(OLD))
    with pytest.raises(SignatureMismatch) as caught:
        verifier.verify(BODY, hexmac(OLD))
    assert "'previous', whose time ended at 2026-03-31 12:00:00+00:00" in caught.value.explain()[0]


def test_a_single_secret_may_end_too():
    """A verifier whose only secret has an end date accepts nothing after it."""
    clock = FrozenClock(NOON)
    verifier = WebhookVerifier(Secret(HOOK, until=NOON + timedelta(seconds=1)), clock=clock)
    assert verifier.is_valid(BODY, GOOD)

    clock.advance(1)

    assert not verifier.is_valid(BODY, GOOD)


def test_the_system_clock_is_the_default():
    """Without a clock the machine's own decides."""
    long_ago = Secret(OLD, name="previous", until=datetime(2020, 1, 1, tzinfo=UTC))

    assert not WebhookVerifier([Secret(HOOK), long_ago]).is_valid(BODY, hexmac(OLD))


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_all_slots_are_always_tried(slot, monkeypatch):
    """Three secrets, any of them matches; each costs one hash every time, so that time tells nothing."""
    keys = ["first-secret-0001", "second-secret-002", "third-secret-0003"]
    verifier = WebhookVerifier([Secret(key, name=key) for key in keys])
    tried = []
    tag_of = KeysSecret.tag
    monkeypatch.setattr(KeysSecret, "tag", lambda self, body: tried.append(self.name) or tag_of(self, body))

    assert verifier.verify(BODY, hexmac(keys[slot])).secret_slot == keys[slot]
    assert tried == keys


def test_the_first_of_two_equal_secrets_is_named():
    """Where two slots hold the same value, the proof names the first."""
    assert WebhookVerifier([Secret(HOOK, name="a"), Secret(HOOK, name="b")]).verify(BODY, GOOD).secret_slot == "a"


@pytest.mark.parametrize("secrets", ["", b"", [], (), None, 5, [HOOK], [Secret(HOOK), HOOK], {HOOK: 1}, [""]])
def test_unusable_secrets(secrets):
    """No secret, an empty one, None from an unset variable, or bare texts in a list are a configuration error."""
    with pytest.raises(ConfigError) as caught:
        WebhookVerifier(secrets)
    assert HOOK not in str(caught.value)
    if not isinstance(secrets, (list, dict)):
        with pytest.raises(ConfigError):
            verify_webhook(BODY, GOOD, secret=secrets)


# --- the proof ------------------------------------------------------------------------------------------------------


def test_only_the_room_makes_proofs():
    """A proof cannot be constructed, subclassed, changed, emptied or pickled; a copy is the proof itself."""
    proof = verify_webhook(BODY, GOOD, secret=HOOK)

    with pytest.raises(TypeError, match="only the verify functions"):
        VerifiedBody(BODY, "current")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Forged", (VerifiedBody,), {})
    with pytest.raises(AttributeError, match="cannot be changed"):
        proof.raw = b"{}"
    with pytest.raises(AttributeError, match="cannot be changed"):
        del proof.raw
    with pytest.raises(AttributeError):
        proof.signature  # type: ignore[attr-defined]  # noqa: B018  # it is not kept
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(proof)
    assert copy.copy(proof) is copy.deepcopy(proof) is proof


def test_nothing_prints_more_than_it_may():
    """Neither proof, verifier, error nor diagnosis shows a secret, the tag or the body (FAULTS P6)."""
    verifier = rotating(NOON, key_secret=Secret(KEY, name="key_secret"), other_mode=[Secret("tEsT" + HOOK)])
    with pytest.raises(SignatureMismatch) as caught:
        verifier.verify(BODY, hexmac(KEY))
    error = caught.value
    proof = verifier.verify(BODY, GOOD)
    shown = [proof, verifier, error, vars(error), error.explain(), json.dumps(vars(error), default=str)]
    text = " ".join(f"{one!r} {one!s} {one}" for one in shown)

    assert repr(proof) == f"<VerifiedBody {proof.digest[:12]} {len(BODY)} bytes, secret 'current'>"
    assert repr(verifier) == "<WebhookVerifier current, previous>"
    for canary in (HOOK, KEY, OLD, GOOD, hexmac(KEY), "payment.captured"):
        assert canary not in text


def test_an_error_may_travel_without_its_diagnosis():
    """An error crosses a process boundary as its class and text; the keys for explaining it stay behind."""
    with pytest.raises(SignatureMismatch) as caught:
        verify_webhook(BODY, FLIPPED[0], secret=HOOK)

    again = pickle.loads(pickle.dumps(caught.value))

    assert (type(again), str(again), again.explain()) == (SignatureMismatch, str(caught.value), ())
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Diagnosis(BODY, GOOD, [Secret(HOOK)]))


@pytest.mark.parametrize("secret", [HOOK, HOOK.encode(), Secret(HOOK)])
def test_no_secret_in_a_traceback_with_locals(secret):
    """A crash reporter that records the locals of our frames finds no secret in them."""
    try:
        verify_webhook(BODY, FLIPPED[0], secret=secret)
    except SignatureMismatch as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [str(frame.locals) for frame in report.stack if "razorpay_hardened" in frame.filename]

    assert len(ours) == 2
    assert not any(HOOK in text for text in ours)


# --- why it did not match -------------------------------------------------------------------------------------------

QUOTED = f'"{HOOK}"'
COMPACT = b'{"b":"https:\\/\\/x","a":"\\u00e9"}'
SPACED = b'{"b": "https://x", "a": "\\u00e9"}'


@pytest.mark.parametrize(
    ("body", "tag", "cause"),
    [
        (BODY, hashlib.sha256(BODY).hexdigest(), "without any secret"),
        (BODY, hexmac(""), "empty secret"),
        (BODY, hexmac(KEY), "API key secret"),
        (BODY, hexmac("tEsT" + HOOK), "other mode's secret"),
        (BODY, hexmac(HOOK + "\n"), "with a trailing newline"),
        (BODY, hexmac(QUOTED), "in double quotes"),
        (b"", hexmac(HOOK, BODY), "the body is empty"),
        (BODY, hexmac(HOOK, BODY.rstrip()), "without its final newline"),
        (BODY, hexmac(HOOK, BODY + b"\n"), "with a final newline"),
        (BODY, hexmac(HOOK, BODY.replace(b"\n", b"\r\n")), "with CRLF"),
        (BODY.replace(b"\n", b"\r\n"), GOOD, "with LF"),
        (BODY, hexmac(HOOK, b"\xef\xbb\xbf" + BODY), "with a byte order mark"),
        (b"\xef\xbb\xbf" + BODY, GOOD, "without its byte order mark"),
        (b"  " + BODY, hexmac(HOOK, BODY.strip()), "without outer spaces"),
        (SPACED, hexmac(HOOK, COMPACT), "before it was parsed and written again"),
        (COMPACT, hexmac(HOOK, b'{"b":"https://x","a":"\xc3\xa9"}'), "before it was parsed and written again"),
        (BODY, hexmac(KEY, BODY.rstrip()), "without its final newline"),
        (BODY, "0" * 64, "no usual cause fits"),
        (b"[" * 100_000, "0" * 64, "no usual cause fits"),
        (b"\xff not json", "0" * 64, "no usual cause fits"),
        (b"1" * ((1 << 20) + 1), "0" * 64, "no usual cause fits"),
    ],
)
def test_explanations(body, tag, cause):
    """Each usual mistake is recognised, by the person who asks, from the error itself."""
    verifier = WebhookVerifier(
        HOOK, key_secret=Secret(KEY, name="key_secret"), other_mode=[Secret("tEsT" + HOOK, name="live")]
    )
    with pytest.raises(SignatureMismatch) as caught:
        verifier.verify(body, tag)

    causes = caught.value.explain()

    assert cause in causes[0]
    assert len(set(causes)) == len(causes)


@pytest.mark.parametrize(
    ("presented", "cause"),
    [
        (f"sha256={GOOD}", "not alone"),
        (f"{'0' * 64},{GOOD}".encode(), "not alone"),
        (GOOD.upper(), "upper case"),
        (base64.b64encode(RAW), "in base64"),
        (hexmac(HOOK, algorithm="sha512"), "HMAC-SHA512"),
        ("é" * 64, "no usual cause fits"),
        (GOOD * 5, "no usual cause fits"),
        ("\ud800", "no usual cause fits"),
    ],
)
def test_explanations_of_malformed_tags(presented, cause):
    """A signature that never was 64 hex digits can be explained too, for the command line."""
    diagnosis = Diagnosis(BODY, presented, [Secret(HOOK)])

    assert cause in diagnosis()[0]
    assert repr(diagnosis) == "<Diagnosis>"


def test_an_expired_secret_with_a_flaw():
    """A body that lost its newline is told though the secret's time is over."""
    with pytest.raises(SignatureMismatch) as caught:
        rotating(NOON).verify(BODY, hexmac(OLD, BODY.rstrip()))

    assert "without its final newline" in caught.value.explain()[0]


@given(st.binary(max_size=200), st.one_of(st.binary(max_size=80), st.text(max_size=80)))
def test_a_diagnosis_never_fails(body, presented):
    """Whatever came, the diagnosis answers in at least one sentence."""
    assert Diagnosis(body, presented, [Secret(HOOK)])()
