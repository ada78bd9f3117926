"""Disputes: what a customer's bank claims back, and what the business answers (FACTS sections 8 and 9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from razorpay_hardened.client import _operations as op
from razorpay_hardened.client._ask import Ask, Plan, Settle
from razorpay_hardened.client._checks import expanding, window
from razorpay_hardened.client._values import Call
from razorpay_hardened.client.resources import _settle as settle
from razorpay_hardened.client.resources._body import choice, each, payable, said, text
from razorpay_hardened.client.resources._listing import Listing, one_page
from razorpay_hardened.client.resources._read import DISPUTE
from razorpay_hardened.client.resources._surface import AsyncResource, Resource, awaited, sync, walked, walked_async
from razorpay_hardened.domain.ids import check_id
from razorpay_hardened.errors import CurrencyMismatch, FieldInvalid, PayloadInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Dispute
    from razorpay_hardened.domain.money import Money
    from razorpay_hardened.ports.gateway import Moment, Page

__all__ = ["AsyncDisputes", "Disputes"]

SUMMARY_MAX: Final = 1000


def _fetch(dispute_id: str, *, expand: Collection[str] = ()) -> Ask[Dispute]:
    """The dispute as Razorpay has it now. ``expand``: ``payment``, ``transaction.settlement``."""
    dispute_id = check_id("dispute", dispute_id)
    return Ask(Call(op.DISPUTE_FETCH, (dispute_id,), expanding(expand)), DISPUTE.echoing(id=dispute_id))


def _list(
    *,
    expand: Collection[str] = (),
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    skip: int = 0,
) -> Ask[Page[Dispute]]:
    """One page of disputes. ``expand``: ``payment``, ``transaction.settlement``."""
    filters = expanding(expand)
    return one_page(op.DISPUTE_LIST, DISPUTE.many, from_=from_, to=to, count=count, skip=skip, filters=filters)


def _iter(
    *,
    expand: Collection[str] = (),
    from_: Moment | None = None,
    to: Moment | None = None,
    count: int = 100,
    cursor: str | None = None,
) -> Listing[Dispute]:
    """Every dispute in the window, page by page as you go, each id once. Raises :class:`ReconcileStalled`."""
    query = {**window(from_, to), **expanding(expand)}
    return Listing(op.DISPUTE_LIST, DISPUTE.many, query=query, count=count, cursor=cursor)


def _accept(dispute_id: str) -> Ask[Dispute]:
    """Give the money back: the dispute is lost, and there is no way back (FACTS section 9).

    A doubt is settled by fetching it: one that is lost counts as accepted. Raises :class:`ApiBadRequest` for a dispute
    that is under review, won or closed.
    """
    dispute_id = check_id("dispute", dispute_id)
    # One in the fraud phase can only close (FACTS section 9).
    return settle.moved(Call(op.DISPUTE_ACCEPT, (dispute_id,)), _fetch(dispute_id), "lost", may_end=("closed",))


def _contest(
    dispute_id: str,
    *,
    action: Literal["draft", "submit"],
    amount: Money | None = None,
    summary: str | None = None,
    shipping_proof: Collection[str] | None = None,
    billing_proof: Collection[str] | None = None,
    cancellation_proof: Collection[str] | None = None,
    customer_communication: Collection[str] | None = None,
    proof_of_service: Collection[str] | None = None,
    explanation_letter: Collection[str] | None = None,
    refund_confirmation: Collection[str] | None = None,
    access_activity_log: Collection[str] | None = None,
    refund_cancellation_policy: Collection[str] | None = None,
    term_and_conditions: Collection[str] | None = None,
    others: Sequence[Mapping[str, Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Plan[Dispute]:
    """Answer the dispute with evidence. A ``draft`` can be changed; what is submitted cannot (FACTS section 9).

    Each kind of proof is a list of document ids, from ``documents.create``; ``others`` are mappings of ``type`` and
    ``document_ids``. ``summary`` has at most 1,000 characters. ``amount`` is the part that is contested, all of it
    where none is said; Razorpay takes it without a currency, so the dispute is fetched first, and another currency is
    :class:`CurrencyMismatch`.

    A doubt is settled by fetching the dispute: this very evidence must be there, and have been submitted where that
    was asked. Raises :class:`OutcomeUnknown` where it cannot be settled: look at ``evidence`` before you repeat it.
    """
    dispute_id = check_id("dispute", dispute_id)
    proofs = {
        "shipping_proof": shipping_proof,
        "billing_proof": billing_proof,
        "cancellation_proof": cancellation_proof,
        "customer_communication": customer_communication,
        "proof_of_service": proof_of_service,
        "explanation_letter": explanation_letter,
        "refund_confirmation": refund_confirmation,
        "access_activity_log": access_activity_log,
        "refund_cancellation_policy": refund_cancellation_policy,
        "term_and_conditions": term_and_conditions,
    }
    evidence = {
        "amount": None if amount is None else payable("amount", amount).subunits,
        "summary": text("summary", summary, SUMMARY_MAX),
        **{name: _documents(name, ids) for name, ids in proofs.items()},
        "others": None if others is None else [_other(one) for one in each("others", others)],
    }
    submits = choice("action", action, ("draft", "submit")) == "submit"
    body = said({**evidence, "action": action}, extra, needs=("action",))
    if len(body) == 1 and not submits:
        raise FieldInvalid("a draft needs some evidence")
    if amount is not None:
        found: Dispute = yield _fetch(dispute_id)
        if found.currency != amount.currency:
            raise CurrencyMismatch(f"the dispute is in {found.currency}, the amount in {amount.currency}")
    contested: Dispute = yield _contesting(dispute_id, body, said(evidence), submits)
    return contested


def _contesting(dispute_id: str, body: dict[str, Any], evidence: dict[str, Any], submits: bool) -> Ask[Dispute]:
    def parse(answer: Any) -> Dispute:
        dispute = DISPUTE.echoing(id=dispute_id)(answer)
        if submits and dispute.status == "open":
            raise PayloadInvalid("the answer is a success, and the dispute is still open")  # so: ask
        return dispute

    def look() -> Plan[Dispute | None]:
        found: Dispute = yield _fetch(dispute_id)
        # One that was open again after a review still tells when it was submitted before.
        there = not submits or (found.status != "open" and getattr(found.evidence, "submitted_at", None) is not None)
        return found if there and _holds(found.evidence, evidence) else None

    return Ask(Call(op.DISPUTE_CONTEST, (dispute_id,), body), parse, Settle(look, explains=lambda _: submits))


def _holds(there: object, evidence: dict[str, Any]) -> bool:
    """Whether the dispute's evidence is what was sent, as far as something was: lists in any order."""
    return all(_unordered(getattr(there, name, None)) == _unordered(value) for name, value in evidence.items())


