"""What somebody can do from the dashboard: a label, a few fields, and the method of the emulator that does it.

A new act is one row in ``ACTS``; the pages draw its form where it fits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from razorpay_hardened.emulator import instruments
from razorpay_hardened.emulator._webhook import MAIN
from razorpay_hardened.emulator.wire import Entity
from razorpay_hardened.errors import ConfigError

if TYPE_CHECKING:
    from razorpay_hardened.emulator.emulator import Emulator

__all__ = ["ACTS", "Act", "Field", "acts_on", "perform"]

Values = dict[str, str]


class Field(NamedTuple):
    """One input. ``choices`` make it a list; ``kind`` is an HTML input type."""

    name: str
    label: str
    value: str = ""
    choices: tuple[str, ...] = ()
    kind: str = "text"
    empty: str = "as the instrument decides"


class Act(NamedTuple):
    """``on`` is the kind of entity that it belongs to, whose id arrives as ``id``; empty for the account itself.

    ``run`` gives the sentence that says what happened. ``fits`` tells for which entities it is offered. ``needs`` is
    the emulator's method behind it, where not every emulator has it.
    """

    name: str
    label: str
    on: str
    run: Callable[[Emulator, Values], str]
    fields: tuple[Field, ...] = ()
    fits: Callable[[Entity], bool] = lambda entity: True
    needs: str = "pay"


def perform(emulator: Emulator, name: str, values: Values) -> str:
    """Do it. Raises the emulator's own errors, and :class:`ConfigError` for an unknown act."""
    for act in ACTS:
        if act.name == name:
            return act.run(emulator, values)
    raise ConfigError(f"the dashboard cannot do {name!r}")


def acts_on(emulator: Emulator, kind: str, entity: Entity) -> list[Act]:
    """The acts that fit this entity as it is now."""
    return [act for act in ACTS if act.on == kind and act.fits(entity) and hasattr(emulator, act.needs)]


def _status_in(*statuses: str) -> Callable[[Entity], bool]:
    return lambda entity: entity.get("status") in statuses


def _number(values: Values, name: str) -> int | None:
    """A whole number, or None where the field is empty."""
    text = values.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ConfigError(f"{name} is a whole number; not {text!r}")
    return int(text)


def _tells(method: str, *names: str, amount: bool = False) -> Callable[[Emulator, Values], str]:
    """Call the method with the entity's id, an amount where it takes one, and these fields; say what came of it."""

    def run(emulator: Emulator, values: Values) -> str:
        act = getattr(emulator, method, None)
        if act is None:
            raise ConfigError(f"this emulator cannot {method.replace('_', ' ')}")
        arguments: list[object] = [values["id"]] if "id" in values else []
        if amount:
            arguments.append(_number(values, "amount"))
        told = act(*arguments, **{name: values[name] for name in names if values.get(name)})
        return "nothing happened" if told is None else f"{told['id']} is {told.get('status', 'changed')}"

    return run


def _pay(emulator: Emulator, values: Values) -> str:
    card, vpa = values.get("card") or None, values.get("vpa") or None
    outcome = values.get("outcome") or None
    method = values.get("method") or "upi"
    payment = emulator.pay(values["id"], method, card=card, vpa=vpa, outcome=outcome)
    return f"{payment['id']} is {payment['status']}"


def _bank_answers(emulator: Emulator, values: Values) -> str:
    payment = emulator.bank_answers(values["id"], values.get("outcome") or "authorized")
    return f"{payment['id']} is {payment['status']}"


def _capture(emulator: Emulator, values: Values) -> str:
    payment = emulator.capture(values["id"])
    return f"{payment['id']} is {payment['status']}"


def _refund(emulator: Emulator, values: Values) -> str:
    refund = emulator.refund(values["id"], _number(values, "amount"), speed=values.get("speed") or "normal")
    return f"{refund['id']} is {refund['status']}"


def _settle_refund(emulator: Emulator, values: Values) -> str:
    refund = emulator.settle_refund(values["id"], values.get("outcome") or "processed")
    return f"{refund['id']} is {refund['status']}"


def _advance(emulator: Emulator, values: Values) -> str:
    seconds = _number(values, "seconds") or 0
    before = len(emulator.deliver.log)
    emulator.clock.advance(seconds)
    return f"{seconds:,} seconds have passed, with {len(emulator.deliver.log) - before} webhook attempts"


def _register(emulator: Emulator, values: Values) -> str:
    events = values.get("events", "").replace(",", " ").split() or None
    hook = emulator.deliver.register(values.get("url", ""), secret=values.get("secret") or None, events=events)
    return f"webhook {hook.name} is registered; its secret is {hook.secret}"


def _disable(emulator: Emulator, values: Values) -> str:
    emulator.deliver.disable(values["webhook"])
    return f"webhook {values['webhook']} is disabled"


def _enable(emulator: Emulator, values: Values) -> str:
    emulator.deliver.enable(values["webhook"])
    return f"webhook {values['webhook']} is enabled"


def _flush(emulator: Emulator, _: Values) -> str:
    return f"{len(emulator.deliver.flush())} webhook attempts were made"


