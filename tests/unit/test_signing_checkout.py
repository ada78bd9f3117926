"""Checkout tags: one key signs three kinds of message, and none may pass for another (FAULTS rule 7, section 7)."""

from __future__ import annotations

import hmac
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.errors import (
    ConfigError,
    FieldInvalid,
    IdMalformed,
    SignatureError,
    SignatureMalformed,
    SignatureMismatch,
    SignatureMissing,
)
from razorpay_hardened.signing import (
    Secret,
    VerifiedCheckout,
    sign_checkout_for_test,
    sign_payment_link_for_test,
    sign_subscription_for_test,
    verify_checkout,
    verify_payment_link,
    verify_subscription,
)

KEY = "EnLs21M47BllR3X8PSFtjtbd"
ORDER, PAYMENT = "order_9A33XWu170gUtm", "pay_29QQoUBi66xm2f"
SUBSCRIPTION, SUBSCRIPTION_PAYMENT = "sub_ID6MOhgkcoHj9I", "pay_IDZNwZZFtnjyym"
LINK = {"payment_link_id": "plink_IH3cNucfVEgV68", "reference_id": "TSsd1989", "status": "paid"}
LINK_PAYMENT = "pay_IH3d0ara9bSsjQ"


def tag_of(message: str, key: str = KEY) -> str:
    return hmac.new(key.encode(), message.encode(), "sha256").hexdigest()


def checkout(**changes):
    values = {"order_id": ORDER, "payment_id": PAYMENT, "signature": tag_of(f"{ORDER}|{PAYMENT}"), "secret": KEY}
    return verify_checkout(**{**values, **changes})


def link(**changes):
    values = {**LINK, "payment_id": LINK_PAYMENT, "secret": KEY, **changes}
    message = "|".join(
        [values["payment_link_id"], values["reference_id"] or "", str(values["status"]), values["payment_id"]]
    )
    return verify_payment_link(**{"signature": tag_of(message), **values})


# --- published vectors (FACTS section 6) ---------------------------------------------------------------------


def test_published_vectors():
    """The vectors of Razorpay's own SDK come out: order, subscription (payment first) and payment link."""
    assert sign_checkout_for_test(order_id="fake_order_id", payment_id="fake_payment_id", secret="key_secret") == (
        "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89"
    )
    subscription = "601f383334975c714c91a7d97dd723eb56520318355863dcf3821c0d07a17693"
    names = {"payment_id": SUBSCRIPTION_PAYMENT, "subscription_id": SUBSCRIPTION, "secret": KEY}
    assert sign_subscription_for_test(**names) == subscription
    assert verify_subscription(**names, signature=subscription).subscription_id == SUBSCRIPTION
    paid = "07ae18789e35093e51d0a491eb9922646f3f82773547e5b0f67ee3f2d3bf7d5b"
    assert sign_payment_link_for_test(**LINK, payment_id=LINK_PAYMENT, secret=KEY) == paid
    assert verify_payment_link(**LINK, payment_id=LINK_PAYMENT, secret=Secret(KEY), signature=paid).status == "paid"


# --- proofs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [KEY, KEY.encode(), Secret(KEY)])
def test_checkout_proof(secret):
    """The proof names order and payment, whatever form the secret and the tag have."""
    proof = checkout(secret=secret, signature=tag_of(f"{ORDER}|{PAYMENT}").encode())

    assert (proof.order_id, proof.payment_id) == (ORDER, PAYMENT)
    assert repr(proof) == f"<VerifiedCheckout {ORDER} {PAYMENT}>"


def test_subscription_proof():
    """The proof names payment and subscription."""
    message = f"{SUBSCRIPTION_PAYMENT}|{SUBSCRIPTION}"
    proof = verify_subscription(
        payment_id=SUBSCRIPTION_PAYMENT, subscription_id=SUBSCRIPTION, signature=tag_of(message), secret=KEY
    )

    assert (proof.payment_id, proof.subscription_id) == (SUBSCRIPTION_PAYMENT, SUBSCRIPTION)
    assert repr(proof) == f"<VerifiedSubscription {SUBSCRIPTION} {SUBSCRIPTION_PAYMENT}>"


@pytest.mark.parametrize("reference", ["TSsd1989", "", None, "a|b|paid", "é" * 40])
def test_payment_link_proof(reference):
    """The proof names link, reference, status and payment; an absent reference is the empty text."""
    proof = link(reference_id=reference)

    assert (proof.payment_link_id, proof.status, proof.payment_id) == (LINK["payment_link_id"], "paid", LINK_PAYMENT)
    assert proof.reference_id == (reference or "")
    assert repr(proof) == f"<VerifiedPaymentLink {LINK['payment_link_id']} paid {LINK_PAYMENT}>"


def test_only_the_room_makes_proofs():
    """A proof cannot be constructed by hand, changed or sent elsewhere."""
    with pytest.raises(TypeError):
        VerifiedCheckout(ORDER, PAYMENT)
    proof = checkout()
    with pytest.raises(AttributeError):
        proof.order_id = "order_0000000000000"
    with pytest.raises(TypeError):
        pickle.dumps(proof)


# --- refused ----------------------------------------------------------------------------------------------------------

BAD_IDS = [
    f"{PAYMENT}\n",
    f"{PAYMENT}\0",
    f" {PAYMENT}",
    "pаy_29QQoUBi66xm2f",  # a Cyrillic а
    "pay_%252e%252e",
    "pay_29QQoUBi6",
    "pay_" + "a" * 41,
    "",
    None,
    5,
    PAYMENT.encode(),
    [PAYMENT],
]


