"""Partners' endpoints, fund accounts, IINs and devices of the emulator: what they refuse, and the corners."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator
from support.emulator_api import DAY_S, Api, account

NOWHERE = "acc_29QQoUBi66xm2f"
NO_ACCOUNT = "Linked account does not exist"
DEVICE_MODE = {"X-Razorpay-Device-Mode": "wireless"}


@pytest.fixture
def api() -> Api:
    return Api(Emulator(in_process=True))


@pytest.fixture
def base(api: Api) -> str:
    return f"/v2/accounts/{account(api)}"


# --- accounts and what belongs to them ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/documents"),
        ("POST", "/documents"),
        ("GET", "/stakeholders"),
        ("POST", "/stakeholders"),
        ("GET", "/stakeholders/sth_29QQoUBi66xm2f"),
        ("GET", "/stakeholders/sth_29QQoUBi66xm2f/documents"),
        ("POST", "/products"),
        ("GET", "/products/acc_prd_29QQoUBi66xm2f"),
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
    ],
)
def test_an_unknown_account_is_refused_everywhere(api: Api, method: str, path: str) -> None:
    """With the reason that the pages print, and with empty source and step."""
    reply = api.rz.request(method, f"/v2/accounts/{NOWHERE}{path}")
    error = reply.json()["error"]

    assert (reply.status, error["description"]) == (400, NO_ACCOUNT)
    assert (error["reason"], error["source"], error["step"]) == ("linked_account_id_does_not_exist", "", "")


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/stakeholders", {"name": "Gaurav"}, "The email field is required"),
        ("/stakeholders", {"email": "g@example.com", "age": 3}, "age is/are not required and should not be sent"),
        ("/stakeholders", {"email": "g@example.com", "percentage_ownership": 101}, "between 0 and 100"),
        ("/stakeholders", {"email": "g@example.com", "percentage_ownership": True}, "between 0 and 100"),
        ("/stakeholders", {"email": "g@example.com", "phone": {"primary": "12"}}, "between 8 and 11 digits"),
        ("/stakeholders", {"email": "g@example.com", "phone": {"home": "1"}}, "home is/are not required"),
        ("/stakeholders", {"email": "g@example.com", "addresses": {"residential": {"street": "short"}}}, "at least 10"),
        ("/products", {"product_name": "capital"}, "The product requested is invalid."),
        ("/products", {"product_name": "route", "tnc_accepted": False}, "The selected tnc accepted is invalid."),
        ("/products", {"product_name": "route", "colour": "red"}, "colour is/are not required"),
        ("/documents", {"document_type": "gst_certificate"}, "The file field is required"),
        ("/webhooks", {"events": ["order.paid"]}, "The url field is required"),
        ("/webhooks", {"url": "ftp://example.com"}, "must begin with http"),
        ("/webhooks", {"url": "https://example.com", "events": ["paid"]}, "The selected events is invalid"),
        ("/webhooks", {"url": "https://example.com", "colour": "red"}, "colour is/are not required"),
        ("/webhooks", {"url": f"https://example.com/{'x' * 255}"}, "may not be greater than 255"),
    ],
)
def test_a_bad_request_is_refused(api: Api, base: str, path: str, body: dict[str, Any], text: str) -> None:
    """Nothing is made of it."""
    assert text in api.refused("POST", base + path, body)
    assert [hook.name for hook in api.rz.deliver.webhooks] == ["main"]
    assert not api.rz.world.table("stakeholder")
    assert not api.rz.world.table("merchant_product")


def test_the_type_of_business_is_one_of_those_listed(api: Api) -> None:
    """And it cannot be changed afterwards, nor can the e-mail."""
    here = f"/v2/accounts/{account(api)}"
    body = {"email": "x@example.com", "phone": "9000090000", "legal_business_name": "Acme", "contact_name": "Gaurav"}

    assert api.refused("POST", "/v2/accounts", {**body, "business_type": "xyz"}) == "Invalid business type: xyz"
    assert "business_type is/are not required" in api.refused("PATCH", here, {"business_type": "llp"})
    assert "email is/are not required" in api.refused("PATCH", here, {"email": "y@example.com"})


def test_a_suspended_account_takes_no_money(api: Api, base: str) -> None:
    """To delete it twice changes nothing; nothing about it can be changed."""
    first = api.send("DELETE", base)
    api.rz.clock.advance(60)
    share = {"account": base.rpartition("/")[2], "amount": 1000, "currency": "INR"}

    assert api.send("DELETE", base) == first == api.get(base)
    assert "suspended" in api.refused("POST", "/orders", {"amount": 5000, "currency": "INR", "transfers": [share]})
    for path, body in (("/stakeholders", {"email": "g@example.com"}), ("/products", {"product_name": "route"})):
        assert "locked for editing" in api.refused("POST", base + path, body)


def test_a_stakeholder_belongs_to_one_account(api: Api, base: str) -> None:
    """Another account's does not exist; a partner's account may have several, each with a name."""
    mine = api.post(f"{base}/stakeholders", {"email": "g@example.com"})["id"]
    other = f"/v2/accounts/{account(api, 'other@example.com')}"

    assert api.refused("GET", f"{other}/stakeholders/{mine}") == "The id provided does not exist."
    assert api.get(f"{other}/stakeholders")["items"] == []
    body = {"email": "p@example.com", "phone": "9000090000", "legal_business_name": "Acme", "contact_name": "Gaurav"}
    partner = api.post("/v2/accounts", {**body, "type": "standard", "business_type": "llp"})["id"]
    for name in ("Gaurav", "Gauri"):
        api.post(f"/v2/accounts/{partner}/stakeholders", {"name": name})
    assert "The name field is required" in api.refused("POST", f"/v2/accounts/{partner}/stakeholders", {"email": "x"})
    assert [one["name"] for one in api.get(f"/v2/accounts/{partner}/stakeholders")["items"]] == ["Gauri", "Gaurav"]


# --- products -----------------------------------------------------------------------------------------------------


def test_a_product_is_asked_for_once_and_locked_under_review(api: Api, base: str) -> None:
    """The same one is given back; bad bank details change nothing; what is under review cannot be changed."""
    product = api.post(f"{base}/products", {"product_name": "route"})
    path = f"{base}/products/{product['id']}"
    bank = {"account_number": "1234567890", "ifsc_code": "HDFC0000317", "beneficiary_name": "Gaurav Kumar"}

    assert api.post(f"{base}/products", {"product_name": "route"}) == product
    assert product["tnc"]["accepted"] is False
    for wrong, text in (({"ifsc_code": "HDFC"}, "Invalid IFSC"), ({"account_number": "1234"}, "between 5 and 20")):
        assert text in api.refused("PATCH", path, {"settlements": {**bank, **wrong}})
    waits = api.patch(path, {"settlements": bank})
    assert (waits["activation_status"], waits["requirements"]) == ("needs_clarification", [])  # the terms are missing
    accepted = api.patch(path, {"tnc_accepted": True})
    assert (accepted["activation_status"], accepted["tnc"]["accepted"]) == ("under_review", True)
    assert accepted["active_configuration"]["settlements"] == bank
    assert "locked for editing" in api.refused("PATCH", path, {"settlements": bank})
    assert "checkout is/are not required" in api.refused("PATCH", path, {"checkout": {}})


def test_products_that_are_not_there(api: Api, base: str) -> None:
    """Another account's configuration, and terms of anything but payments."""
    mine = api.post(f"{base}/products", {"product_name": "route"})["id"]
    other = f"/v2/accounts/{account(api, 'other@example.com')}"

    text = "The provided product config id doesn't exist for the merchant"
    assert api.refused("GET", f"{other}/products/{mine}") == text
    assert api.refused("GET", f"{base}/products/nonsense") == text
    assert api.refused("GET", "/v2/products/capital/tnc") == "The product requested is invalid."


