"""What a type checker says of the public names. Nothing here runs: `make check` reads it.

Each ``type: ignore`` is a claim that this line is refused; mypy reports the ones that are not needed.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import assert_type

from razorpay_hardened import (
    AsyncClient,
    Change,
    CheckoutOrder,
    Confirmation,
    EffectTransaction,
    Explanation,
    MemoryStore,
    Money,
    Order,
    Past,
    Payment,
    Razorpay,
    Reconciliation,
    Refund,
    SQLiteStore,
    Store,
    Verification,
    VerifiedBody,
    WebhookEvent,
    Worked,
    Worker,
    parse_entity,
    parse_event,
    verify_webhook,
    web,
)
from razorpay_hardened.client import AsyncItems, Client, Items
from razorpay_hardened.domain.entities import (
    AnyEntity,
    BankAccount,
    Card,
    Collection,
    LineItem,
    QrCode,
    SubscriptionPlan,
    VirtualAccount,
    Vpa,
)
from razorpay_hardened.domain.entities import Subscription as SubscriptionEntity
from razorpay_hardened.domain.state import OrderState, RefundState


def the_order_of_the_proof(body: bytes, headers: dict[str, str], secret: str) -> WebhookEvent:
    """Bytes are verified, and only what is verified can be parsed."""
    proof = verify_webhook(body, headers["X-Razorpay-Signature"], secret=secret)
    assert_type(proof, VerifiedBody)
    parse_event(body)  # type: ignore[arg-type]
    VerifiedBody(body)  # type: ignore[arg-type]
    event = parse_event(proof)
    assert_type(event, WebhookEvent)
    return event


def money_is_not_a_number(rzp: Razorpay) -> None:
    """An amount without a currency, and a float, are refused."""
    rzp.client.orders.create(amount=49900, receipt="inv-42")  # type: ignore[arg-type]
    Money.inr(499.0)  # type: ignore[arg-type]
    assert_type(Money.inr("499.00") + Money(1), Money)
    Money.inr("1.00") + 1  # type: ignore[operator]


def the_client_is_typed(client: Client) -> None:
    """Typed models, and lazy iteration."""
    assert_type(client.orders.create(amount=Money.inr("499.00"), receipt="inv-42"), Order)
    assert_type(client.payments.fetch("pay_00000000000001"), Payment)
    refund = client.payments.refund("pay_00000000000001", Money.inr("1.00"), idempotency_key="a")
    assert_type(refund, Refund)
    payments = client.payments.iter(from_=datetime(2026, 1, 1, tzinfo=UTC))
    assert_type(payments, Items[Payment])
    assert_type(next(payments), Payment)
    assert_type(client.with_options(timeout_s=5, max_attempts=2), Client)


async def the_asynchronous_client_is_typed(client: AsyncClient) -> None:
    """The same types, awaited."""
    assert_type(await client.orders.create(amount=Money.inr("499.00"), receipt="inv-42"), Order)
    assert_type(await client.orders.find_by_receipt("inv-42"), Order | None)
    assert_type(await client.orders.payments("order_00000000000001"), tuple[Payment, ...])
    assert_type(client.payments.iter(), AsyncItems[Payment])
    async for refund in client.refunds.iter():
        assert_type(refund, Refund)
    assert_type(client.with_options(account_id=None), AsyncClient)
    await client.orders.create(amount=49900)  # type: ignore[arg-type]
    await client.orders.fetch()  # type: ignore[call-arg]


def the_journeys_are_typed(rzp: Razorpay) -> None:
    """What goes in and what comes out."""
    assert_type(rzp.checkout.start(owner="user:7", plan="gold-monthly"), CheckoutOrder)
    assert_type(rzp.checkout.confirm({"razorpay_payment_id": "pay_1"}, owner="user:7"), Confirmation)
    assert_type(rzp.checkout.status("order_00000000000001"), OrderState)
    assert_type(rzp.checkout.refund("pay_00000000000001", key="cart-7"), RefundState)
    assert_type(rzp.webhooks.handle(web.Request("POST", {}, b"")), web.Reply)
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert_type(rzp.reconciler.run(since=since, until=since, repair=False), Reconciliation)
    assert_type(rzp.audit.verify(), Verification)
    assert_type(rzp.audit.at("pay_00000000000001", since), Past)
    assert_type(rzp.audit.explain("pay_00000000000001"), Explanation)
    rzp.checkout.start("user:7")  # type: ignore[call-arg]


def handlers_keep_their_type(rzp: Razorpay) -> None:
    """A decorated handler is still the function that it was."""

    @rzp.on("order.paid", name="grant-access")
    def grant(change: Change, tx: EffectTransaction) -> None:
        tx.execute("INSERT INTO access (owner) VALUES (?)", (change.key,))

    @rzp.after("order.paid")
    def mail(change: Change) -> str:
        return change.key

    def of(change: Change) -> None:
        assert_type(mail(change), str)
        assert_type(change.order, OrderState | None)
        change.order.owner  # type: ignore[union-attr]  # noqa: B018


def stores_are_stores() -> tuple[Store, Store]:
    """Both fulfil the protocol."""
    return MemoryStore(), SQLiteStore("shop.db")


def modes_are_words(store: Store) -> Razorpay:
    """A typo in ``ack`` is found before it runs."""
    return Razorpay.from_env(store=store, ack="later")  # type: ignore[arg-type]


def entities_are_typed_by_kind(body: dict[str, object], kind: str) -> None:
    """A literal kind gives its model, whose fields have the types that Razorpay documents."""
    payment = parse_entity(body, "payment")
    assert_type(payment, Payment)
    assert_type(payment.card, Card | None)
    assert_type(payment.email, str | None)
    assert_type(payment.fee_money, Money | None)
    payment.amount = 1  # type: ignore[misc]
    order = parse_entity(body, "order")
    assert_type(order.payments, Collection | None)
    assert_type(parse_entity(body, "subscription"), SubscriptionEntity)
    assert_type(parse_entity(body, "subscription").charge_at, int | None)
    assert_type(parse_entity(body, "plan"), SubscriptionPlan)
    assert_type(parse_entity(body, "invoice").line_items, list[LineItem] | None)
    account = parse_entity(body, "virtual_account")
    assert_type(account, VirtualAccount)
    assert_type(account.receivers, list[BankAccount | Vpa | QrCode] | None)
    assert_type(parse_entity(body, "settlement.recon_item").net, int)
    assert_type(parse_entity(body), AnyEntity)
    assert_type(parse_entity(body, kind), AnyEntity)


def driving_it_is_typed(rzp: Razorpay) -> None:
    """A Razorpay is what a worker needs; an event of the standard library ends it."""
    assert_type(rzp.work(limit=10, housekeeping=False, budget_s=1.5, stop=lambda: False), Worked)
    assert_type(Worker(rzp, on_round=lambda worked: worked.more).run(threading.Event()), None)
    Worker(rzp).run(stop=lambda: True)  # type: ignore[arg-type]
