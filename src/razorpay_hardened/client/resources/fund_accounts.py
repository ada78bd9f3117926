"""Fund accounts of customers: where a refund may go (API reference "Customers")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources import _sealed
from razorpay_hardened.client.resources._body import said, text
from razorpay_hardened.client.resources._read import FUND_ACCOUNT
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.domain.ids import check_id

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import FundAccount

__all__ = ["AsyncFundAccounts", "FundAccounts"]


def _create(
    customer_id: str,
    *,
    bank_account: Mapping[str, Any],
    account_type: str = "bank_account",
    extra: Mapping[str, Any] | None = None,
) -> Ask[FundAccount]:
    """A new fund account of the customer.

    ``bank_account`` has ``name``, ``ifsc`` and ``account_number`` (text, or a :class:`Secret`). Nothing is sent twice:
    after :class:`OutcomeUnknown`, ``list`` shows whether it is there.
    """
    customer_id = check_id("customer", customer_id)
    body = said(
        {
            "customer_id": customer_id,
            "account_type": text("account_type", account_type, 40),
            "bank_account": _sealed.bank_account(
                "bank_account", bank_account, needs=("name", "ifsc", "account_number")
            ),
        },
        extra,
        needs=("account_type", "bank_account"),
    )
    return Ask(Call(op.FUND_ACCOUNT_CREATE, data=body), FUND_ACCOUNT.echoing(customer_id=customer_id))


def _list(customer_id: str) -> Ask[tuple[FundAccount, ...]]:
    """The fund accounts of the customer. Razorpay documents no paging for them."""
    customer_id = check_id("customer", customer_id)

    def parse(answer: Any) -> tuple[FundAccount, ...]:
        found = FUND_ACCOUNT.many(answer)
        for account in found:
            read.echo("customer_id", account.customer_id, customer_id)
        return found

    return Ask(Call(op.FUND_ACCOUNT_LIST, data={"customer_id": customer_id}), parse)


class FundAccounts(Resource):
    """``client.fund_accounts``."""

    create = sync(_create)
    list = sync(_list)


class AsyncFundAccounts(AsyncResource):
    """``client.fund_accounts``, awaited."""

    create = awaited(_create)
    list = awaited(_list)
