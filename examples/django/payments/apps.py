"""The app: its handlers are there before the first request, its store is migrated with everything else."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from payments import handlers  # noqa: F401  # registers them

        post_migrate.connect(self.migrate_store, sender=self)

    def migrate_store(self, **_: Any) -> None:
        from payments.rzp import rzp

        rzp.store.migrate()
