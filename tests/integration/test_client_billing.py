"""Plans, subscriptions, items, invoices, payment links, QR codes and virtual accounts, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from razorpay_hardened.client import Client
from razorpay_hardened.domain.money import Money
from razorpay_hardened.emulator import Emulator
from razorpay_hardened.errors import ApiBadRequest, FieldInvalid

INR = Money.inr("499.00")
BOOK = {"name": "Book", "amount": INR}
DAY_S = 86_400


@pytest.fixture
def rz() -> Iterator[Emulator]:
    with Emulator(in_process=True) as emulator:
        yield emulator


@pytest.fixture
def client(rz: Emulator) -> Iterator[Client]:
    made = Client(rz.key_id, rz.key_secret, base_url=rz.url, session=rz.session(), clock=rz.clock)
    with made:
        yield made


def test_a_subscription_from_its_plan_to_its_end(rz: Emulator, client: Client) -> None:
    """Made, started, extended, changed, found, and ended at the end of the cycle."""
    plan = client.plans.create(period="monthly", interval=1, item=BOOK)
    made = client.subscriptions.create(plan_id=plan.id, total_count=6, addons=[{"item": BOOK, "quantity": 2}])
    rz.authenticate(made.id)
    extra = client.subscriptions.create_addon(made.id, item={"name": "Extra", "amount": Money(100)})
    client.subscriptions.edit(made.id, quantity=3, schedule_change_at="cycle_end")

    assert (plan.money, extra.money) == (INR, Money(100))
    assert client.subscriptions.pending_update(made.id).quantity == 3
    assert client.subscriptions.cancel_pending_update(made.id).has_scheduled_changes is False
    assert {addon.id for addon in client.addons.iter()} >= {extra.id}
    assert [found.id for found in client.subscriptions.iter(plan_id=plan.id)] == [made.id]
    assert client.plans.list().items == (client.plans.fetch(plan.id),)
    [billed] = client.invoices.iter(subscription_id=made.id)
    assert billed.money == Money(3 * 49900)
    client.addons.delete(extra.id)
    with pytest.raises(ApiBadRequest):
        client.addons.fetch(extra.id)
    assert client.subscriptions.cancel(made.id, cancel_at_cycle_end=True).status == "active"
    rz.clock.advance(32 * DAY_S)
    assert client.subscriptions.fetch(made.id).status == "cancelled"
    assert client.subscriptions.cancel(made.id).status == "cancelled"


def test_a_subscription_that_has_not_started_is_cancelled_by_a_pause(rz: Emulator, client: Client) -> None:
    """As Razorpay documents it; the status tells."""
    plan = client.plans.create(period="monthly", interval=1, item=BOOK)
    later = rz.clock.unix() + 10 * DAY_S
    made = client.subscriptions.create(plan_id=plan.id, total_count=6, start_at=later)
    rz.authenticate(made.id)

    assert client.subscriptions.pause(made.id).status == "cancelled"


def test_an_invoice_from_draft_to_payment(rz: Emulator, client: Client) -> None:
    """Items are made and changed; a draft is filled, issued, sent and paid; another is deleted."""
    item = client.items.create(name="Book", amount=INR)
    client.items.edit(item.id, amount=Money(20_000))
    draft = client.invoices.create(draft=True, receipt="inv-42")
    edited = client.invoices.edit(
        draft.id, line_items=[{"item_id": item.id, "quantity": 2}], customer={"name": "Gaurav", "contact": "9123456780"}
    )
    issued = client.invoices.issue(draft.id)
    client.invoices.notify_by(draft.id, "sms")
    payment = rz.pay_invoice(draft.id)["id"]
    gone = client.invoices.create(draft=True)
    client.invoices.delete(gone.id)

    assert (edited.status, edited.money, issued.status) == ("draft", Money(40_000), "issued")
    assert client.invoices.issue(draft.id).status == "paid"
    assert [found.id for found in client.invoices.iter(payment_id=payment)] == [draft.id]
    assert client.invoices.find_by_receipt("inv-42") == client.invoices.fetch(draft.id)
    assert client.invoices.find_by_receipt("inv-4") is None
    assert client.items.list().items[0].money == Money(20_000)
    with pytest.raises(ApiBadRequest):
        client.invoices.delete(gone.id)
    with pytest.raises(ApiBadRequest):
        client.invoices.cancel(draft.id)
    client.items.delete(item.id)
    assert list(client.items.iter()) == []


def test_one_link_for_one_reference(rz: Emulator, client: Client) -> None:
    """Asking again gives the first link, paid or not; another amount or a cancelled link is refused."""
    link = client.payment_links.create(amount=INR, reference_id="ref-42", accept_partial=True)
    again = client.payment_links.create(amount=INR, reference_id="ref-42", accept_partial=True)
    client.payment_links.notify_by(link.id, "email")
    payment = rz.pay_link(link.id, amount=100)["id"]

    assert again.id == link.id
    assert client.payment_links.create(amount=INR, reference_id="ref-42").status == "partially_paid"
    assert [found.id for found in client.payment_links.list(payment_id=payment).items] == [link.id]
    assert [found.id for found in client.payment_links.iter()] == [link.id]
    with pytest.raises(ApiBadRequest):
        client.payment_links.create(amount=Money(100), reference_id="ref-42")
    with pytest.raises(ApiBadRequest):
        client.payment_links.cancel(link.id)
    other = client.payment_links.create(amount=INR, reference_id="ref-43")
    client.payment_links.cancel(other.id)
    assert client.payment_links.cancel(other.id).status == "cancelled"
    with pytest.raises(ApiBadRequest):
        client.payment_links.create(amount=INR, reference_id="ref-43")
    assert client.payment_links.find_by_reference("ref-43") == client.payment_links.fetch(other.id)


def test_codes_and_accounts_receive(rz: Emulator, client: Client) -> None:
    """What comes in is counted and listed; closed is closed."""
    qr = client.qr_codes.create(usage="multiple_use", name="Store", close_by=rz.clock.unix() + DAY_S)
    scanned = rz.credit_qr(qr.id, 500)["id"]
    account = client.virtual_accounts.create(receivers={"types": ["bank_account"]}, notes={"flat": "105"})
    bank = {"ifsc": "KKBK0000007", "account_number": "765432123456789"}
    allowed = client.virtual_accounts.add_allowed_payer(account.id, bank_account=bank)
    wired = rz.credit_virtual_account(account.id, 700)["id"]

    assert client.qr_codes.fetch(qr.id).received == Money(500)
    assert [found.id for found in client.qr_codes.iter(payment_id=scanned)] == [qr.id]
    assert [found.id for found in client.qr_codes.payments(qr.id).items] == [scanned]
    assert [found.id for found in client.qr_codes.iter_payments(qr.id)] == [scanned]
    assert client.qr_codes.edit(qr.id, notes={"shop": "7"}).notes == {"shop": "7"}
    assert client.qr_codes.close(qr.id) == client.qr_codes.close(qr.id)
    assert client.virtual_accounts.fetch(account.id).paid == Money(700)
    assert [found.id for found in client.virtual_accounts.iter(expand=["vpas"])] == [account.id]
    assert [found.id for found in client.virtual_accounts.payments(account.id).items] == [wired]
    assert [found.id for found in client.virtual_accounts.iter_payments(account.id)] == [wired]
    client.virtual_accounts.delete_allowed_payer(account.id, _only(allowed.allowed_payers).id)
    more = client.virtual_accounts.add_receiver(account.id, types=["vpa"], vpa={"descriptor": "gaurikumar"})
    assert [_kind(receiver) for receiver in more.receivers or ()] == ["bank_account", "vpa"]
    assert client.virtual_accounts.edit(account.id, description="rent").description == "rent"
    assert client.virtual_accounts.close(account.id) == client.virtual_accounts.close(account.id)


def _only(found: Any) -> Any:
    [one] = found
    return one


def _kind(receiver: Any) -> str:
    return str(receiver.entity)


def test_extra_fields_that_razorpay_does_not_know_are_its_refusal(client: Client) -> None:
    """They go out: an account may have more fields than the documents. Known ones are refused here."""
    with pytest.raises(ApiBadRequest) as caught:
        client.plans.create(period="monthly", interval=1, item=BOOK, extra={"offer_id": "x"})
    assert "offer_id" in (caught.value.description or "")
    with pytest.raises(FieldInvalid):
        client.plans.create(period="monthly", interval=1, item=BOOK, extra={"period": "weekly"})
