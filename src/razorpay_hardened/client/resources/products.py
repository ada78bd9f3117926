"""Products: what a linked account may use, and where its money goes (FACTS section 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _read as read
from razorpay_hardened.client.resources._body import changed, flag, object_of, said, text
from razorpay_hardened.client.resources._read import PRODUCT, TERMS
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Product, TncMap

__all__ = ["AsyncProducts", "Products"]

NUMBER_MIN, NUMBER_MAX = 5, 20
IFSC_LENGTH: Final = 11
_WORD = re.compile(r"[a-z_]{1,64}", re.ASCII)


def _request(
    account_id: str,
    *,
    product_name: str,
    tnc_accepted: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Product]:
    """Ask for a product on behalf of the account, such as ``route`` or ``payment_gateway``.

    ``requirements`` of the answer says what is missing. Nothing is sent twice: after :class:`OutcomeUnknown`, ask the
    account holder, or Razorpay; there is no listing of products.
    """
    account_id = check_id("account", account_id)
    fields = {
        "product_name": text("product_name", product_name, 64),
        "tnc_accepted": flag("tnc_accepted", tnc_accepted),
    }
    body = said(fields, extra, needs=("product_name",))
    return Ask(Call(op.PRODUCT_REQUEST, (account_id,), body), _of(account_id))


def _fetch(account_id: str, product_id: str) -> Ask[Product]:
    """The product (``acc_prd_…``) as it is set up now; ``activation_status`` says how far it has come."""
    ids = _ids(account_id, product_id)
    return Ask(Call(op.PRODUCT_FETCH, ids), _of(*ids))


def _edit(
    account_id: str,
    product_id: str,
    *,
    settlements: Mapping[str, Any] | None = None,
    tnc_accepted: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Ask[Product]:
    """The product with another set-up. ``settlements`` is where the account's money goes: ``account_number`` (5 to 20
    characters), ``ifsc_code``, ``beneficiary_name``.

    What partners can set besides (``payment_methods``, ``checkout``, ``refund``, ``notifications`` …) goes into
    ``extra``. Look at ``active_configuration`` of the answer. A set-up that is complete is reviewed and locked, so a
    doubt is settled by fetching it: what was sent must be there, or be asked for.
    """
    ids = _ids(account_id, product_id)
    fields = {"settlements": _settlements(settlements), "tnc_accepted": flag("tnc_accepted", tnc_accepted)}
    body = changed(fields, extra)

    def look() -> Plan[Product | None]:
        found: Product = yield _fetch(account_id, product_id)
        return found if _holds(found.as_sent(), body) else None

    return Ask(Call(op.PRODUCT_EDIT, ids, body), _of(*ids), Settle(look, explains=lambda _: False))


def _holds(there: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether all that was asked is among what the product has, or has been asked to have."""
    active, wanted = there.get("active_configuration"), there.get("requested_configuration")
    return all(
        _within(value, _part(there.get("tnc"), "accepted"))
        if name == "tnc_accepted"
        else _within(value, _part(active, name)) or _within(value, _part(wanted, name))
        for name, value in asked.items()
    )


def _part(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _within(asked: Any, there: Any) -> bool:
    """Numbers come back as text, and text as numbers."""
    if isinstance(asked, Mapping):
        return isinstance(there, Mapping) and all(_within(value, there.get(name)) for name, value in asked.items())
    return asked == there or (there is not None and str(asked) == str(there))


def _settlements(settlements: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Money goes there: what is documented about it is checked."""
    found = object_of("settlements", settlements)
    if found is None:
        return None
    number, ifsc = found.get("account_number"), found.get("ifsc_code")
    if number is not None and (type(number) not in (str, int) or not NUMBER_MIN <= len(str(number)) <= NUMBER_MAX):
        raise FieldInvalid(f"the account_number of settlements must have {NUMBER_MIN} to {NUMBER_MAX} characters")
    if ifsc is not None and (type(ifsc) is not str or len(ifsc) != IFSC_LENGTH):
        raise FieldInvalid(f"the ifsc_code of settlements must be text of {IFSC_LENGTH} characters")
    return found


def _of(account_id: str, product_id: str | None = None) -> Callable[[Any], Product]:
    """A parser for that product. Answers to a change may hold the two configurations only, and no id."""

    def parse(answer: Any) -> Product:
        product = PRODUCT.one(answer)
        if product.account_id is not None:
            read.echo("account_id", product.account_id, account_id)
        if product.id is not None and product_id is not None:
            read.echo("id", product.id, product_id)
        return product

    return parse


def _terms(product_name: str) -> Ask[TncMap]:
    """The terms of a family of products, such as ``payments``: where to read them."""
    if type(product_name) is not str or not _WORD.fullmatch(product_name):
        raise FieldInvalid("product_name must be small letters and underscores")
    return Ask(Call(op.PRODUCT_TERMS, (product_name,)), TERMS.one)


def _ids(account_id: str, product_id: str) -> tuple[str, str]:
    return check_id("account", account_id), check_id("product", product_id)


class Products(Resource):
    """``client.products``."""

    request = sync(_request)
    fetch = sync(_fetch)
    edit = sync(_edit)
    terms = sync(_terms)


class AsyncProducts(AsyncResource):
    """``client.products``, awaited."""

    request = awaited(_request)
    fetch = awaited(_fetch)
    edit = awaited(_edit)
    terms = awaited(_terms)
