"""Inside the application's own transaction: one commit for its rows and ours, and no answer of 200 before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bodies import Shop, body, payment, payment_id
from razorpay_hardened import DbApiStore, Money
from razorpay_hardened.errors import ConfigError, TransactionMisuse
from razorpay_hardened.signals import EffectDone, EventProcessed, StatusChanged
from support import applications

CAPTURED = body("payment.captured", payment=payment(1, "captured"))


class Application(NamedTuple):
    """Its connection, its own way to open a transaction, and its own way to run SQL."""

    connection: Any
    begin: Callable[[], AbstractContextManager[Any]]
    run: Callable[[str], list[Any]]
    tells_us: bool


@contextmanager
def _by_hand(connection: Any) -> Iterator[None]:
    if hasattr(connection, "pgconn"):
        connection.execute("SELECT 1")  # psycopg begins with the first statement
    else:
        connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _driver(connect: Callable[[], Any]) -> Application:
    def run(sql: str) -> list[Any]:
        cursor = connect().execute(sql)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return Application(connect, lambda: _by_hand(connect()), run, False)


def _sqlalchemy(connect: Callable[[], Any]) -> Application:
    def run(sql: str) -> list[Any]:
        result = connect().exec_driver_sql(sql)
        return [tuple(row) for row in result] if result.returns_rows else []

    return Application(connect, lambda: connect().begin(), run, False)


def _django(connect: Callable[[], Any]) -> Application:
    from django.db import transaction

    def run(sql: str) -> list[Any]:
        with connect().cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return Application(connect, lambda: transaction.atomic(using=connect().alias), run, True)


KINDS: dict[str, tuple[Callable[..., Any], Callable[..., Application]]] = {
    "sqlite3": (applications.sqlite3_connections, _driver),
    "psycopg": (applications.psycopg_connections, _driver),
    "sqlalchemy-sqlite": (applications.sqlalchemy_on_sqlite, _sqlalchemy),
    "sqlalchemy-postgresql": (applications.sqlalchemy_on_postgresql, _sqlalchemy),
    "django-sqlite": (applications.django_on_sqlite, _django),
    "django-postgresql": (applications.django_on_postgresql, _django),
}


@pytest.fixture(params=list(KINDS))
def application(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    connect, kind = KINDS[request.param]
    with ExitStack() as stack:
        made = kind(connect(stack, tmp_path))
        with made.begin():
            made.run("CREATE TABLE shop_rows (what TEXT)")
        yield made


class Refused(Exception):
    """Raised by the application's own code after ours: a middleware, a constraint of its own."""


def shop(application: Application, *, outer: bool = True) -> Shop:
    """A shop with one order, and a handler in each mode; its store is on the application's connection."""
    store = DbApiStore(application.connection, outer=outer)
    store.migrate()
    made = Shop(store)
    made.adopt(1)

    @made.rzp.on("payment.captured", name="grant")
    def grant(change: Any, tx: Any) -> None:
        tx.execute("INSERT INTO shop_rows VALUES ('granted')")

    return made


def rows(application: Application) -> list[str]:
    with application.begin():
        return sorted(row[0] for row in application.run("SELECT what FROM shop_rows"))


def test_an_open_transaction_must_be_declared(application: Application) -> None:
    """Undeclared, nothing is begun and nothing is stored: a 200 would have left before the commit."""
    ours = shop(application, outer=False)
    with application.begin():
        application.run("SELECT what FROM shop_rows")
        assert ours.deliver(CAPTURED) == 500
        with pytest.raises(TransactionMisuse, match="outer=True"), ours.store.transaction():
            pass
    assert ours.deliver(CAPTURED) == 200
    assert rows(application) == ["granted"]


def test_what_the_application_rolls_back_is_undone_here_too(application: Application) -> None:
    """D11: the view answered, then something around it failed: nothing is there, and the redelivery does the work."""
    ours = shop(application)
    with pytest.raises(Refused), application.begin():  # noqa: PT012 - the block is what is tested
        application.run("INSERT INTO shop_rows VALUES ('mine')")
        assert ours.deliver(CAPTURED) == 200
        assert ours.store.payment(payment_id(1)) is not None
        raise Refused
    assert rows(application) == []
    assert ours.store.payment(payment_id(1)) is None
    assert ours.told(StatusChanged)[1:] == []
    assert ours.deliver(CAPTURED) == 200
    assert rows(application) == ["granted"]


