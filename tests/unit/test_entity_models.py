"""The models of every kind: what came in goes out, money is strict, the rest is kept, and nothing loads too early."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entity_bodies import BODIES
from razorpay_hardened.domain import entities
from razorpay_hardened.domain.entities import (
    BankAccount,
    Card,
    Collection,
    Detail,
    Entity,
    EventBody,
    InstantPayout,
    Order,
    Payment,
    Payout,
    QrCode,
    ReconItem,
    Subscription,
    SubscriptionPlan,
    Transaction,
    UnknownEntity,
    VirtualAccount,
    Vpa,
    parse_as,
    parse_collection,
    parse_entity,
)
from razorpay_hardened.domain.entities._base import Priced
from razorpay_hardened.domain.entities._fields import _AsSent, _Loose
from razorpay_hardened.domain.entities._registry import KINDS, MODULES, model_of
from razorpay_hardened.domain.money import Money
from razorpay_hardened.errors import CurrencyError, IdMalformed, PayloadInvalid
from razorpay_hardened.testing import factories

HOME = Path(entities.__file__).parent
ALL = sorted(BODIES)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)


def _model(kind: str) -> type[Entity]:
    model = model_of(kind)
    assert model is not None
    return model


def _amounts(kind: str) -> list[str]:
    """The fields of a body that hold money, by their names."""
    words = ("amount", "fee", "tax", "debit", "credit", "balance")
    return [name for name, value in BODIES[kind].items() if type(value) is int and any(word in name for word in words)]


NEWS: list[Any] = [None, True, -1, 0.5, "new", [], {}, [{"entity": "coffee"}], {"a": [None, {"b": 1}]}]
AMOUNTS = [(kind, name) for kind in ALL for name in _amounts(kind)]


# --- the round trip -----------------------------------------------------------------------------------------


def test_there_is_a_body_for_every_kind() -> None:
    """A kind without one would be a kind without a test."""
    assert set(BODIES) == set(KINDS)


@pytest.mark.parametrize("kind", ALL)
def test_what_came_in_goes_out(kind: str) -> None:
    """From a mapping and from JSON: the kind's own model, and the same JSON again, details included."""
    body = BODIES[kind]

    entity = parse_entity(body, kind)

    assert type(entity) is _model(kind)
    assert entity.kind == kind
    assert entity.as_sent() == body
    assert json.loads(entity.model_dump_json(exclude_unset=True)) == body
    assert type(entity).model_validate_json(json.dumps(body)).as_sent() == body


@pytest.mark.parametrize("kind", [kind for kind in ALL if isinstance(BODIES[kind].get("entity"), str)])
def test_the_kind_is_what_razorpay_sends_as_entity(kind: str) -> None:
    """Where there is an ``entity`` field it chooses the model, and no other kind passes for it."""
    assert type(parse_entity(BODIES[kind])) is _model(kind)
    with pytest.raises(PayloadInvalid, match="entity"):
        parse_entity({**BODIES[kind], "entity": "coffee"}, kind)


@given(kind=st.sampled_from(ALL), data=st.data())
def test_news_in_a_body_is_no_error(kind: str, data: st.DataObject) -> None:
    """A null, a new status, a field nobody knows, notes as ``[]`` or ``{}``: it parses, and goes out as it came."""
    body = dict(BODIES[kind])
    optional = [
        name for name, field in _model(kind).model_fields.items() if not field.is_required() and name != "entity"
    ]
    for name in data.draw(st.lists(st.sampled_from(optional or ["extra"]), max_size=3)):
        body[name] = None
    if "status" in body:
        body["status"] = data.draw(st.text(min_size=1, max_size=12))
    if "notes" in body:
        body["notes"] = data.draw(st.sampled_from([[], {}, None, {"a": "b"}]))
    body["x_" + data.draw(st.text(max_size=5))] = data.draw(st.sampled_from(NEWS))

    entity = parse_entity(body, kind)

    assert entity.as_sent() == body
    assert _model(kind).model_validate_json(json.dumps(body)).as_sent() == body


@given(kind=st.sampled_from(ALL), value=json_values, data=st.data())
def test_a_detail_of_another_type_is_kept_as_sent(kind: str, value: Any, data: st.DataObject) -> None:
    """A field that no rule of ours reads may hold anything at all: the entity stays readable (FAULTS rule 9)."""
    fields = _model(kind).model_fields.items()
    loose = [name for name, field in fields if any(isinstance(mark, _AsSent | _Loose) for mark in field.metadata)]
    name = data.draw(st.sampled_from(loose or ["extra"]))
    body = {**BODIES[kind], name: value}

    assert parse_entity(body, kind).as_sent() == body


