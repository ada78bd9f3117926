"""The database connections that applications have, one for each thread: as Django, SQLAlchemy and plain drivers do it.

Each function gives what ``DbApiStore`` takes, on a database of its own, and closes everything with the stack. Those
on PostgreSQL take the kind of schema that the database is to have, which is an empty one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import psycopg

from support.postgres import new_schema

__all__ = [
    "django_on_postgresql",
    "django_on_sqlite",
    "psycopg_connections",
    "sqlalchemy_on_postgresql",
    "sqlalchemy_on_sqlite",
    "sqlite3_connections",
]


Schema = Callable[[], AbstractContextManager[str]]


def _each_thread(stack: ExitStack, make: Callable[[], Any]) -> Callable[[], Any]:
    """A function that gives each thread a connection of its own; all are closed with ``stack``."""
    mine = threading.local()

    def connection() -> Any:
        if getattr(mine, "connection", None) is None:
            mine.connection = make()
            stack.callback(mine.connection.close)
        return mine.connection

    return connection


def sqlite3_connections(stack: ExitStack, folder: Path) -> Callable[[], sqlite3.Connection]:
    """Plain sqlite3, in the mode that it has by itself."""
    path = folder / "application.db"
    with sqlite3.connect(path) as first:
        first.execute("PRAGMA journal_mode = WAL")
    first.close()
    return _each_thread(stack, lambda: sqlite3.connect(path, check_same_thread=False))


def psycopg_connections(stack: ExitStack, folder: Path, schema: Schema = new_schema) -> Callable[[], Any]:
    """Plain psycopg, without autocommit: a SELECT begins a transaction."""
    url = stack.enter_context(schema())
    return _each_thread(stack, lambda: psycopg.connect(url))


def sqlalchemy_on_sqlite(stack: ExitStack, folder: Path) -> Callable[[], Any]:
    """SQLAlchemy with its usual pysqlite dialect."""
    return _sqlalchemy(stack, f"sqlite:///{folder / 'application.db'}")


def sqlalchemy_on_postgresql(stack: ExitStack, folder: Path, schema: Schema = new_schema) -> Callable[[], Any]:
    """SQLAlchemy over psycopg 3."""
    return _sqlalchemy(stack, stack.enter_context(schema()).replace("postgresql://", "postgresql+psycopg://", 1))


def _sqlalchemy(stack: ExitStack, url: str) -> Callable[[], Any]:
    import sqlalchemy

    arguments = {"check_same_thread": False} if url.startswith("sqlite") else {}
    engine = sqlalchemy.create_engine(url, connect_args=arguments)
    stack.callback(engine.dispose)
    if url.startswith("sqlite"):
        with engine.connect() as first:
            first.exec_driver_sql("PRAGMA journal_mode = WAL")
    return _each_thread(stack, engine.connect)


def django_on_sqlite(stack: ExitStack, folder: Path) -> Any:
    """``connections[alias]`` of Django, SQLite."""
    return _django(stack, {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "application.db")})


def django_on_postgresql(stack: ExitStack, folder: Path, schema: Schema = new_schema) -> Any:
    """``connections[alias]`` of Django, PostgreSQL through psycopg 3."""
    parts = psycopg.conninfo.conninfo_to_dict(stack.enter_context(schema()))
    return _django(
        stack,
        {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": str(parts["dbname"]),
            "USER": str(parts.get("user", "")),
            "PASSWORD": str(parts.get("password", "")),
            "HOST": str(parts.get("host", "")),
            "PORT": str(parts.get("port", "")),
            "OPTIONS": {"options": str(parts["options"])},
        },
    )


_numbers = iter(range(1, 1_000_000))


def _django(stack: ExitStack, database: dict[str, Any]) -> Callable[[], Any]:
    import django
    from django.conf import settings
    from django.db import connections

    if not settings.configured:
        settings.configure(DATABASES={}, USE_TZ=True)
        django.setup()
    alias = f"shop_{next(_numbers)}"
    connections.settings[alias] = connections.configure_settings({"default": {}, alias: database})[alias]
    made: list[Any] = []

    def connection() -> Any:
        found = connections[alias]
        if found not in made:
            found.inc_thread_sharing()  # so that the end of the test may close what a thread has opened
            made.append(found)
        return found

    def close() -> None:
        for one in made:
            one.close()
        connections.settings.pop(alias)

    stack.callback(close)
    return connection