# --- webhooks -----------------------------------------------------------------------------------------------------


def test_what_is_registered_by_hand_is_listed_too(api: Api) -> None:
    """The main webhook and others, if they have a URL; the API can change them, and the secret stays the account's."""
    rz = api.rz
    rz.deliver.register(lambda method, headers, body: 200)
    rz.deliver.to_url("https://example.com/main")
    named = rz.deliver.register("https://example.com/hand", secret="", events=["order.paid"])
    listed = api.get("/webhooks")["items"]

    assert [one["url"] for one in listed] == ["https://example.com/hand", "https://example.com/main"]
    assert [one["secret_exists"] for one in listed] == [False, True]
    assert set(listed[0]["events"]) == {"order.paid"} < set(listed[1]["events"])
    api.send("PUT", f"/webhooks/{named.id}", {"secret": "another secret of it", "alert_email": "ops@example.com"})
    api.send("PUT", f"/webhooks/{listed[1]['id']}", {"secret": "the account's new secret"})
    assert (named.secret, named.alert_email) == ("another secret of it", "ops@example.com")
    assert rz.webhook_secret == "the account's new secret"


def test_a_merchant_may_send_events_as_an_object(api: Api) -> None:
    """As the official plugin does: those that are true; ``active`` false makes it disabled from the start."""
    said = {"url": "https://example.com", "events": {"order.paid": True, "payment.failed": False}, "active": False}
    made = api.post("/webhooks", said)

    assert (made["events"], made["active"]) == ({"order.paid": True}, False)
    api.rz.clock.advance(60)
    again = api.send("PUT", f"/webhooks/{made['id']}", {"active": True})
    assert (again["active"], again["disabled_at"], again["updated_at"]) == (True, 0, made["created_at"] + 60)
    assert api.refused("GET", "/webhooks/29QQoUBi66xm2f") == "The id provided does not exist"