# --- what is strict -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), AMOUNTS)
def test_an_amount_of_the_wrong_type_is_refused(kind: str, name: str) -> None:
    """In every kind, by our own error, which names the field and not the value."""
    for wrong in ("100", 1.0, True, [], {}, 10**16):
        with pytest.raises(PayloadInvalid, match=rf"{name} \(\w+\)") as caught:
            parse_entity({**BODIES[kind], name: wrong}, kind)
        assert "100" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_amounts_are_in_most_kinds() -> None:
    """So that the test above cannot run dry."""
    assert len({kind for kind, _ in AMOUNTS}) > 20


@pytest.mark.parametrize("kind", [kind for kind in ALL if "currency" in BODIES[kind]])
def test_a_currency_is_text(kind: str) -> None:
    """Another type is refused. A currency that is not listed is refused where the entity is an amount of money."""
    with pytest.raises(PayloadInvalid, match="currency"):
        parse_entity({**BODIES[kind], "currency": 356}, kind)

    new = {**BODIES[kind], "currency": "XTS"}
    if issubclass(_model(kind), Priced):
        with pytest.raises(CurrencyError):
            parse_entity(new, kind)
    else:
        assert parse_entity(new, kind).as_sent() == new


@pytest.mark.parametrize("kind", [kind for kind in ALL if "id" in BODIES[kind]])
def test_an_id_is_text_of_any_form_but_for_the_ledgers_own(kind: str) -> None:
    """Razorpay's samples have placeholders; orders, payments and refunds are held to the strict form."""
    odd = {**BODIES[kind], "id": "fake_id"}
    if kind in ("order", "payment", "refund"):
        with pytest.raises(IdMalformed):
            parse_entity(odd, kind)
    else:
        assert parse_entity(odd, kind).as_sent() == odd
    if _model(kind).model_fields["id"].is_required():
        with pytest.raises(PayloadInvalid, match="id"):
            parse_entity({**BODIES[kind], "id": 5}, kind)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ALL for name in BODIES[kind] if name in ("payment_id", "order_id", "customer_refund_id")],
)
def test_what_names_a_payment_is_text(kind: str, name: str) -> None:
    """In every kind: null or text, and nothing else, because money is looked up by it."""
    assert parse_entity({**BODIES[kind], name: BODIES[kind][name]}, kind)
    with pytest.raises(PayloadInvalid, match=name):
        parse_entity({**BODIES[kind], name: 12}, kind)


@pytest.mark.parametrize("kind", [kind for kind in ALL if isinstance(BODIES[kind].get("status"), str)])
def test_a_status_is_text(kind: str) -> None:
    """Decisions hang on it: a number is no status."""
    with pytest.raises(PayloadInvalid, match="status"):
        parse_entity({**BODIES[kind], "status": 1}, kind)


# --- what users read ----------------------------------------------------------------------------------------


def _told(kind: str, name: str) -> Any:
    return getattr(parse_entity(BODIES[kind], kind), name)


@pytest.mark.parametrize(
    ("kind", "name", "subunits"),
    [
        ("addon", "money", 45000),
        ("bank_transfer", "money", 45000),
        ("dispute", "money", 45000),
        ("dispute", "deducted", 45000),
        ("fund_account.validation", "money", 100),
        ("invoice", "money", 45000),
        ("invoice", "paid", 20000),
        ("invoice", "due", 25000),
        ("invoice", "tax_money", 0),
        ("item", "money", 45000),
        ("line_item", "money", 45000),
        ("order", "paid", 20000),
        ("order", "due", 25000),
        ("payment", "fee_money", 1062),
        ("payment", "tax_money", 162),
        ("payment_link", "money", 45000),
        ("payment_link", "paid", 20000),
        ("payout", "money", 250000),
        ("payout", "fees_money", 590),
        ("plan", "money", 45000),
        ("qr_code", "received", 90000),
        ("qr_code", "asked", 45000),
        ("reversal", "money", 5000),
        ("settlement", "money", 990000),
        ("settlement", "fees_money", 0),
        ("settlement", "tax_money", 0),
        ("settlement.ondemand", "requested", 200000),
        ("settlement.ondemand", "settled", 99700),
        ("settlement.ondemand", "pending", 100000),
        ("settlement.ondemand", "reversed", 0),
        ("settlement.ondemand", "fees_money", 600),
        ("settlement.ondemand_payout", "settled", 99700),
        ("settlement.recon_item", "money", 45000),
        ("token", "limit", 1500000),
        ("transaction", "money", 250590),
        ("transfer", "reversed", 5000),
        ("transfer", "fees_money", 236),
        ("transfer", "tax_money", 36),
        ("upi_transfer", "money", 45000),
        ("virtual_account", "paid", 0),
        ("virtual_account", "expected", 45000),
    ],
)
def test_amounts_are_money(kind: str, name: str, subunits: int) -> None:
    """Each amount that people ask for, with its currency."""
    assert _told(kind, name) == Money(subunits, "INR")


