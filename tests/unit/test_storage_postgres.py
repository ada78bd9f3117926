"""PostgresStore without a server: URLs, passwords, the extra, options; and the SQL of its tables."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import psycopg
import pytest

from razorpay_hardened.cli._hide import forget_secrets, learn_url, without_secrets
from razorpay_hardened.errors import (
    ConfigError,
    SchemaMismatch,
    StorageConflict,
    StorageError,
    StorageReadOnly,
    StorageUnavailable,
    TransactionMisuse,
)
from razorpay_hardened.storage import PostgresStore, migrate, open_store
from razorpay_hardened.storage._postgres import translate

pytestmark = pytest.mark.slow

PASSWORDS = ["pw-4711", "pw?4711", "pw#4711", "pw%2F4711", "pw:4711", "pw%404711"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_is_never_shown(password: str) -> None:
    """Neither in url nor in repr: what libpq takes for the password is what is left out."""
    store = PostgresStore(f"postgresql://shop:{password}@db.example:5433/till?sslmode=require&passfile=x")
    assert (store.url, repr(store)) == (
        "postgresql://shop@db.example:5433/till",
        "<PostgresStore postgresql://shop@db.example:5433/till>",
    )
    assert "4711" not in str(vars(PostgresStore(f"host=h password={password}"))["url"])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://h/d?password=secret-1", "postgresql://h/d"),
        ("postgres://h/d", "postgresql://h/d"),
        ("host=h user=u password=secret-1 dbname=d", "postgresql://u@h/d"),
        ("postgresql://a:1,b:2/d", "postgresql://a,b:1%2C2/d"),
        ("postgresql:///d?host=/var/run/postgresql", "postgresql:///d"),
    ],
)
def test_a_url_is_shown_without_its_parameters(url: str, shown: str) -> None:
    """User, hosts, ports and database; sockets and passwords are left out."""
    assert PostgresStore(url).url == shown


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret/pw@h/d", "postgresql://h:port/d", "http://x", "postgresql://[::1"]
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    """A password with / makes libpq see a port that is none: told, and not shown."""
    with pytest.raises(ConfigError) as caught:
        PostgresStore(url)
    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.__cause__)


def test_the_command_line_forgets_the_password_as_well() -> None:
    """Whatever libpq takes for the password is hidden in everything that is printed."""
    try:
        for password in PASSWORDS:
            learn_url(f"postgresql://shop:{password}@h/d")
            assert password not in without_secrets(f"cannot connect with {password}!")
        learn_url("postgresql://h/d?sslmode=require&password=in-the-query")
        assert "in-the-query" not in without_secrets("in-the-query")
    finally:
        forget_secrets()


@pytest.mark.parametrize(
    "options", [{"max_connections": 0}, {"max_connections": 1001}, {"wait_s": 0}, {"wait_s": 5}, {"isolation": "chaos"}]
)
def test_options_have_limits(options: dict[str, Any]) -> None:
    """What would not answer Razorpay in time, or is not a level, is refused at the start."""
    with pytest.raises(ConfigError):
        PostgresStore("postgresql://h/d", **options)


def test_nothing_is_connected_before_it_is_used() -> None:
    """A store for a server that is not there can be made, asked for its tables, and closed."""
    store = open_store("postgresql://nobody@127.0.0.1:1/none")
    assert "CREATE TABLE razorpay_orders" in store.schema()
    store.close()


_WITHOUT = """
import sys
sys.modules["psycopg"] = None
import razorpay_hardened
from razorpay_hardened.storage import open_store
for use in (lambda: open_store("postgresql://h/d"), lambda: razorpay_hardened.PostgresStore):
    try:
        use()
    except razorpay_hardened.errors.ExtraMissing as error:
        print(error)
"""


def test_without_the_extra_the_pip_command_is_told() -> None:
    """ExtraMissing, from the URL and from the name."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", _WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout.count("razorpay-hardened[postgres]") == 2


def test_the_command_line_prints_the_tables_without_the_extra_and_without_a_server() -> None:
    """``db sql --dialect``, and ``db sql`` for the store's URL."""
    without = "import sys; sys.modules['psycopg'] = None; from razorpay_hardened.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", without, "db", "sql", "--dialect", "postgresql"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == migrate.schema_text("postgresql")
    command = [sys.executable, "-m", "razorpay_hardened.cli", "db", "sql"]
    environ = {"RAZORPAY_STORE_URL": "postgresql://u:secret-pw@127.0.0.1:1/none", "PATH": "/usr/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == printed
    assert "secret-pw" not in done.stdout + done.stderr


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_tables_made_by_hand_carry_the_version(dialect: str) -> None:
    """The last words of the schema are those that migrate() would have added."""
    text = migrate.schema_text(dialect)
    assert f"INSERT INTO razorpay_schema (version, applied_at, serves) VALUES ({migrate.VERSION}, " in text


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40001", StorageConflict),
        ("40P01", StorageConflict),
        ("55P03", StorageUnavailable),
        ("57014", StorageUnavailable),
        ("57P01", StorageUnavailable),
        ("53100", StorageUnavailable),
        ("53300", StorageUnavailable),
        ("25P03", StorageUnavailable),
        ("25P04", StorageUnavailable),
        ("08006", StorageUnavailable),
        ("XX000", StorageUnavailable),
        ("25006", StorageReadOnly),
        ("3B001", TransactionMisuse),
        ("23505", StorageError),
        ("42501", StorageError),
    ],
)
def test_errors_of_postgresql_become_ours(code: str, kind: type[StorageError]) -> None:
    """By SQLSTATE: what may be better next time, what must be run again, what is a mistake."""
    assert type(translate(psycopg.errors.lookup(code)("x"))) is kind


def test_tables_that_are_missing_are_a_schema_mismatch() -> None:
    """Ours, not the application's."""
    lookup = psycopg.errors.lookup("42P01")
    assert type(translate(lookup('relation "razorpay_orders" does not exist'))) is SchemaMismatch
    assert type(translate(lookup('relation "shop" does not exist'))) is StorageError
