"""Who may call the emulated API, and for whom (FACTS section 1)."""

from __future__ import annotations

from base64 import b64encode

import pytest

from razorpay_hardened.emulator import Emulator, Reply, Request
from razorpay_hardened.emulator._route import Route
from razorpay_hardened.emulator._router import answer


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def get(rz: Emulator, authorization: str, account: str | None = None) -> Reply:
    headers = {"Authorization": authorization}
    if account is not None:
        headers["X-Razorpay-Account"] = account
    return rz.handle(Request("GET", "/v1/payments", "", headers))


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def test_key_and_secret(rz: Emulator) -> None:
    """The account's own key is let in, also when it names its own account."""
    own = basic(rz.key_id, rz.key_secret)
    assert get(rz, own).status == 200
    assert get(rz, own, rz.account_id).status == 200


def test_oauth_token(rz: Emulator) -> None:
    """The account's OAuth token is let in as Bearer; another one is not."""
    assert get(rz, f"Bearer {rz.access_token}").status == 200
    refused = get(rz, f"Bearer {rz.access_token}x")
    assert (refused.status, refused.json()["error"]["description"]) == (401, "Authentication failed")


def test_partner_names_the_account(rz: Emulator) -> None:
    """A partner is let in for an account that it names, and only then."""
    partner = basic(*rz.partner)
    assert get(rz, partner, rz.account_id).status == 200
    assert get(rz, partner).status == 401
    assert get(rz, partner, "acc_00000000000000").json()["error"]["description"] == "The id provided does not exist"
    assert get(rz, basic(rz.partner[0], "wrong"), rz.account_id).status == 401


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Token"])
def test_the_scheme_is_spelt_exactly(rz: Emulator, scheme: str) -> None:
    """``basic`` is not ``Basic``."""
    assert get(rz, basic(rz.key_id, rz.key_secret).replace("Basic", scheme)).status == 401


def test_a_key_without_secret_opens_public_endpoints_only(rz: Emulator) -> None:
    """The key id alone, as a browser has it, opens nothing but what is public."""
    key_only = {"Authorization": basic(rz.key_id, "")}
    public = Route("GET", "/v1/public", lambda world, call: {}, public=True)

    assert get(rz, key_only["Authorization"]).json()["error"]["description"] == "The api secret provided is invalid"
    assert answer(rz.world, Request("GET", "/v1/public", "", key_only), public, None).status == 200
    wrong = {"Authorization": basic(rz.key_id, "wrong")}
    assert answer(rz.world, Request("GET", "/v1/public", "", wrong), public, None).status == 401


def test_secrets_are_not_shown(rz: Emulator) -> None:
    """Neither the account nor the state shows a credential."""
    seen = repr(rz.world.account) + repr(rz) + repr(rz.state())
    for secret in (rz.key_secret, rz.webhook_secret, rz.access_token, rz.partner[1]):
        assert secret not in seen
