"""Linked accounts, their stakeholders and products through the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_fakes import collection, refusal, rig
from razorpay_hardened.client import Client
from razorpay_hardened.errors import ApiBadRequest, FieldInvalid, IdMalformed, OutcomeUnknown
from support.billing import Case, ids, refuses, rejects, tried
from support.moving import ACCOUNT_ID, PRODUCT_ID, STAKEHOLDER_ID, account, product, stakeholder

ACCOUNTS = f"/v2/accounts/{ACCOUNT_ID}"
STAKEHOLDER = f"{ACCOUNTS}/stakeholders/{STAKEHOLDER_ID}"
PRODUCT = f"{ACCOUNTS}/products/{PRODUCT_ID}"
BANK = {"account_number": "1234567890", "ifsc_code": "HDFC0000317", "beneficiary_name": "Gauri Kumar"}
NEEDED: dict[str, Any] = {
    "email": "g@example.com",
    "phone": "9123456780",
    "legal_business_name": "Acme Corp",
    "business_type": "partnership",
}
MORE: dict[str, Any] = {
    "type": "route",
    "contact_name": "Gauri Kumar",
    "customer_facing_business_name": "Acme",
    "reference_id": "shop-7",
    "profile": {"category": "healthcare", "subcategory": "clinic", "addresses": {"registered": {"country": "IN"}}},
    "legal_info": {"pan": "AAACL1234C"},
    "contact_info": {"refund": {"email": "r@example.com"}},
    "apps": {"websites": ["https://shop.example"]},
    "brand": {"color": "FFFFFF"},
    "notes": {"shop": "7"},
}
PERSON: dict[str, Any] = {
    "name": "Gauri",
    "email": "g@example.com",
    "percentage_ownership": 12.5,
    "relationship": {"director": True},
    "phone": {"primary": "9123456780"},
    "addresses": {"residential": {"city": "Bengaluru"}},
    "kyc": {"pan": "AVOPB1111K"},
    "notes": {"shop": "n" * 512},
}
PROOFS = {"business_proof_of_identification": [{"type": "gst_certificate", "url": "https://rzp.io/i/bzDKbNg"}]}


def proofs(found: Any) -> Any:
    return [proof.type for proof in found.business_proof_of_identification]


CASES = {
    "create": Case(
        lambda client: client.accounts.create(**NEEDED).id, "POST /v2/accounts", NEEDED, account(), ACCOUNT_ID
    ),
    "create with everything": Case(
        lambda client: client.accounts.create(**NEEDED, **MORE, extra={"dashboard_access": True}).reference_id,
        "POST /v2/accounts",
        {**NEEDED, **MORE, "dashboard_access": True},
        account(),
        "shop-7",
    ),
    "fetch": Case(lambda client: client.accounts.fetch(ACCOUNT_ID).status, f"GET {ACCOUNTS}", {}, account(), "created"),
    "edit": Case(
        lambda client: client.accounts.edit(ACCOUNT_ID, phone=9123456780, brand={"color": "0"}).id,
        f"PATCH {ACCOUNTS}",
        {"phone": "9123456780", "brand": {"color": "0"}},
        account(),
        ACCOUNT_ID,
    ),
    "delete": Case(
        lambda client: client.accounts.delete(ACCOUNT_ID).status,
        f"DELETE {ACCOUNTS}",
        {},
        account(status="suspended"),
        "suspended",
    ),
    "documents": Case(
        lambda client: proofs(client.accounts.documents(ACCOUNT_ID)),
        f"GET {ACCOUNTS}/documents",
        {},
        PROOFS,
        ["gst_certificate"],
    ),
    "stakeholder": Case(
        lambda client: client.stakeholders.create(ACCOUNT_ID, **PERSON, extra={"pep": False}).id,
        f"POST {ACCOUNTS}/stakeholders",
        {**PERSON, "pep": False},
        stakeholder(),
        STAKEHOLDER_ID,
    ),
    "fetch stakeholder": Case(
        lambda client: client.stakeholders.fetch(ACCOUNT_ID, STAKEHOLDER_ID).name,
        f"GET {STAKEHOLDER}",
        {},
        stakeholder(),
        "Gauri",
    ),
    "a stakeholder's id without its prefix": Case(
        lambda client: client.stakeholders.fetch(ACCOUNT_ID, "GZ13yPHLJof9IE").id,
        f"GET {ACCOUNTS}/stakeholders/GZ13yPHLJof9IE",
        {},
        stakeholder(id="GZ13yPHLJof9IE"),
        "GZ13yPHLJof9IE",
    ),
    "list stakeholders": Case(
        lambda client: ids(client.stakeholders.list(ACCOUNT_ID)),
        f"GET {ACCOUNTS}/stakeholders",
        {},
        collection(stakeholder()),
        [STAKEHOLDER_ID],
    ),
    "edit stakeholder": Case(
        lambda client: client.stakeholders.edit(ACCOUNT_ID, STAKEHOLDER_ID, name="Gaurav", email="g@example.com").id,
        f"PATCH {STAKEHOLDER}",
        {"name": "Gaurav", "email": "g@example.com"},
        stakeholder(name="Gaurav"),
        STAKEHOLDER_ID,
    ),
    "a stakeholder's documents": Case(
        lambda client: proofs(client.stakeholders.documents(ACCOUNT_ID, STAKEHOLDER_ID)),
        f"GET {STAKEHOLDER}/documents",
        {},
        PROOFS,
        ["gst_certificate"],
    ),
    "request product": Case(
        lambda client: client.products.request(ACCOUNT_ID, product_name="route", tnc_accepted=True).id,
        f"POST {ACCOUNTS}/products",
        {"product_name": "route", "tnc_accepted": True},
        product(),
        PRODUCT_ID,
    ),
    "fetch product": Case(
        lambda client: client.products.fetch(ACCOUNT_ID, PRODUCT_ID).activation_status,
        f"GET {PRODUCT}",
        {},
        product(),
        "requested",
    ),
    "edit product": Case(
        lambda client: client.products.edit(ACCOUNT_ID, PRODUCT_ID, settlements=BANK, extra={"ip": "10.0.0.1"}).id,
        f"PATCH {PRODUCT}",
        {"settlements": BANK, "ip": "10.0.0.1"},
        {"requested_configuration": [], "active_configuration": {"settlements": BANK}},
        None,  # an answer to a change may have no id
    ),
    "terms": Case(
        lambda client: client.products.terms("payments").tnc,
        "GET /v2/products/payments/tnc",
        {},
        {"entity": "tnc_map", "id": "tnc_map_HjOVhIdpVDZ0FB", "tnc": {"terms": "https://razorpay.com/terms"}},
        {"terms": "https://razorpay.com/terms"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_one_documented_request(name: str) -> None:
    """Path and fields are Razorpay's, and the answer is typed."""
    tried(CASES[name])


