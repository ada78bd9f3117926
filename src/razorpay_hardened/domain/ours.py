"""Whose it is: the rule that tells our orders from those of other applications on the same Razorpay account.

Three answers, because two would be a lie: what a body shows may prove that it is ours, or that it is somebody else's,
or neither. Our own records are asked before this rule is: what is on record here is ours, whatever it says.

- A **receipt** is whoever made the order's: with our prefix it is ours, with another beginning it is not. So are the
  receipt of an invoice and the reference of a payment link: the order behind them carries the same (in each of
  Razorpay's samples where both are set).
- **Notes** that carry our whole marker are ours. One of its keys with another value is somebody else's marker. A key
  that is not there proves nothing: payments need not carry the notes of their order (in some samples they do, in others
  each has its own, and no page promises either), and many applications send no notes at all.

Where the two disagree, it is ours: news of ours taken for foreign would be lost from sight, and foreign news taken for
ours waits, and is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from razorpay_hardened.errors import FieldInvalid

if TYPE_CHECKING:
    from razorpay_hardened.domain.entities import Entity
    from razorpay_hardened.domain.events import WebhookEvent

__all__ = ["FOREIGN", "LOCAL", "PREFIX_RULE", "Ours", "Whose", "is_marker", "is_prefix", "local_ids_in"]

Whose: TypeAlias = Literal["ours", "theirs", "unknown"]
"""``unknown``: what is shown proves neither."""

FOREIGN: Final = "foreign"
"""The reason of a delivery that was set aside because it is somebody else's."""

LOCAL: Final = "local_"
"""What our local ids begin with, and receipts where no prefix is set."""

PREFIX_RULE: Final = "must be 1 to 14 of the characters A-Z a-z 0-9 . _ / # -, and not begin as our local ids do"
_PREFIX: Final = re.compile(r"[A-Za-z0-9._/#-]{1,14}", re.ASCII)  # 26 more make a receipt: 40 at most (FACTS section 1)
_TAIL: Final = re.compile(r"[0-9a-f]{26}\Z", re.ASCII)
_NOTES_MAX: Final = 10
"""Razorpay takes 15 (FACTS section 1): the rest is for the application's own."""

_REFERENCES: Final = {"invoice": "receipt", "payment_link": "reference_id"}
"""Kind → the field that its order has as its receipt."""


def is_prefix(value: object) -> bool:
    """Whether receipts may begin so."""
    return type(value) is str and _PREFIX.fullmatch(value) is not None and not _alike(value, LOCAL)


def _alike(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def is_marker(notes: object) -> bool:
    """Whether these notes may be a marker: few, and text that Razorpay takes."""
    if not isinstance(notes, Mapping) or len(notes) > _NOTES_MAX:
        return False
    return all(type(text) is str and 1 <= len(text) <= 255 for pair in notes.items() for text in pair)


def local_ids_in(receipt: str | None) -> tuple[str, ...]:
    """The local ids that an order with this receipt may have: the receipt itself, or what follows a prefix, be it the
    present one or an earlier one. Whoever finds such an order must see that its receipt is this one."""
    if not receipt:
        return ()
    tail = _TAIL.search(receipt)
    return (receipt,) if tail is None or receipt.startswith(LOCAL) else (receipt, LOCAL + tail[0])


@dataclass(frozen=True, slots=True)
class Ours:
    """``Ours(receipt_prefix="shop-", notes={"app": "shop"})``: how to tell what this application made.

    Give one or both. No application's prefix may begin with another's. Raises :class:`FieldInvalid`.
    """

    receipt_prefix: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.receipt_prefix is not None and not is_prefix(self.receipt_prefix):
            raise FieldInvalid(f"receipt_prefix {PREFIX_RULE}")
        if not is_marker(self.notes):
            raise FieldInvalid(f"notes must be at most {_NOTES_MAX} pairs of text, each of 1 to 255 characters")
        if self.receipt_prefix is None and not self.notes:
            raise FieldInvalid("a rule needs a receipt prefix, or notes, or both")
        object.__setattr__(self, "notes", dict(self.notes))

    # --- making

    def receipt_for(self, local_id: str) -> str:
        """The receipt of an order of ours: the same for the same local id, at most 40 characters."""
        return local_id if self.receipt_prefix is None else self.receipt_prefix + local_id.removeprefix(LOCAL)

    def marked(self, notes: Mapping[str, str] | None) -> dict[str, str]:
        """``notes`` with our marker. Raises :class:`FieldInvalid` where they use one of its keys otherwise."""
        given = dict(notes or {})
        for key, value in self.notes.items():
            if given.setdefault(key, value) != value:
                raise FieldInvalid("these notes use a key of the marker that tells our orders from others': rename it")
        return given

    # --- telling

    def whose(self, *, receipt: object = None, notes: object = None) -> Whose:
        """What a receipt and notes prove together. Anything that is not text, or not a mapping, proves nothing."""
        return _together((self._of_receipt(receipt), self._of_notes(notes)))

    def whose_entity(self, entity: Entity | None) -> Whose:
        """What an order, a payment, an invoice, a link … proves by itself."""
        if entity is None:
            return "unknown"
        kind = entity.kind
        name = "receipt" if kind == "order" else _REFERENCES.get(kind, "")
        shown: Any = getattr(entity, name, None) if name else None
        return self.whose(receipt=shown, notes=getattr(entity, "notes", None))

    def whose_payment(self, payment: Entity | None, order: Entity | None) -> Whose:
        """A payment beside its order, or without it: the order's word counts more, because we made the order, and the
        page that took the payment may have set notes of its own."""
        said = self.whose_entity(order)
        return said if said != "unknown" else self.whose_entity(payment)

    def whose_event(self, event: WebhookEvent) -> Whose:
        """What the body of an event proves. A refund has notes of its own, by whoever refunded: they say nothing."""
        said = self.whose_entity(event.order)
        if said != "unknown":
            return said
        return _together(self.whose_entity(entity) for entity in (event.payment, *event.entities))

    def _of_receipt(self, receipt: object) -> Whose:
        if self.receipt_prefix is None or not isinstance(receipt, str) or not receipt:
            return "unknown"
        return "ours" if receipt.startswith(self.receipt_prefix) else "theirs"

    def _of_notes(self, notes: object) -> Whose:
        if not self.notes or not isinstance(notes, Mapping):
            return "unknown"
        if any(key in notes and notes[key] != value for key, value in self.notes.items()):
            return "theirs"
        return "ours" if all(key in notes for key in self.notes) else "unknown"


def _together(said: Iterable[Whose]) -> Whose:
    all_said = set(said)
    return "ours" if "ours" in all_said else "theirs" if "theirs" in all_said else "unknown"