def _resend(emulator: Emulator, values: Values) -> str:
    emulator.deliver.replay(values["id"], webhook=values.get("webhook") or MAIN)
    emulator.clock.advance(0)
    last = next((one for one in reversed(emulator.deliver.log) if one.event_id == values["id"]), None)
    answer = "it waits for an endpoint" if last is None else f"the last answer was {last.status or 'none'}"
    return f"event {values['id']} was sent again; {answer}"


def _add_fault(emulator: Emulator, values: Values) -> str:
    rules = emulator.faults.add(values.get("rule", ""))
    return f"{len(rules)} fault rules were added"


def _clear_faults(emulator: Emulator, _: Values) -> str:
    emulator.faults.clear()
    return "no fault is in force any more"


_AMOUNT = Field("amount", "Amount in subunits; empty is all of it", kind="number")
_OUTCOME = Field("outcome", "Outcome", choices=("", *instruments.OUTCOMES))

ACTS: tuple[Act, ...] = (
    Act("advance", "Let time pass", "", _advance, (Field("seconds", "Seconds", "60", kind="number"),)),
    Act(
        "pay",
        "A customer pays",
        "order",
        _pay,
        (
            Field("method", "Method", "upi", instruments.METHODS),
            Field("card", "Test card (settles the method)"),
            Field("vpa", "UPI id (settles the method)"),
            _OUTCOME,
        ),
        _status_in("created", "attempted"),
    ),
    Act(
        "bank",
        "The bank answers",
        "payment",
        _bank_answers,
        (Field("outcome", "Answer", choices=("authorized", "captured", "failed")),),
        _status_in("created", "failed"),
    ),
    Act("capture", "Capture", "payment", _capture, (), _status_in("authorized")),
    Act(
        "refund",
        "Refund",
        "payment",
        _refund,
        (
            Field("amount", "Amount in subunits; empty is the rest", kind="number"),
            Field("speed", "Speed", choices=("normal", "optimum")),
        ),
        _status_in("captured"),
    ),
    Act(
        "settle_refund",
        "The bank decides about the refund",
        "refund",
        _settle_refund,
        (Field("outcome", "Outcome", choices=("processed", "failed")),),
        _status_in("pending"),
    ),
    Act(
        "dispute",
        "The customer's bank disputes it",
        "payment",
        _tells("dispute", "phase", "reason_code", amount=True),
        (
            _AMOUNT,
            Field(
                "phase", "Phase", "chargeback", ("fraud", "retrieval", "chargeback", "pre_arbitration", "arbitration")
            ),
            Field("reason_code", "Reason"),
        ),
        _status_in("captured"),
        "dispute",
    ),
    Act(
        "decide_dispute",
        "The bank decides",
        "dispute",
        _tells("decide_dispute", "outcome"),
        (Field("outcome", "Outcome", choices=("won", "lost", "closed", "action_required")),),
        _status_in("open", "under_review"),
        "decide_dispute",
    ),
    Act(
        "settle",
        "Settle now",
        "settlements",
        _tells("settle", "outcome"),
        (Field("outcome", "Outcome", choices=("processed", "failed")),),
        needs="settle",
    ),
    Act(
        "downtime",
        "A method goes down",
        "",
        _tells("downtime", "method", "severity"),
        (
            Field("method", "Method", choices=("card", "netbanking", "upi", "wallet")),
            Field("severity", "Severity", choices=("high", "medium", "low")),
        ),
        needs="downtime",
    ),
    Act(
        "downtime_changes",
        "Change the downtime",
        "payment.downtime",
        _tells("downtime_changes", "severity"),
        (Field("severity", "Severity", choices=("", "high", "medium", "low"), empty="resolve"),),
        _status_in("started", "updated", "scheduled"),
        "downtime_changes",
    ),
    Act(
        "pay_link",
        "A customer pays the link",
        "payment_link",
        _tells("pay_link", "method"),
        (Field("method", "Method", "upi", instruments.METHODS),),
        _status_in("created", "partially_paid"),
        "pay_link",
    ),
    Act(
        "pay_invoice",
        "A customer pays the invoice",
        "invoice",
        _tells("pay_invoice", "method"),
        (Field("method", "Method", "upi", instruments.METHODS),),
        _status_in("issued", "partially_paid"),
        "pay_invoice",
    ),
    Act(
        "charge",
        "Charge now",
        "subscription",
        _tells("charge"),
        (),
        _status_in("authenticated", "active", "pending"),
        "charge",
    ),
    Act(
        "credit_qr",
        "A customer scans and pays",
        "qr_code",
        _tells("credit_qr", amount=True),
        (_AMOUNT,),
        _status_in("active"),
        "credit_qr",
    ),
    Act(
        "register",
        "Register a webhook",
        "webhooks",
        _register,
        (
            Field("url", "URL", kind="url"),
            Field("secret", "Secret; empty makes one"),
            Field("events", "Events; empty is all"),
        ),
    ),
    Act("disable", "Disable", "webhook", _disable),
    Act("enable", "Enable", "webhook", _enable),
    Act("resend", "Resend", "event", _resend),
    Act("flush", "Send everything that waits now", "webhooks", _flush),
    Act(
        "add_fault",
        "Add a fault",
        "faults",
        _add_fault,
        (Field("rule", "Rule, such as: on POST /orders: do_then_hang(5) once"),),
    ),
    Act("clear_faults", "Clear all faults", "faults", _clear_faults),
)