def create(client: Client, **changes: Any) -> Any:
    return client.accounts.create(**{**NEEDED, **changes})


def person(client: Client, **changes: Any) -> Any:
    return client.stakeholders.create(ACCOUNT_ID, **{"email": "g@example.com", **changes})


def settle_to(client: Client, **changes: Any) -> Any:
    return client.products.edit(ACCOUNT_ID, PRODUCT_ID, settlements={**BANK, **changes})


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: create(client, email=""), FieldInvalid),
        (lambda client: create(client, email=None), FieldInvalid),
        (lambda client: create(client, phone="1234567"), FieldInvalid),
        (lambda client: create(client, phone="+91 91234 56780"), FieldInvalid),
        (lambda client: create(client, phone=9.1e9), FieldInvalid),
        (lambda client: create(client, legal_business_name="Abc"), FieldInvalid),
        (lambda client: create(client, business_type=None), FieldInvalid),
        (lambda client: create(client, reference_id="r" * 513), FieldInvalid),
        (lambda client: create(client, profile="healthcare"), FieldInvalid),
        (lambda client: create(client, profile={"x": float("nan")}), FieldInvalid),
        (lambda client: create(client, notes={"a": 1}), FieldInvalid),
        (lambda client: create(client, extra={"type": "route"}), FieldInvalid),
        (lambda client: client.accounts.fetch("GRWKk7qQsLnDjX"), IdMalformed),
        (lambda client: client.accounts.edit(ACCOUNT_ID), FieldInvalid),
        (lambda client: client.accounts.edit(ACCOUNT_ID, extra={"brand": {}}), FieldInvalid),
        (lambda client: client.accounts.delete("x"), IdMalformed),
        (lambda client: client.accounts.documents("x"), IdMalformed),
        (lambda client: client.stakeholders.create(ACCOUNT_ID), FieldInvalid),
        (lambda client: person(client, percentage_ownership=101), FieldInvalid),
        (lambda client: person(client, percentage_ownership=float("nan")), FieldInvalid),
        (lambda client: person(client, percentage_ownership=True), FieldInvalid),
        (lambda client: person(client, notes={"a": "n" * 513}), FieldInvalid),
        (lambda client: person(client, kyc="AVOPB1111K"), FieldInvalid),
        (lambda client: client.stakeholders.fetch(ACCOUNT_ID, "sth_x"), IdMalformed),
        (lambda client: client.stakeholders.fetch(ACCOUNT_ID, "../products/x"), IdMalformed),
        (lambda client: client.stakeholders.fetch(STAKEHOLDER_ID, STAKEHOLDER_ID), IdMalformed),
        (lambda client: client.stakeholders.list("x"), IdMalformed),
        (lambda client: client.stakeholders.edit(ACCOUNT_ID, STAKEHOLDER_ID), FieldInvalid),
        (lambda client: client.products.request(ACCOUNT_ID, product_name=""), FieldInvalid),
        (lambda client: client.products.request(ACCOUNT_ID, product_name="route", tnc_accepted=1), FieldInvalid),
        (lambda client: client.products.fetch(ACCOUNT_ID, ACCOUNT_ID), IdMalformed),
        (lambda client: client.products.edit(ACCOUNT_ID, PRODUCT_ID), FieldInvalid),
        (lambda client: settle_to(client, account_number="1234"), FieldInvalid),
        (lambda client: settle_to(client, account_number="1" * 21), FieldInvalid),
        (lambda client: settle_to(client, account_number=12345.0), FieldInvalid),
        (lambda client: settle_to(client, ifsc_code="HDFC"), FieldInvalid),
        (lambda client: client.products.terms("../accounts"), FieldInvalid),
        (lambda client: client.products.terms(""), FieldInvalid),
    ],
)
def test_bad_input_never_leaves(call: Callable[[Client], Any], error: type[Exception]) -> None:
    """What Razorpay documents about a field is checked first; where money is settled to, twice."""
    refuses(call, error)


