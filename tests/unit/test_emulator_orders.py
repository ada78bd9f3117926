"""The emulator's orders endpoints, against the published texts."""

from __future__ import annotations

from typing import Any

import pytest

from razorpay_hardened.emulator import Emulator, Options


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


def create(rz: Emulator, **changes: Any) -> dict[str, Any]:
    body = {"amount": 50000, "currency": "INR", "receipt": "r-1", **changes}
    reply = rz.request("POST", "/v1/orders", {key: value for key, value in body.items() if value is not ...})
    return {"status_code": reply.status, **reply.json()}


def refused(rz: Emulator, **changes: Any) -> dict[str, Any]:
    answer = create(rz, **changes)
    assert answer["status_code"] == 400
    assert answer["error"]["code"] == "BAD_REQUEST_ERROR"
    assert rz.world.orders == {}
    return dict(answer["error"])


def test_created_order(rz: Emulator) -> None:
    """A new order has Razorpay's fields and types, nothing paid and no attempts."""
    order = create(rz, notes={"cart": "7"})

    assert order.pop("id").startswith("order_")
    assert order == {
        "status_code": 200,
        "entity": "order",
        "amount": 50000,
        "amount_paid": 0,
        "amount_due": 50000,
        "currency": "INR",
        "receipt": "r-1",
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": {"cart": "7"},
        "created_at": 1767583800,
    }


def test_empty_notes_are_a_list(rz: Emulator) -> None:
    """Notes that are not there come back as an empty list."""
    assert create(rz)["notes"] == []
    assert create(rz, notes={})["notes"] == []


@pytest.mark.parametrize(
    ("changes", "description", "field", "reason"),
    [
        ({"amount": 99}, "Order amount less than minimum amount allowed", "amount", "amount_less_than_minimum_amount"),
        (
            {"amount": -100},
            "Order amount less than minimum amount allowed",
            "amount",
            "amount_less_than_minimum_amount",
        ),
        ({"amount": 100.5}, "The amount must be an integer.", "amount", "input_validation_failed"),
        ({"amount": 100.0}, "The amount must be an integer.", "amount", "input_validation_failed"),
        ({"amount": True}, "The amount must be an integer.", "amount", "input_validation_failed"),
        ({"amount": "10.5"}, "The amount must be an integer.", "amount", "input_validation_failed"),
        ({"amount": ...}, "amount: is required.", "amount", "input_validation_failed"),
        ({"amount": 10**16}, "Amount exceeds maximum amount allowed.", "amount", "input_validation_failed"),
        ({"currency": 1}, "expected string but provided 1", "currency", "input_validation_failed"),
        ({"currency": ...}, "The currency field is required", "currency", "input_validation_failed"),
        ({"currency": "inr"}, "The selected currency is invalid", "currency", "input_validation_failed"),
        (
            {"products": []},
            "products is/are not required and should not be sent",
            None,
            "extra_field_sent",
        ),
    ],
)
def test_refused_orders(
    rz: Emulator, changes: dict[str, Any], description: str, field: str | None, reason: str
) -> None:
    """Each error of the official index comes with its text, field and reason, and creates nothing."""
    error = refused(rz, **changes)

    assert (description, field, reason) == (error["description"], error.get("field"), error["reason"])
    assert (error["source"], error["metadata"]) == ("business", {})


def test_transfers_without_route() -> None:
    """EI-02: an account without Route does not know the field."""
    with Emulator(in_process=True, options=Options(route=False)) as rz:
        error = refused(rz, transfers=[{"account": "acc_A", "amount": 100, "currency": "INR"}])

    assert error["description"] == "transfers is/are not required and should not be sent"
    assert error["reason"] == "extra_field_sent"


@pytest.mark.parametrize(
    "changes",
    [
        {"receipt": "r" * 41},
        {"receipt": 7},
        {"notes": {str(n): "x" for n in range(16)}},
        {"notes": {"k": "x" * 257}},
        {"notes": "text"},
        {"payment_capture": 2},
        {"payment": {"capture": "later"}},
        {"payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 11}}},
        {"payment": {"capture": "manual", "capture_options": {"manual_expiry_period": 7201}}},
        {
            "payment": {
                "capture": "automatic",
                "capture_options": {"automatic_expiry_period": 60, "manual_expiry_period": 30},
            }
        },
    ],
)
def test_limits(rz: Emulator, changes: dict[str, Any]) -> None:
    """What goes beyond a published limit is refused."""
    assert refused(rz, **changes)["reason"] == "input_validation_failed"


def test_limits_are_inclusive(rz: Emulator) -> None:
    """The largest receipt, notes and the smallest amount are taken."""
    answer = create(rz, amount=100, receipt="r" * 40, notes={str(n): "x" * 256 for n in range(15)})

    assert answer["status_code"] == 200


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 295), ("KWD", 295990), ("USD", 100)])
def test_other_currencies(rz: Emulator, currency: str, amount: int) -> None:
    """Amounts are in the currency's own smallest unit."""
    order = create(rz, currency=currency, amount=amount)

    assert (200, amount, currency) == (order["status_code"], order["amount_due"], order["currency"])


def test_plain_duplicate_receipts_make_two_orders(rz: Emulator) -> None:
    """Unless the account says otherwise, a blind retry with the same receipt makes a second order."""
    assert create(rz)["id"] != create(rz)["id"]