def test_both_commit_together(application: Application) -> None:
    """The application's row, ours and the handler's are there at once; the redelivery is a duplicate."""
    ours = shop(application)
    with application.begin():
        application.run("INSERT INTO shop_rows VALUES ('mine')")
        assert ours.deliver(CAPTURED) == 200
    assert rows(application) == ["granted", "mine"]
    held = ours.store.payment(payment_id(1))
    assert held is not None
    assert held.captured
    with application.begin():
        assert ours.deliver(CAPTURED) == 200
    assert rows(application) == ["granted", "mine"]


def test_nothing_is_announced_and_no_mail_leaves_before_the_outermost_commit(application: Application) -> None:
    """Signals and after effects come once it is true; with Django by themselves, else by committed()."""
    ours = shop(application)
    mails: list[str] = []
    ours.rzp.after("payment.captured", name="mail")(lambda change: mails.append(change.key))
    with application.begin():
        assert ours.deliver(CAPTURED) == 200
        assert (mails, ours.told(EventProcessed), ours.told(EffectDone)) == ([], [], [])
    if not application.tells_us:
        assert mails == []
        ours.store.committed()  # type: ignore[attr-defined]
    assert mails == [f"payment.captured:{payment_id(1)}"]
    assert len(ours.told(EventProcessed)) == 1


def test_what_waited_for_a_rollback_is_forgotten(application: Application) -> None:
    """No signal and no mail for what never happened; a worker finds nothing either."""
    ours = shop(application)
    mails: list[str] = []
    ours.rzp.after("payment.captured", name="mail")(lambda change: mails.append(change.key))
    with pytest.raises(Refused), application.begin():  # noqa: PT012
        assert ours.deliver(CAPTURED) == 200
        raise Refused
    if not application.tells_us:
        ours.store.rolled_back()  # type: ignore[attr-defined]
    ours.rzp.webhooks.process_pending()
    assert (mails, ours.told(EventProcessed)) == ([], [])


def test_a_broken_handler_undoes_itself_alone(application: Application) -> None:
    """Its savepoint lies inside the application's transaction; the state and the application's rows commit."""
    ours = shop(application)

    @ours.rzp.on("payment.captured", name="broken")
    def broken(change: Any, tx: Any) -> None:
        tx.execute("INSERT INTO shop_rows VALUES ('half')")
        raise Refused

    with application.begin():
        application.run("INSERT INTO shop_rows VALUES ('mine')")
        assert ours.deliver(CAPTURED) == 500
    assert rows(application) == ["granted", "mine"]
    (waiting,) = ours.store.effects(states=("waiting",))
    assert (waiting.handler, waiting.attempts) == ("broken", 1)


def test_what_razorpay_is_told_of_must_not_be_rolled_back(application: Application) -> None:
    """checkout.start and the worker refuse to run inside: an order at Razorpay without its row here is lost money."""
    ours = shop(application)
    with application.begin():
        application.run("SELECT what FROM shop_rows")
        with pytest.raises(TransactionMisuse, match="outside of your own transaction"):
            ours.rzp.checkout.start(owner="user:7", plan=None, amount=Money.inr("10"), key="cart-1")
        with pytest.raises(TransactionMisuse, match="outside of your own transaction"):
            ours.rzp.checkout.refund(payment_id(1), key="refund-0001")


def test_handlers_get_the_application_s_own_connection(application: Application) -> None:
    """What the application gave is what its handlers see: its ORM writes in the same transaction."""
    ours = shop(application)
    seen: list[Any] = []
    ours.rzp.on("payment.captured", name="look")(lambda change, tx: seen.append(tx.connection))
    assert ours.deliver(CAPTURED) == 200
    assert seen == [application.connection()]


@pytest.mark.parametrize("connection", [object(), "postgresql://localhost/shop", 7, lambda: object()])
def test_what_is_no_connection_is_refused(connection: Any) -> None:
    """At construction, or when the function is first asked."""
    with pytest.raises(ConfigError, match="DbApiStore"):
        DbApiStore(connection).status()
