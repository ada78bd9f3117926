"""The page on outages says of every milestone whether a listing proves it, as the law has it."""

from __future__ import annotations

import re

from docs.pages import ROOT
from razorpay_hardened.domain.kinds import EVENTS, LIVES, Once, Told
from razorpay_hardened.reconcile.others import RESOURCES

TEXT = (ROOT / "docs" / "explanation" / "recovery.md").read_text("utf-8")
BY_PAYMENT = {
    "subscription.charged": "by its paid invoice",
    "payment_link.partially_paid": "by its payments, while it is so",
    "qr_code.credited": "by its captured payments",
    "virtual_account.credited": "by its captured payments",
}


def proof(told: Told) -> str:
    """What the table must say."""
    if told.milestone in BY_PAYMENT:
        return BY_PAYMENT[told.milestone]
    if told.once not in (Once.EVER, Once.PHASE):
        return "no"
    life = LIVES[told.part]
    return "yes" if told.first_sight or life.is_end(told.status or "") else "while it is so"


def test_what_a_listing_proves_is_told() -> None:
    """Every milestone of every kind that a recovery lists, in the order of the law, and no other."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", TEXT.partition("## What a listing proves")[2], re.M)
    assert rows == [(told.milestone, proof(told)) for told in EVENTS.values() if told.part in RESOURCES]
