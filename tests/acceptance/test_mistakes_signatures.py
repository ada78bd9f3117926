"""What users of other libraries complain of: signatures.

Each test shows the complaint in as few lines as it takes, and then what happens here instead.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
import razorpay as official_sdk

from razorpay_hardened import (
    Money,
    Razorpay,
    Secret,
    Settings,
    WebhookVerifier,
    errors,
    verify_subscription,
    verify_webhook,
    web,
)
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signals import EventRejected
from razorpay_hardened.testing.plugin import Deliver, SignedWebhooks

_PRICE = Money.inr(499)
SECRET = "whsec-0123456789-abcdef"


def hmac_hex(message: bytes, secret: str) -> str:
    """What every hand-written check computes."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def rejected(razorpay: Razorpay) -> list[str]:
    """The reasons of refusals, as they are announced."""
    reasons: list[str] = []
    razorpay.signals.subscribe(lambda signal: reasons.append(signal.reason), EventRejected)
    return reasons


@pytest.mark.parametrize(
    "raw",
    [
        '{"event":"invoice.paid","payload":{"invoice":{"entity":{"description":"चाय ₹20"}}}}'.encode(),
        rb'{"event":"payment.captured","payload":{"url":"https:\/\/example.com\/"}}',
        b'{"event": "payment.captured", "payload": {}}',
    ],
    ids=["other alphabets", "escaped slashes", "spaces"],
)
def test_a_body_that_was_parsed_and_written_again_does_not_match(raw: bytes) -> None:
    """Complaint 1: "does not match although everything looks right". Here only raw bytes are taken, and what was
    written again is told to be just that."""
    tag = hmac_hex(raw, SECRET)
    again = json.dumps(json.loads(raw), separators=(",", ":")).encode()
    assert hmac_hex(again, SECRET) != tag

    assert verify_webhook(raw, tag, secret=SECRET).raw == raw
    with pytest.raises(errors.RawBodyRequired):
        verify_webhook(json.loads(raw), tag, secret=SECRET)
    with pytest.raises(errors.SignatureMismatch) as caught:
        verify_webhook(again, tag, secret=SECRET)
    assert any("parsed and written again" in cause for cause in caught.value.explain())