def test_what_was_on_its_way_to_a_deleted_webhook_is_gone(api: Api) -> None:
    """The account may name itself in the path; thirty webhooks are the limit."""
    mine = f"/v2/accounts/{api.rz.account_id}/webhooks"
    made = [api.post(mine, {"url": f"https://example.com/{nth}"})["id"] for nth in range(29)]
    assert "at most 30" in api.refused("POST", mine, {"url": "https://example.com/30"})
    api.paid()
    assert {one.webhook for one in api.rz.deliver.pending()} == {f"webhook-{nth}" for nth in range(1, 30)}
    for webhook in made:
        assert api.send("DELETE", f"{mine}/{webhook}") == []

    assert api.rz.deliver.pending() == []
    again = [api.post(mine, {"url": f"https://example.com/{nth}"})["id"] for nth in (1, 2)]
    api.send("DELETE", f"{mine}/{again[0]}")
    api.send("DELETE", f"{mine}/{api.post(mine, {'url': 'https://example.com/3'})['id']}")  # a name of its own
    api.send("DELETE", f"{mine}/{again[1]}")
    assert api.get(mine, count=30)["items"] == api.get("/webhooks")["items"] == []
    api.rz.clock.advance(DAY_S)  # what was planned for them comes to nothing


# --- cards, customers' accounts, devices --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"customer_id": None}, "The customer_id field is required"),
        ({"customer_id": "cust_29QQoUBi66xm2f"}, "The id provided does not exist"),
        ({"account_type": "vpa"}, "The selected account_type is invalid"),
        ({"contact_id": "cont_29QQoUBi66xm2f"}, "contact_id is/are not required"),
        ({"bank_account": {"name": "Gaurav", "ifsc": "HDFC0000053"}}, "The account_number field is required"),
        ({"bank_account": {"name": "Gaurav", "ifsc": "HDFC", "account_number": "12345"}}, "Invalid IFSC Code"),
        ({"bank_account": {"name": "G", "ifsc": "HDFC0000053", "account_number": "1234"}}, "between 5 and 35"),
        ({"bank_account": {"name": "G", "ifsc": "HDFC0000053", "account_number": "1", "x": 1}}, "x is/are not"),
    ],
)
def test_a_bad_fund_account_is_refused(api: Api, body: dict[str, Any], text: str) -> None:
    """And a listing needs a customer."""
    customer = api.post("/customers", {"name": "Gaurav Kumar", "contact": "9123456780"})["id"]
    bank = {"name": "Gaurav Kumar", "ifsc": "HDFC0000053", "account_number": "11214311215411"}
    said = {"customer_id": customer, "account_type": "bank_account", "bank_account": bank}

    assert text in api.refused("POST", "/fund_accounts", {**said, **body})
    assert "The customer_id field is required" in api.refused("GET", "/fund_accounts")


@pytest.mark.parametrize(
    ("iin", "reason"),
    [
        ("000000", "iin_does_not_exist"),
        ("123512967", "iin_does_not_exist"),
        ("41002", "invalid_iin_length"),
        ("4100280000", "invalid_iin_length"),
    ],
)
def test_an_iin_that_is_none(api: Api, iin: str, reason: str) -> None:
    """Six digits for a card, nine for a token."""
    assert api.rz.request("GET", f"/v1/iins/{iin}").json()["error"]["reason"] == reason
    assert "flow is invalid" in api.refused("GET", "/iins/list", flow="3ds")


def checkout(order: str, **more: Any) -> dict[str, Any]:
    said = {"name": "Acme", "amount": 500, "currency": "INR", "description": "POS", "type": "in_person"}
    return {"action": "initiate_checkout", "initiate_checkout": {**said, "order_id": order, "method": "upi", **more}}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"amount": 99}, "The amount must be at least INR 1.00"),
        ({"amount": "x"}, "The amount must be an integer."),
        ({"method": "cash"}, "The selected method is invalid"),
        ({"order_id": "order_29QQoUBi66xm2f"}, "The id provided does not exist"),
        ({"order_id": None}, "The order_id field is required"),
        ({"type": None}, "The type field is required"),
        ({"colour": "red"}, "colour is/are not required"),
        ({"prefill": {"age": 3}}, "age is/are not required"),
    ],
)
def test_a_bad_checkout_on_a_device_is_refused(api: Api, change: dict[str, Any], text: str) -> None:
    """Nothing is shown on the device."""
    order = api.post("/orders", {"amount": 500, "currency": "INR"})["id"]
    reply = api.rz.request("POST", "/v1/devices/activity", checkout(order, **change), headers=DEVICE_MODE)

    assert reply.status == 400
    assert text in reply.json()["error"]["description"]
    assert not api.rz.world.table("device.activity")


def test_a_wired_device_is_named_and_a_wireless_one_need_not_be(api: Api) -> None:
    """Any other mode is refused, and so is none."""
    order = api.post("/orders", {"amount": 500, "currency": "INR"})["id"]

    def status(mode: str | None) -> int:
        headers = {} if mode is None else {"X-Razorpay-Device-Mode": mode}
        return api.rz.request("POST", "/v1/devices/activity", checkout(order), headers=headers).status

    assert [status(mode) for mode in ("wireless", "wired", "bluetooth", None)] == [200, 400, 400, 400]
