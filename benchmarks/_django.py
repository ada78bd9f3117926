"""The tables of the naive view, with Django's ORM on SQLite: WAL, synchronous=FULL, BEGIN IMMEDIATE, as ours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

__all__ = ["set_up"]


def set_up(path: Path) -> SimpleNamespace:
    """Configure Django for this process, make the tables; gives the models and ``atomic``."""
    import django
    from django.conf import settings
    from django.db import connection, models, transaction

    options = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options}
    settings.configure(DATABASES={"default": database}, USE_TZ=True)
    django.setup()

    class Order(models.Model):
        order_id = models.CharField(max_length=40, unique=True)
        owner = models.CharField(max_length=40)
        amount = models.BigIntegerField()
        status = models.CharField(max_length=20)

        class Meta:
            app_label = "naive"

    class Event(models.Model):
        event_id = models.CharField(max_length=40, unique=True)
        body = models.TextField()

        class Meta:
            app_label = "naive"

    class Access(models.Model):
        order_id = models.CharField(max_length=40)
        owner = models.CharField(max_length=40)

        class Meta:
            app_label = "naive"

    with connection.schema_editor() as editor:
        for model in (Order, Event, Access):
            editor.create_model(model)
    return SimpleNamespace(Order=Order, Event=Event, Access=Access, atomic=transaction.atomic)