def test_unique_receipt_returns_the_first_order(rz: Emulator) -> None:
    """With unique_receipt, the second create answers with the first order."""
    first = create(rz, unique_receipt=True)

    assert first == create(rz, unique_receipt=True)
    assert len(rz.world.orders) == 1


def test_unique_receipt_may_be_unknown() -> None:
    """An account that does not know the field refuses it."""
    rz = Emulator(in_process=True, options=Options(knows_unique_receipt=False))

    assert refused(rz, unique_receipt=True)["reason"] == "extra_field_sent"


def test_duplicate_receipts_may_be_refused() -> None:
    """An account with unique receipts refuses the second order."""
    rz = Emulator(in_process=True, options=Options(refuse_duplicate_receipts=True))
    create(rz)
    answer = create(rz)

    assert (answer["status_code"], answer["error"]["description"]) == (400, "Order receipt should be unique.")
    assert len(rz.world.orders) == 1


def test_fetch(rz: Emulator) -> None:
    """An order is fetched as it was created."""
    order = create(rz)
    code = order.pop("status_code")

    assert order == rz.request("GET", f"/v1/orders/{order['id']}").json()
    assert code == 200


@pytest.mark.parametrize(
    ("path", "description"),
    [
        ("/v1/orders/order_00000000000000", "The id provided does not exist"),
        ("/v1/orders/pay_00000000000000", "The id provided does not exist"),
        ("/v1/orders/order_short", "order_short is not a valid id"),
        ("/v1/orders/order_00000000000000/payments", "The id provided does not exist"),
        ("/v1/carts", "The requested URL was not found on the server."),
    ],
)
def test_unknown_ids(rz: Emulator, path: str, description: str) -> None:
    """Unknown and malformed ids are 400, not 404."""
    reply = rz.request("GET", path)

    assert (400, description) == (reply.status, reply.json()["error"]["description"])


def test_update_changes_notes_only(rz: Emulator) -> None:
    """PATCH takes notes and refuses the rest."""
    order = create(rz)
    path = f"/v1/orders/{order['id']}"

    assert rz.request("PATCH", path, {"notes": {"a": "b"}}).json()["notes"] == {"a": "b"}
    assert rz.request("PATCH", path, {"amount": 1}).status == 400
    assert rz.request("GET", path).json()["notes"] == {"a": "b"}


def test_listing_pages_newest_first(rz: Emulator) -> None:
    """Pages are cut from the newest end; count says how many are in this page."""
    for number in range(12):
        create(rz, receipt=f"r-{number}")
        rz.clock.advance(1)
    first = rz.request("GET", "/v1/orders").json()
    rest = rz.request("GET", "/v1/orders", query={"skip": 10}).json()

    assert (first["entity"], first["count"]) == ("collection", 10)
    assert [f"r-{n}" for n in range(11, -1, -1)] == [order["receipt"] for order in first["items"] + rest["items"]]


def test_listing_window_is_inclusive(rz: Emulator) -> None:
    """from and to select by creation time, both ends included."""
    start = rz.clock.unix()
    for number in range(4):
        create(rz, receipt=f"r-{number}")
        rz.clock.advance(10)
    page = rz.request("GET", "/v1/orders", query={"from": start + 10, "to": start + 20}).json()

    assert [order["receipt"] for order in page["items"]] == ["r-2", "r-1"]


def test_receipt_filter_contains(rz: Emulator) -> None:
    """The receipt filter finds orders that contain the value, so callers must compare for themselves."""
    for receipt in ("inv-1", "inv-12", "other", None):
        create(rz, receipt=receipt)
    page = rz.request("GET", "/v1/orders", query={"receipt": "inv-1"}).json()

    assert [order["receipt"] for order in page["items"]] == ["inv-12", "inv-1"]


@pytest.mark.parametrize(
    ("query", "description"),
    [
        ({"count": 101}, "The count may not be greater than 100."),
        ({"count": 0}, "The count must be at least 1."),
        ({"count": "x"}, "The count must be an integer."),
        ({"from": 946684799}, "from must be between 946684800 and 4765046400"),
        ({"to": 4765046401}, "to must be between 946684800 and 4765046400"),
        ({"color": "red"}, "color is/are not required and should not be sent"),
        (
            {"expand[]": "secrets"},
            "Value of each expand must be one of following types: payments, payments.card, transfers, virtual_account",
        ),
    ],
)
def test_refused_listings(rz: Emulator, query: dict[str, object], description: str) -> None:
    """Bad queries are refused in the published words."""
    reply = rz.request("GET", "/v1/orders", query=query)

    assert (400, description) == (reply.status, reply.json()["error"]["description"])


def test_authorized_filter_and_expansion(rz: Emulator) -> None:
    """authorized=1 finds orders that a bank said yes to; expand[]=payments shows their payments."""
    paid, idle = create(rz, receipt="paid"), create(rz, receipt="idle")
    payment = rz.pay(paid["id"], card="4100 2800 0000 1007")
    query = {"authorized": 1, "expand[]": "payments.card"}
    (found,) = rz.request("GET", "/v1/orders", query=query).json()["items"]
    (other,) = rz.request("GET", "/v1/orders", query={"authorized": 0}).json()["items"]

    assert payment == found["payments"]["items"][0]
    assert (paid["id"], idle["id"]) == (found["id"], other["id"])
    assert "payments" not in other
