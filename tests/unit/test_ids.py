"""Ids: one strict form per kind, checked before an id reaches a URL, a tag or a query (FAULTS rule 7)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from razorpay_hardened.domain import ids
from razorpay_hardened.errors import FieldInvalid, IdMalformed

PAYMENT = "pay_29QQoUBi66xm2f"
KINDS = sorted(ids.PREFIXES)
CHECKS = {
    "order": ids.order_id,
    "payment": ids.payment_id,
    "refund": ids.refund_id,
    "subscription": ids.subscription_id,
    "payment_link": ids.payment_link_id,
}


class Text(str):
    """A str whose subclass could say anything later."""


BAD = {
    "path": "pay_x/../refunds",
    "relative path": "../refunds",
    "escaped path": "pay_x%2f..%2frefunds",
    "path parameter": f"{PAYMENT};v=1",
    "empty": "",
    "leading space": f" {PAYMENT}",
    "trailing newline": f"{PAYMENT}\n",
    "NUL": f"{PAYMENT}\0",
    "9 characters": "pay_" + "a" * 9,
    "41 characters": "pay_" + "a" * 41,
    "order id": "order_9A33XWu170gUtm",
    "Devanagari digits": "pay_२९२९२९२९२९२९२९",
    "Cyrillic letter": "pаy_29QQoUBi66xm2f",
    "URL": "http://evil.example/pay_x",
    "host": "//evil.example/x",
    "user part": "@evil.example",
    "port": ":80@evil.example",
    "full-width slash": "pay_／..／refunds",
    "10 kB": "pay_" + "a" * 10_000,
    "upper-case prefix": "PAY_29QQoUBi66xm2f",
    "underscore": "pay_29QQoUBi_6xm2f",
    "hyphen": "pay_29QQoUBi-6xm2f",
    "prefix of a webhook sample": "rzp_pay_TEST29QQoUBi66",
    "two ids": f"{PAYMENT}|{PAYMENT}",
    "bytes": PAYMENT.encode(),
    "None": None,
    "int": 5,
    "list": [PAYMENT],
    "subclass of str": Text(PAYMENT),
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_bad_ids(value):
    """Everything else than the exact form is refused, in a sentence that says what is due and never echoes it."""
    with pytest.raises(IdMalformed) as caught:
        ids.payment_id(value)

    assert isinstance(caught.value, FieldInvalid)
    assert str(caught.value) == "this must be a Razorpay payment id: 'pay_' and 10 to 40 letters and digits"
    assert not ids.is_id("payment", value)


@pytest.mark.parametrize("length", [10, 14, 40])
def test_good_ids(length):
    """Ten to forty letters and digits after the kind's prefix are an id of that kind, and of no other."""
    values = {kind: f"{ids.PREFIXES[kind]}_{'aZ09' * 10}"[: len(ids.PREFIXES[kind]) + 1 + length] for kind in KINDS}

    assert [kind for kind, value in values.items() if ids.check_id(kind, value) is not value] == []
    accepting = {kind: [other for other in KINDS if ids.is_id(other, value)] for kind, value in values.items()}
    assert accepting == {kind: [kind] for kind in KINDS}


@pytest.mark.parametrize(("kind", "check"), CHECKS.items())
def test_typed_checks(kind, check):
    """Each typed check takes its own kind and refuses every other."""
    own = f"{ids.PREFIXES[kind]}_29QQoUBi66xm2f"

    assert check(own) == own
    for other in set(KINDS) - {kind}:
        with pytest.raises(IdMalformed, match=kind.replace("_", " ")):
            check(f"{ids.PREFIXES[other]}_29QQoUBi66xm2f")


@given(st.one_of(st.text(), st.from_regex(r"pay_\w{10,40}", fullmatch=True), st.binary(), st.integers(), st.none()))
def test_the_form_is_ascii_to_the_last_character(value):
    """For any object: it is an id exactly if its whole text is ASCII letters and digits after the prefix."""
    expected = isinstance(value, str) and bool(re.match(r"pay_[0-9A-Za-z]{10,40}\Z", value))

    assert ids.is_id("payment", value) is expected


def test_prefixes_are_distinct():
    """No kind's prefix begins another's, unless an underscore follows, which no id has: an id has one kind."""
    prefixes = [f"{prefix}_" for prefix in ids.PREFIXES.values()]

    assert len(set(prefixes)) == len(prefixes)
    assert not any(a != b and a.startswith(b) and "_" not in a[len(b) :] for a in prefixes for b in prefixes)


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        ("webhook", "HK890egfiItP3H", True),
        ("webhook", "a" * 9, False),
        ("webhook", "a" * 41, False),
        ("webhook", "acc_29QQoUBi66xm2f", False),
        ("webhook", "../orders/order", False),
        ("stakeholder", "sth_GLGgm8fFCKc92m", True),
        ("stakeholder", "GZ13yPHLJof9IE", True),
        ("stakeholder", "acc_29QQoUBi66xm2f", False),
        ("stakeholder", "sth_sth_GLGgm8fFCKc92m", False),
        ("stakeholder", "sth_", False),
        ("payment", "29QQoUBi66xm2f", False),
    ],
)
def test_some_ids_have_no_prefix(kind, value, good):
    """A webhook's never, a stakeholder's at times; what is left is as strict as ever."""
    assert ids.is_id(kind, value) is good
    if not good:
        with pytest.raises(IdMalformed, match="10 to 40 letters and digits"):
            ids.check_id(kind, value)
