"""Tokens: saved ways to pay, mandates among them, and cards as tokens of their networks (API reference "Tokens")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import check_notes
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _sealed
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import object_of, said, text
from razorpay_hardened.client.resources._read import ACKNOWLEDGEMENT, TOKEN, TRANSACTION_DATA
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Acknowledgement, Token, TransactionData

__all__ = ["AsyncTokens", "Tokens"]

_CANCELLED: Final = ("cancellation_initiated", "cancelled")


def _list(customer_id: str) -> Ask[tuple[Token, ...]]:
    """Every token of the customer. Razorpay documents no paging for them."""
    return Ask(Call(op.TOKEN_LIST, (check_id("customer", customer_id),)), TOKEN.many)


def _fetch(customer_id: str, token_id: str) -> Ask[Token]:
    """The customer's token as Razorpay has it now."""
    ids = (check_id("customer", customer_id), check_id("token", token_id))
    return Ask(Call(op.TOKEN_FETCH, ids), TOKEN.echoing(id=ids[1]))


def _delete(customer_id: str, token_id: str) -> Plan[None]:
    """Forget the token: nobody can be charged by it any more. Raises :class:`ApiBadRequest` where there is none."""
    ids = (check_id("customer", customer_id), check_id("token", token_id))
    return _gone(settle.deleted(Call(op.TOKEN_DELETE, ids), _fetch(*ids)))


def _gone(ask: Ask[bool]) -> Plan[None]:
    yield ask


def _cancel(customer_id: str, token_id: str) -> Ask[Acknowledgement]:
    """Cancel the customer's mandate. The ``status`` is cancellation_initiated or cancelled: both count as done.

    The mandate ends when the bank agrees: ``fetch`` it, or wait for ``token.cancelled``.
    """
    ids = (check_id("customer", customer_id), check_id("token", token_id))

    def parse(answer: Any) -> Acknowledgement:
        told = ACKNOWLEDGEMENT.one(answer)
        if told.status not in _CANCELLED:
            raise PayloadInvalid("the answer does not say that the mandate ends")
        return told

    def look() -> Plan[Acknowledgement | None]:
        token: Token = yield _fetch(*ids)
        status: str | None = getattr(token.recurring_details, "status", None)
        return parse({"status": status}) if status in _CANCELLED else None

    # Any refusal may mean that it is cancelled already: the words are not documented, so the token is asked.
    return Ask(Call(op.TOKEN_CANCEL, ids), parse, Settle(look, explains=lambda _: True))


# --- cards as tokens of their networks ------------------------------------------------------------------------------


def _create(
    *,
    card: Mapping[str, Any],
    authentication: Mapping[str, Any],
    customer_id: str | None = None,
    method: str = "card",
    notes: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Token]:
    """The network's token for a card, which then need not be kept anywhere.

    ``card`` has ``number`` and ``cvv`` (text, or each a :class:`Secret`), ``expiry_month``, ``expiry_year`` and
    ``name``; ``authentication`` says how the customer agreed: ``provider``, ``provider_reference_id``,
    ``authentication_reference_number``. Nothing is sent twice: after :class:`OutcomeUnknown`, look through ``list``.
    """
    body = said(
        {
            "customer_id": None if customer_id is None else check_id("customer", customer_id),
            "method": text("method", method, 40),
            "card": _sealed.card(card, needs=("number", "expiry_month", "expiry_year")),
            "authentication": object_of("authentication", authentication),
            "notes": None if notes is None else check_notes(notes),
        },
        extra,
        needs=("method", "card", "authentication"),
    )
    return Ask(Call(op.TOKEN_CREATE, data=body), TOKEN.one)


def _fetch_network_token(token_id: str) -> Ask[Token]:
    """The network's token as Razorpay has it now, whoever's it is."""
    token_id = check_id("token", token_id)
    return Ask(Call(op.TOKEN_NETWORK_FETCH, data={"id": token_id}), TOKEN.echoing(id=token_id))


def _delete_network_token(token_id: str) -> Plan[None]:
    """Have the network forget the token. Raises :class:`ApiBadRequest` where there is none."""
    token_id = check_id("token", token_id)
    call = Call(op.TOKEN_NETWORK_DELETE, data={"id": token_id})
    return _gone(settle.deleted(call, _fetch_network_token(token_id)))


def _transaction_data(provider_token_id: str) -> Ask[TransactionData]:
    """What another gateway needs to charge the token: its number, and a cryptogram that is good for one payment.

    ``provider_token_id`` (``spt_…``) is the id of one of the token's ``service_provider_tokens``. ``repr`` shows
    nothing of the answer; do not store it. Nothing is sent twice.
    """
    provider_token_id = check_id("service_provider_token", provider_token_id)
    return Ask(Call(op.TOKEN_TRANSACTION_DATA, data={"id": provider_token_id}), TRANSACTION_DATA.one)


class Tokens(Resource):
    """``client.tokens``."""

    list = sync(_list)
    fetch = sync(_fetch)
    delete = sync(_delete)
    cancel = sync(_cancel)
    create = sync(_create)
    fetch_network_token = sync(_fetch_network_token)
    delete_network_token = sync(_delete_network_token)
    transaction_data = sync(_transaction_data)


class AsyncTokens(AsyncResource):
    """``client.tokens``, awaited."""

    list = awaited(_list)
    fetch = awaited(_fetch)
    delete = awaited(_delete)
    cancel = awaited(_cancel)
    create = awaited(_create)
    fetch_network_token = awaited(_fetch_network_token)
    delete_network_token = awaited(_delete_network_token)
    transaction_data = awaited(_transaction_data)