def test_money_is_none_where_razorpay_said_none() -> None:
    """No amount, or no currency, is no money; never zero."""
    assert parse_entity({**BODIES["invoice"], "amount_due": None}, "invoice").due is None
    assert parse_entity({**BODIES["item"], "currency": None}, "item").money is None
    for kind in ("plan", "addon"):
        assert getattr(parse_entity({**BODIES[kind], "item": []}, kind), "money", 0) is None


def test_what_bills_and_devices_ask_for_is_money() -> None:
    """The sums are inside the details."""
    assert _told("bill", "receipt_summary").payable == Money(94500, "INR")
    assert _told("device.activity", "initiate_checkout").money == Money(45000, "INR")


def test_a_line_of_the_report_adds_or_takes() -> None:
    """``net`` is credit less debit, below zero for a refund; notes come as text."""
    line = parse_entity(BODIES["settlement.recon_item"], "settlement.recon_item")
    refund = parse_as(ReconItem, {**BODIES["settlement.recon_item"], "credit": 0, "debit": 500, "fee": -20})

    assert (line.net, refund.net) == (43938, -500)
    assert (line.notes, refund.fee) == ("{}", -20)


def test_details_are_typed() -> None:
    """Card, UPI, acquirer: attributes, not keys."""
    payment = parse_entity(BODIES["payment"], "payment")

    assert isinstance(payment.card, Card)
    assert payment.upi is not None
    assert payment.upi.flow == "intent"
    assert payment.acquirer_data is not None
    assert payment.acquirer_data.rrn == "512345678901"
    assert payment.emi is not None
    assert payment.emi.rate == 1300


@pytest.mark.parametrize("value", [[], "none", 5, {"entity": "coffee"}, {"entity": None}])
def test_a_card_that_is_none_is_kept(value: object) -> None:
    """What does not fit the detail's model is there as sent, and the payment is readable."""
    payment = parse_entity({**BODIES["payment"], "card": value}, "payment")

    assert payment.card == value
    assert payment.money == Money(45000, "INR")


def test_an_item_of_a_list_that_does_not_fit_is_kept_alone() -> None:
    """The other items keep their model."""
    sent = {
        **BODIES["settlement.ondemand"]["ondemand_payouts"],
        "items": [{"amount": "x"}, BODIES["settlement.ondemand_payout"]],
    }
    settlement = parse_entity({**BODIES["settlement.ondemand"], "ondemand_payouts": sent}, "settlement.ondemand")

    assert settlement.ondemand_payouts is not None
    first, second = settlement.ondemand_payouts.items or []
    assert first == {"amount": "x"}  # type: ignore[comparison-overlap]
    assert isinstance(second, InstantPayout)


def test_receivers_are_told_apart() -> None:
    """By their ``entity``: a bank account, a VPA, a QR code."""
    sent = [BODIES["bank_account"], BODIES["vpa"], {"id": "qr_1", "entity": "qr_code", "reference": "r"}]
    account = parse_as(VirtualAccount, {**BODIES["virtual_account"], "receivers": sent})

    assert [type(receiver) for receiver in account.receivers or []] == [BankAccount, Vpa, QrCode]


def test_expanded_collections_give_entities() -> None:
    """By their own ``entity`` field, or by the kind that is asked for."""
    order = parse_entity(BODIES["order"], "order")

    assert isinstance(order.payments, Collection)
    (payment,) = order.payments.entities()
    assert isinstance(payment, Payment)
    assert parse_as(Collection, {"items": [{"id": "x"}]}).entities("item")[0].kind == "item"
    with pytest.raises(PayloadInvalid, match="items"):
        parse_as(Collection, {"items": None}).entities()


def test_a_transaction_knows_its_cause() -> None:
    """The source as its own model; UnknownEntity where Razorpay sent none."""
    assert isinstance(parse_as(Transaction, BODIES["transaction"]).cause(), Payout)
    assert isinstance(parse_as(Transaction, {**BODIES["transaction"], "source": None}).cause(), UnknownEntity)
    with pytest.raises(PayloadInvalid, match="JSON object"):
        parse_as(Transaction, {**BODIES["transaction"], "source": "pout_1"}).cause()