@pytest.mark.parametrize("value", [*BAD_IDS, ORDER, SUBSCRIPTION])
def test_bad_payment_ids(value):
    """An id that is not a payment's is refused before the tag is looked at."""
    with pytest.raises(IdMalformed):
        checkout(payment_id=value, signature=None)


@pytest.mark.parametrize("value", [*BAD_IDS, PAYMENT, "plink_IH3cNucfVEgV68|ref|paid"])
def test_bad_order_ids(value):
    """An id that is not an order's is refused before the tag is looked at."""
    with pytest.raises(IdMalformed):
        checkout(order_id=value, signature=None)


def test_a_tag_of_another_kind_does_not_pass():
    """A subscription's and a payment link's right tag, posted as an order's, fail by the kind of their ids."""
    subscription = sign_subscription_for_test(payment_id=PAYMENT, subscription_id=SUBSCRIPTION, secret=KEY)
    with pytest.raises(IdMalformed):
        checkout(order_id=PAYMENT, payment_id=SUBSCRIPTION, signature=subscription)
    shifted = sign_payment_link_for_test(**LINK, payment_id=LINK_PAYMENT, secret=KEY)
    with pytest.raises(IdMalformed):
        checkout(
            order_id=f"{LINK['payment_link_id']}|TSsd1989|paid", payment_id=LINK_PAYMENT, signature=shifted, secret=KEY
        )
    with pytest.raises(IdMalformed):
        checkout(order_id=PAYMENT, payment_id=ORDER, signature=tag_of(f"{PAYMENT}|{ORDER}"))


@pytest.mark.parametrize(
    ("signature", "error"),
    [
        (None, SignatureMissing),
        ("", SignatureMalformed),
        (tag_of(f"{ORDER}|{PAYMENT}").upper(), SignatureMalformed),
        (tag_of(f"{PAYMENT}|{ORDER}"), SignatureMismatch),
        (tag_of(f"{ORDER}|{PAYMENT}", "x"), SignatureMismatch),
        (tag_of(f"order_0000000000000|{PAYMENT}"), SignatureMismatch),
    ],
)
def test_bad_signatures(signature, error):
    """A missing, malformed or wrong tag has its own class; nothing more is said."""
    with pytest.raises(error) as caught:
        checkout(signature=signature)

    assert str(caught.value) == error.__doc__


@pytest.mark.parametrize("status", ["captured", "PAID", "", None, ["paid"], "paid|x"])
def test_payment_link_statuses(status):
    """Only a documented status can be part of a payment link's message."""
    with pytest.raises(FieldInvalid):
        link(status=status)


@pytest.mark.parametrize("reference", ["x" * 41, 5, b"TSsd1989", "\ud800"])
def test_payment_link_references(reference):
    """A reference is text that can be sent, of at most 40 characters (FACTS section 1)."""
    with pytest.raises(FieldInvalid):
        verify_payment_link(**{**LINK, "reference_id": reference}, payment_id=LINK_PAYMENT, signature=None, secret=KEY)


@pytest.mark.parametrize("secret", ["", b"", None])
def test_unusable_secrets(secret):
    """An empty or absent API key secret is a configuration error, though a tag made with it would match."""
    with pytest.raises(ConfigError, match="'key_secret'"):
        checkout(secret=secret, signature=tag_of(f"{ORDER}|{PAYMENT}", ""))


ANYTHING = st.one_of(st.none(), st.text(), st.binary(), st.integers(), st.just(PAYMENT), st.just(ORDER))


@given(ANYTHING, ANYTHING, st.one_of(ANYTHING, st.text("0123456789abcdef", min_size=64, max_size=64)))
def test_hostile_forms_have_a_typed_end(order, payment, signature):
    """Whatever a browser posts ends in one of our errors (FAULTS P8)."""
    with pytest.raises((SignatureError, IdMalformed)):
        verify_checkout(order_id=order, payment_id=payment, signature=signature, secret=KEY)


REFERENCES = st.text("abc|_ paidorderpaycreated", max_size=40)
STATUSES = st.sampled_from(["paid", "created", "expired", "cancelled", "partially_paid"])


@given(REFERENCES, STATUSES, REFERENCES, STATUSES)
def test_payment_link_messages_are_unambiguous(reference, status, other_reference, other_status):
    """Two different payment-link answers never share a tag, though the reference may hold the separator."""
    first = sign_payment_link_for_test(
        **{**LINK, "reference_id": reference, "status": status}, payment_id=LINK_PAYMENT, secret=KEY
    )
    second = sign_payment_link_for_test(
        **{**LINK, "reference_id": other_reference, "status": other_status}, payment_id=LINK_PAYMENT, secret=KEY
    )

    assert (first == second) == ((reference, status) == (other_reference, other_status))


def test_a_mismatch_explains_itself():
    """The diagnosis knows the usual mistakes here too, and shows neither secret nor tag."""
    with pytest.raises(SignatureMismatch) as caught:
        checkout(signature=tag_of(f"{ORDER}|{PAYMENT}", KEY + "\n"))

    (cause,) = caught.value.explain()
    assert cause == "signed with the secret with a trailing newline"


@pytest.mark.parametrize("verify", [checkout, link])
def test_no_secret_in_a_traceback_with_locals(verify):
    """A crash reporter that records the locals of our frames finds no secret in them."""
    try:
        verify(signature="0" * 64)
    except SignatureMismatch as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [str(frame.locals) for frame in report.stack if "razorpay_hardened" in frame.filename]

    assert len(ours) == 2
    assert not any(KEY in text for text in ours)