@pytest.mark.parametrize(
    ("call", "answer", "field"),
    [
        (lambda client: create(client, reference_id="shop-8"), account(), "reference_id"),
        (lambda client: client.accounts.fetch(ACCOUNT_ID), account(id="acc_X"), "id"),
        (lambda client: client.accounts.edit(ACCOUNT_ID, phone="9123456780"), account(id="acc_X"), "id"),
        (lambda client: client.accounts.delete(ACCOUNT_ID), account(id="acc_X", status="suspended"), "id"),
        (lambda client: client.stakeholders.fetch(ACCOUNT_ID, STAKEHOLDER_ID), stakeholder(id="sth_X"), "id"),
        (lambda client: client.stakeholders.edit(ACCOUNT_ID, STAKEHOLDER_ID, name="G"), stakeholder(id="X"), "id"),
        (lambda client: client.products.fetch(ACCOUNT_ID, PRODUCT_ID), product(id="acc_prd_X"), "id"),
        (lambda client: client.products.fetch(ACCOUNT_ID, PRODUCT_ID), product(account_id="acc_X"), "account_id"),
    ],
)
def test_an_answer_about_something_else_is_an_error(call: Callable[[Client], Any], answer: Any, field: str) -> None:
    """Nobody reads another merchant's data for his own."""
    rejects(call, answer, field)


@pytest.mark.parametrize("first", [requests.ReadTimeout, (400, refusal("Linked account does not exist")), account()])
def test_suspended_already_counts_as_deleted(first: Any) -> None:
    """A lost answer, a refusal, and a success that is none are settled by the account's own status."""
    client, session, *_ = rig(first, account(status="suspended"))

    assert client.accounts.delete(ACCOUNT_ID).status == "suspended"

    assert session.lines == [f"DELETE {ACCOUNTS}", f"GET {ACCOUNTS}"]


@pytest.mark.parametrize(
    ("found", "settled"),
    [
        ({"active_configuration": {"settlements": BANK}}, True),
        ({"active_configuration": {"settlements": {**BANK, "account_number": 1234567890}}}, True),
        ({"requested_configuration": {"settlements": BANK}}, True),
        ({"active_configuration": {"settlements": {**BANK, "account_number": "9999999999"}}}, False),
        ({"active_configuration": {"settlements": dict.fromkeys(BANK)}}, False),
        ({"active_configuration": {"settlements": BANK}, "tnc": {"accepted": False}}, False),
        ({"active_configuration": []}, False),
    ],
)
def test_only_this_bank_account_settles_a_doubt(found: dict[str, Any], settled: bool) -> None:
    """A complete set-up is locked, so it cannot simply be sent again; another's bank account is not what was sent."""
    locked = (400, refusal("Merchant activation form has been locked for editing by admin."))
    seen = product(**{"tnc": {"accepted": True}, **found})
    client, session, *_ = rig(requests.ReadTimeout, seen, locked, seen)

    if settled:
        assert client.products.edit(ACCOUNT_ID, PRODUCT_ID, settlements=BANK, tnc_accepted=True).id == PRODUCT_ID
        assert [sent.method for sent in session.sent] == ["PATCH", "GET"]
    else:
        with pytest.raises(OutcomeUnknown):
            client.products.edit(ACCOUNT_ID, PRODUCT_ID, settlements=BANK, tnc_accepted=True)


def test_a_locked_set_up_is_a_refusal() -> None:
    """Without a doubt there is nothing to look at."""
    client, session, *_ = rig((400, refusal("Merchant activation form has been locked for editing by admin.")))

    with pytest.raises(ApiBadRequest):
        client.products.edit(ACCOUNT_ID, PRODUCT_ID, settlements=BANK)

    assert len(session.sent) == 1
