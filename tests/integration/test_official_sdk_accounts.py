"""The unmodified official SDK against the emulator, in process: partners' accounts, webhooks, point of sale, cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import pytest
import razorpay
from razorpay.errors import BadRequestError

from razorpay_hardened import compat
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.signing import SIGNATURE_HEADER, verify_webhook

ACCOUNT = {
    "email": "gaurav.kumar@example.com",
    "phone": "9000090000",
    "type": "route",
    "legal_business_name": "Acme Corp",
    "business_type": "partnership",
    "contact_name": "Gaurav Kumar",
}
BANK = {"account_number": "1234567890", "ifsc_code": "HDFC0000317", "beneficiary_name": "Gaurav Kumar"}
WIRED = "wired"


@pytest.fixture
def rz() -> Emulator:
    return Emulator(in_process=True)


@pytest.fixture(params=[razorpay.Client, compat.Client], ids=["the SDK", "compat"])
def client(rz: Emulator, request: pytest.FixtureRequest) -> Iterator[Any]:
    with rz.session() as session:
        yield request.param(session=session, auth=(rz.key_id, rz.key_secret), base_url=rz.url)


@pytest.fixture
def picture(tmp_path: Path) -> Iterator[BinaryIO]:
    path = tmp_path / "proof.png"
    path.write_bytes(b"\x89PNG")
    with path.open("rb") as file:
        yield file


def test_an_account_is_made_changed_proven_and_deleted(client: Any, picture: BinaryIO) -> None:
    """It goes through all its calls; to delete it is to suspend it, and then it is locked."""
    account = client.account.create({**ACCOUNT, "contact_info": {"refund": {"email": "cb@example.org"}}})["id"]
    edited = client.account.edit(account, {"customer_facing_business_name": "ABCD Ltd", "brand": {"color": "FFFFFF"}})
    proof = client.account.uploadAccountDoc(account, {"file": picture, "document_type": "business_proof_url"})

    assert (edited["customer_facing_business_name"], edited["brand"]) == ("ABCD Ltd", {"color": "#FFFFFF"})
    assert edited["contact_info"] == {"refund": {"email": "cb@example.org", "phone": None, "policy_url": None}}
    assert client.account.fetch(account) == edited
    assert [one["type"] for one in proof["business_proof_of_identification"]] == ["business_proof_url"]
    assert client.account.fetchAccountDoc(account) == proof
    deleted = client.account.delete(account)
    assert (deleted["status"], deleted["id"]) == ("suspended", account)
    assert deleted["suspended_at"] >= deleted["created_at"]
    with pytest.raises(BadRequestError, match="locked for editing"):
        client.account.edit(account, {"notes": {"a": "b"}})


def test_a_stakeholder_goes_through_all_its_calls(client: Any, picture: BinaryIO) -> None:
    """One for Route and no more; only what is true of the relationship is shown."""
    account = client.account.create(ACCOUNT)["id"]
    said = {"name": "Gaurav Kumar", "email": "g@example.com", "relationship": {"director": True, "executive": False}}
    made = client.stakeholder.create(account, said)
    edited = client.stakeholder.edit(account, made["id"], {"percentage_ownership": 20, "kyc": {"pan": "AVOPB1111K"}})
    form = {"file": picture, "document_type": "aadhar_front"}
    proof = client.stakeholder.uploadStakeholderDoc(account, made["id"], form)

    assert made["relationship"] == {"director": True}
    assert edited == {**made, "percentage_ownership": 20, "kyc": {"pan": "AVOPB1111K"}}
    assert client.stakeholder.fetch(account, made["id"]) == edited
    assert client.stakeholder.all(account)["items"] == [edited]
    assert [one["type"] for one in proof["individual_proof_of_address"]] == ["aadhar_front"]
    assert client.stakeholder.fetchStakeholderDoc(account, made["id"]) == proof
    with pytest.raises(BadRequestError, match="cannot be more than one for Route"):
        client.stakeholder.create(account, said)


def test_a_product_is_asked_for_completed_and_activated(rz: Emulator, client: Any) -> None:
    """What is missing is named; once nothing is, it is reviewed, activated and announced."""
    account = client.account.create(ACCOUNT)["id"]
    asked = client.product.requestProductConfiguration(account, {"product_name": "route", "tnc_accepted": True})
    edited = client.product.edit(account, asked["id"], {"settlements": BANK, "tnc_accepted": True})
    rz.clock.advance(60)
    names = [event.name for event in rz.world.events]

    assert asked["activation_status"] == "needs_clarification"
    missing = ["settlements.beneficiary_name", "settlements.account_number", "settlements.ifsc_code"]
    assert [one["field_reference"] for one in asked["requirements"]] == missing
    assert (edited["activation_status"], edited["requirements"]) == ("under_review", [])
    assert client.product.fetch(account, asked["id"])["activation_status"] == "activated"
    assert names == ["product.route.under_review", "product.route.activated"]
    body = json.loads(rz.world.events[-1].body)
    assert body["account_id"] == account
    assert body["payload"]["merchant_product"]["entity"]["activation_status"] == "activated"
    assert client.product.fetchTnc("payments")["entity"] == "tnc_map"


def test_a_partners_product_waits_for_documents(rz: Emulator, client: Any, picture: BinaryIO) -> None:
    """The last document that comes begins the review; nobody has to look."""
    account = client.account.create({**ACCOUNT, "type": "standard", "customer_facing_business_name": "Acme"})["id"]
    asked = client.product.requestProductConfiguration(account, {"product_name": "payment_gateway"})
    settings = {"settlements": BANK, "refund": {"default_refund_speed": "optimum"}, "tnc_accepted": True}
    client.product.edit(account, asked["id"], settings)
    person = client.stakeholder.create(account, {"name": "Gaurav Kumar", "kyc": {"pan": "AVOPB1111K"}})["id"]
    client.account.uploadAccountDoc(account, {"file": picture, "document_type": "gst_certificate"})
    for document in ("personal_pan", "passport_front"):
        picture.seek(0)
        waiting = client.product.fetch(account, asked["id"])
        client.stakeholder.uploadStakeholderDoc(account, person, {"file": picture, "document_type": document})

    assert len(asked["requirements"]) == 8
    assert [one["field_reference"] for one in waiting["requirements"]] == ["individual_proof_of_address"]
    assert waiting["active_configuration"]["refund"] == {"default_refund_speed": "optimum"}
    assert [event.name for event in rz.world.events] == ["product.payment_gateway.under_review"]


class Inbox:
    """A server for webhooks: what came, as (path, event, body, headers)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes, dict[str, str]]] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.got.append((self.path, json.loads(body)["event"], body, dict(self.headers)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Not on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def taken(self) -> list[tuple[str, str]]:
        """Paths and events since the last look."""
        found = [(path, event) for path, event, _, _ in self.got]
        self.got.clear()
        return found


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    receiver = Inbox()
    yield receiver
    receiver.close()


def test_webhooks_by_api_really_deliver(rz: Emulator, client: Any, inbox: Inbox) -> None:
    """A webhook gets the events it asked for, signed with its own secret; changed and deleted, it gets others, none."""
    account = client.account.create(ACCOUNT)["id"]
    said = {"alert_email": "g@example.com", "secret": "a secret of sixteen", "events": ["payment.captured"]}
    mine = client.webhook.create({**said, "url": f"{inbox.url}/a"})
    theirs = client.webhook.create({**said, "url": f"{inbox.url}/b"}, account)
    rz.pay(client.order.create({"amount": 500, "currency": "INR"})["id"])
    rz.deliver.flush()

    for _, _, body, headers in inbox.got:
        verify_webhook(body, headers[SIGNATURE_HEADER], secret=said["secret"])
    assert sorted(inbox.taken()) == [("/a", "payment.captured"), ("/b", "payment.captured")]
    assert (mine["events"], theirs["events"]) == ({"payment.captured": True}, ["payment.captured"])
    assert (mine["secret_exists"], theirs["owner_id"]) == (True, account.removeprefix("acc_"))
    assert client.webhook.fetch(theirs["id"], account) == theirs
    assert client.webhook.all({}, account)["items"] == [theirs]
    assert client.webhook.all()["items"] == [mine]

    edited = client.webhook.edit(theirs["id"], account, {"url": f"{inbox.url}/c", "events": ["order.paid"]})
    off = client.webhook.edit(mine["id"], None, {"active": False})
    rz.pay(client.order.create({"amount": 500, "currency": "INR"})["id"])
    rz.deliver.flush()
    assert inbox.taken() == [("/c", "order.paid")]
    assert (edited["id"], edited["url"]) == (theirs["id"], f"{inbox.url}/c")
    assert (off["active"], off["disabled_at"]) == (False, rz.clock.unix())

    assert client.webhook.delete(theirs["id"], account) == []
    assert client.webhook.all({}, account)["items"] == []
    with pytest.raises(BadRequestError, match="does not exist"):
        client.webhook.fetch(theirs["id"], account)


def test_a_fund_account_of_a_customer(client: Any) -> None:
    """Made for a customer, and listed for that customer only."""
    customer, other = (
        client.customer.create({"name": "Gaurav Kumar", "contact": contact})["id"]
        for contact in ("9123456780", "9123456781")
    )
    bank = {"name": "Gaurav Kumar", "account_number": "11214311215411", "ifsc": "HDFC0000053"}
    made = client.fund_account.create({"customer_id": customer, "account_type": "bank_account", "bank_account": bank})

    assert made["bank_account"] == {**bank, "bank_name": "HDFC Bank", "notes": []}
    assert client.fund_account.all({"customer_id": customer})["items"] == [made]
    assert client.fund_account.all({"customer_id": other})["items"] == []


def test_iins(client: Any) -> None:
    """Those of the published test cards; which of them are of businesses."""
    iins = client.iin.all({"flow": "otp"})["iins"]

    assert "410028" in iins
    assert client.iin.all({"sub_type": "business"}) == {"count": 0, "iins": []}
    assert client.iin.fetch("410028")["network"] == "Visa"
    with pytest.raises(BadRequestError, match="IIN 000000 does not exist"):
        client.iin.fetch("000000")
    with pytest.raises(BadRequestError, match="should be 6 digits long"):
        client.iin.fetch("4111")


def test_a_device_takes_a_payment(rz: Emulator, client: Any) -> None:
    """With the key alone a checkout is begun, paid and completed; there is nothing to close then."""
    order = client.order.create({"amount": 19_900, "currency": "INR"})["id"]
    checkout = {
        "name": "Acme Corp",
        "amount": 19_900,
        "currency": "INR",
        "description": "POS Transaction",
        "type": "in_person",
        "order_id": order,
        "method": "upi",
        "prefill": {"contact": "9000090000"},
    }
    begin = {"device_id": "2841158834", "action": "initiate_checkout", "initiate_checkout": checkout}
    close = {"device_id": "2841158834", "action": "close_checkout"}
    with rz.session() as session:
        device = razorpay.Client(session=session, auth=(rz.key_id, ""), base_url=rz.url).device_activity
        made = device.create(begin, device_mode=WIRED)
        closed = device.create(close, device_mode=WIRED)
        again = device.create(close, device_mode=WIRED)
        rz.pay(order)
        paid = device.get_status(made["id"], device_mode=WIRED)
        with pytest.raises(BadRequestError, match="device mode"):
            device.get_status(made["id"])
    rz.connect_device("2841158834", False)
    lost = client.device_activity.create(begin, device_mode=WIRED)

    assert (made["status"], made["initiate_checkout"]["order_id"]) == ("processing", order)
    assert set(checkout) - set(made["initiate_checkout"]) == {"type", "method"}
    assert (closed["status"], closed["error"]) == ("completed", None)
    assert (again["status"], again["error"]["reason"]) == ("failed", "checkout_not_found")
    assert paid == {**made, "status": "completed"}
    assert (lost["status"], lost["error"]["reason"]) == ("failed", "device_not_connected")