def _unordered(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return sorted(value) if all(isinstance(one, str) for one in value) else sorted(map(_as_text, value))


def _as_text(other: Any) -> str:
    """A type of evidence and its documents; Razorpay's own objects and ours alike."""
    pair = (other.get("type"), other.get("document_ids")) if isinstance(other, Mapping) else None
    kind, ids = pair or (getattr(other, "type", None), getattr(other, "document_ids", None))
    return f"{kind}: {sorted(ids) if isinstance(ids, list) else ids}"


def _documents(name: str, ids: Collection[str] | None) -> list[str] | None:
    if ids is None:
        return None
    if isinstance(ids, str | bytes) or not isinstance(ids, Collection):
        raise FieldInvalid(f"{name} must be a list of document ids")
    return [check_id("document", one) for one in ids]


def _other(other: Mapping[str, Any]) -> dict[str, Any]:
    if set(other) != {"type", "document_ids"} or text("the type of others", other["type"], 255) is None:
        raise FieldInvalid("each of others must have a type and document_ids, and nothing else")
    return {"type": other["type"], "document_ids": _documents("document_ids", other["document_ids"]) or []}


class Disputes(Resource):
    """``client.disputes``."""

    fetch = sync(_fetch)
    list = sync(_list)
    iter = walked(_iter)
    accept = sync(_accept)
    contest = sync(_contest)


class AsyncDisputes(AsyncResource):
    """``client.disputes``, awaited."""

    fetch = awaited(_fetch)
    list = awaited(_list)
    iter = walked_async(_iter)
    accept = awaited(_accept)
    contest = awaited(_contest)