@pytest.mark.parametrize(
    ("payload", "kinds"),
    [
        ({"subscription": {"entity": BODIES["subscription"]}, "created_at": 1}, ["subscription"]),
        ({"payment_link": {"entity": BODIES["payment_link"]}}, ["payment_link"]),
        ({"merchant_product": {"entity": BODIES["merchant_product"]}}, ["merchant_product"]),
        ({"spt": {"entity": [BODIES["service_provider_token"], 5]}}, ["service_provider_token"]),
        ({"coffee": {"entity": {"id": 1}}}, ["unknown"]),
        ({"payment": {"entity": None}, "acc_id": "x"}, []),
        ({}, []),
        (None, []),
        ([], []),
    ],
)
def test_an_event_body_gives_its_entities(payload: object, kinds: list[str]) -> None:
    """By their ``entity`` field, else by the name in the payload; what is no entity is left alone."""
    event = parse_as(EventBody, {"event": "x", "payload": payload})

    assert [entity.kind for entity in event.entities()] == kinds


def test_a_page_of_any_kind() -> None:
    """``parse_collection`` takes every model."""
    (plan,) = parse_collection({"items": [BODIES["plan"]]}, SubscriptionPlan)
    assert plan.money == Money(45000, "INR")


@pytest.mark.parametrize("kind", ALL)
def test_no_repr_shows_a_person(kind: str) -> None:
    """Nor an account number, nor a note: entities end in logs."""
    shown = repr(parse_entity(BODIES[kind], kind)) + str(parse_entity(BODIES[kind], kind))

    for private in ("Asha", "9812", "@", "0022", "example", "table", "AAAPL", "Bean"):
        assert private not in shown


# --- loading ------------------------------------------------------------------------------------------------


def test_the_registry_is_what_the_modules_define() -> None:
    """Every module is in it with all its public classes, every kind with the class that names it."""
    hidden = {"__init__", "_base", "_errors", "_fields", "_registry", "collection"}
    assert {path.stem for path in HOME.glob("*.py")} - hidden == set(MODULES)
    defined: dict[str, str] = {}
    for name, classes in MODULES.items():
        module = import_module(f"razorpay_hardened.domain.entities.{name}")
        assert sorted(module.__all__) == sorted(classes)
        for cls in (getattr(module, each) for each in classes):
            assert issubclass(cls, Detail)
            if issubclass(cls, Entity):
                defined[cls.kind] = cls.__name__
    assert defined == KINDS


def test_type_checkers_see_what_is_loaded_late() -> None:
    """The imports for type checkers and ``__all__`` name all classes, and dir() tells them."""
    tree = ast.parse((HOME / "__init__.py").read_text("utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (str(node.module).rpartition(".")[2], alias.name)
        for node in guard.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {(module, name) for module, names in MODULES.items() for name in names}
    assert {name for _, name in seen} <= set(entities.__all__)
    assert dir(entities) == sorted(entities.__all__)
    for name in entities.__all__:
        assert getattr(entities, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Coffee'"):
        entities.Coffee  # noqa: B018


def test_every_kind_has_an_overload() -> None:
    """A type checker knows the model of each kind that is written out."""
    tree = ast.parse((HOME / "collection.py").read_text("utf-8"))
    told = {
        ast.literal_eval(node.args.args[1].annotation.slice): ast.unparse(node.returns)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name == "parse_entity"
        and node.returns is not None
        and isinstance(node.args.args[1].annotation, ast.Subscript)
    }
    assert told == KINDS


@pytest.mark.slow
def test_models_load_when_they_are_needed() -> None:
    """The webhook path loads what an order and a payment consist of; a subscription its own module and no more."""
    code = (
        "import sys, razorpay_hardened\n"
        "home = 'razorpay_hardened.domain.entities.'\n"
        "def loaded(): return {name.removeprefix(home) for name in sys.modules if name.startswith(home)}\n"
        "print(sorted(loaded()))\n"
        "import razorpay_hardened.webhooks.receive, razorpay_hardened.domain.events\n"
        "first = loaded(); print(*sorted(first))\n"
        "razorpay_hardened.parse_entity({'id': 'sub_1'}, 'subscription'); print(*sorted(loaded() - first))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    nothing, webhooks, more = done.stdout.splitlines()
    assert nothing == "[]"
    assert set(webhooks.split()) == {
        *("_base", "_errors", "_fields", "_registry", "collection"),
        *("order", "mandate", "tax_invoice", "payment", "card", "payment_details", "refund"),
    }
    assert more == "subscription"


def test_a_kind_is_never_looked_up_by_accident() -> None:
    """Neither a name of ours nor what is no text is a kind."""
    assert model_of("Payment") is model_of(None) is model_of(["payment"]) is None
    assert _model("subscription") is Subscription
    assert parse_entity(BODIES["order"]).__class__ is Order


def test_every_event_has_entities_with_models() -> None:
    """Each of the documented events, as the factories make them: all that it carries is typed, and goes out again."""
    for name in factories.EVENTS:
        event = parse_as(EventBody, factories.event(name))
        assert event.as_sent() == factories.event(name)
        assert [name for entity in event.entities() if isinstance(entity, UnknownEntity)] == []