def test_a_wrong_secret_looks_like_a_wrong_body(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Complaint 1: the API key's secret in place of the webhook's gives "false", and no more. Here it is named to who
    asks, and to nobody who sends."""
    raw = b'{"event":"payment.captured"}'
    verifier = WebhookVerifier(SECRET, key_secret=Secret(razorpay_emulator.key_secret, name="key_secret"))
    with pytest.raises(errors.SignatureMismatch) as caught:
        verifier.verify(raw, hmac_hex(raw, razorpay_emulator.key_secret))
    assert caught.value.explain() == ("signed with the API key secret: a webhook has a secret of its own",)

    headers: list[dict[str, str]] = [
        {},
        {"X-Razorpay-Signature": "no hex"},
        {"X-Razorpay-Signature": hmac_hex(raw, razorpay_emulator.key_secret)},
        {"X-Razorpay-Signature": hmac_hex(raw + b"\n", razorpay_emulator.webhook_secret)},
    ]
    answers = [razorpay.webhooks.handle(web.Request("POST", one, raw)) for one in headers]
    assert {(one.status, one.body) for one in answers} == {(401, b"")}


def test_bytes_are_refused_and_text_is_taken() -> None:
    """Complaint 2: the official SDK raises ``TypeError: encoding without a string argument`` for the bytes that a web
    framework hands over. Here bytes are what is taken; text is refused with a sentence that says why."""
    raw = b'{"event":"payment.captured"}'
    tag = hmac_hex(raw, SECRET)
    sdk = official_sdk.Client(auth=("rzp_test_1DP5mmOlF5G5ag", "thisisnotthekey"))
    with pytest.raises(TypeError, match="encoding without a string argument"):
        sdk.utility.verify_webhook_signature(raw, tag, SECRET)

    assert verify_webhook(raw, tag, secret=SECRET).raw == raw
    text: Any = raw.decode()
    with pytest.raises(errors.RawBodyRequired, match="raw bytes"):
        verify_webhook(text, tag, secret=SECRET)


def test_a_missing_signature_is_a_crash_or_a_mismatch(razorpay: Razorpay) -> None:
    """Complaint 3: no header in test mode, because the dashboard's webhook has no secret. ``compare_digest`` crashes on
    None, so that the answer is 500; here it is 401, and the reason is one of its own."""
    raw = b'{"event":"payment.captured"}'
    missing: Any = {}
    with pytest.raises(TypeError):
        hmac.compare_digest(hmac_hex(raw, SECRET), missing.get("X-Razorpay-Signature"))

    reasons = rejected(razorpay)
    assert razorpay.webhooks.handle(web.Request("POST", missing, raw)).status == 401
    assert razorpay.webhooks.handle(web.Request("POST", {"X-Razorpay-Signature": "0" * 64}, raw)).status == 401
    assert reasons == ["SignatureMissing", "SignatureMismatch"]


def test_a_subscription_is_checked_like_an_order() -> None:
    """Complaint 17: the form has no ``razorpay_order_id``, and the payment comes first in what is signed. Here each of
    the three kinds has a verifier of its own, which takes its fields by name."""
    payment, subscription, secret = "pay_00000000000001", "sub_00000000000001", "thisisnotthekey-9f8e7d"
    tag = hmac_hex(f"{payment}|{subscription}".encode(), secret)
    form = {"razorpay_payment_id": payment, "razorpay_subscription_id": subscription, "razorpay_signature": tag}
    with pytest.raises(KeyError, match="razorpay_order_id"):
        form["razorpay_order_id"]
    assert hmac_hex(f"{subscription}|{payment}".encode(), secret) != tag

    proof = verify_subscription(payment_id=payment, subscription_id=subscription, signature=tag, secret=secret)
    assert (proof.payment_id, proof.subscription_id) == (payment, subscription)
    with pytest.raises(errors.IdMalformed):  # the other way round does not even begin
        verify_subscription(payment_id=subscription, subscription_id=payment, signature=tag, secret=secret)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"RAZORPAY_ENV": "live"}, "RAZORPAY_ENV"),
        ({"RAZORPAY_KEY_ID": "rzp_test_1DP5mmOlF5G5ag "}, "RAZORPAY_KEY_ID"),
        ({"RAZORPAY_WEBHOOK_SECRET": f"{SECRET}\n"}, "RAZORPAY_WEBHOOK_SECRET"),
    ],
)
def test_a_test_key_in_live_mode_and_a_space_after_a_key(wrong: dict[str, str], named: str) -> None:
    """Complaint 25: "Authentication failed", and signatures that never match, found at the first customer. Here the
    start fails, and names the variable."""
    environ = {
        "RAZORPAY_KEY_ID": "rzp_test_1DP5mmOlF5G5ag",
        "RAZORPAY_KEY_SECRET": "thisisnotthekey-9f8e7d",
        "RAZORPAY_WEBHOOK_SECRET": SECRET,
    }
    assert hmac_hex(b"{}", f"{SECRET}\n") != hmac_hex(b"{}", SECRET)

    Settings.from_env(environ)
    with pytest.raises(errors.ConfigError, match=named) as caught:
        Settings.from_env(environ | wrong)
    assert SECRET not in str(caught.value)


def test_a_rotated_secret_rejects_what_is_on_its_way(razorpay: Razorpay, razorpay_emulator: Emulator) -> None:
    """Several signing secrets: with the new one alone, retries of older events are refused until the webhook is
    switched off. Here the old one counts until its time is over, and not a second longer."""
    old, new = razorpay_emulator.webhook_secret, "whsec-the-new-one-2026"
    razorpay_emulator.pay(razorpay.checkout.start(owner="user:7", amount=_PRICE).order_id)
    razorpay_emulator.rotate_webhook_secret(new)
    late = razorpay_emulator.deliver.pending()[0]
    assert hmac_hex(late.body, new) != late.headers["X-Razorpay-Signature"]

    until = razorpay.clock.now().replace(microsecond=0)
    environ = {
        "RAZORPAY_KEY_ID": razorpay_emulator.key_id,
        "RAZORPAY_KEY_SECRET": razorpay_emulator.key_secret,
        "RAZORPAY_WEBHOOK_SECRET": new,
        "RAZORPAY_WEBHOOK_SECRET_PREVIOUS": old,
        "RAZORPAY_WEBHOOK_SECRET_PREVIOUS_UNTIL": f"{until.year + 1}-01-01T00:00:00Z",
    }
    both = Razorpay.from_env(environ, store=razorpay.store, client=razorpay.client, clock=razorpay.clock)
    reasons = rejected(both)
    deliver = Deliver(razorpay_emulator, both)
    assert {one.status for one in deliver()} == {200}
    razorpay_emulator.clock.advance(366 * 86_400)
    assert both.webhooks.handle(web.Request("POST", late.headers, late.body)).status == 401
    assert reasons == ["SignatureMismatch"]


def test_the_secret_of_the_other_listener(signed_webhook: SignedWebhooks) -> None:
    """Local trouble: what is forwarded to one's desk is signed with the secret of the other mode's webhook, and only
    "mismatch" is said. Here who asks is told which secret it was."""
    live, test = SECRET, "whsec-of-the-test-mode"
    delivery = signed_webhook("payment.captured", secret=test)
    assert hmac_hex(delivery.body, live) != delivery.headers["X-Razorpay-Signature"]

    verifier = WebhookVerifier(live, other_mode=[Secret(test, name="test")])
    with pytest.raises(errors.SignatureMismatch) as caught:
        verifier.verify(delivery.body, delivery.headers)
    assert any("other mode's secret" in cause for cause in caught.value.explain())
    assert test not in " ".join(caught.value.explain())
